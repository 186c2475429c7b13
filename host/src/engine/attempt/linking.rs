//! Who the customer is in Salesforce: the contact that is known, the one that is found, or a new one, which is made once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Walk;
use crate::domain::{
    Attribute, CHOSEN_CONTACT_GONE, Choice, Class, Contact, ContactSearch, Creation, Fact, FieldPath, Link, Pick,
    PolicyRef, Question, Refusal,
};
use crate::engine::intent::Intent;
use crate::salesforce::{Alone, may_be_about_a_dead_link, outcome_unknown};

/// How long a contact that was looked for and is not there may still come to be. It is looked for once its call is over, or
/// the host has started anew.
const SETTLES: Duration = Duration::from_secs(120);
/// The code of the refusal until then,
pub(super) const NOT_SETTLED: &str = "CONTACT_NOT_SETTLED";
/// and how long after a look for it the next one is, in seconds.
pub(super) const LOOK_AGAIN: u32 = 30;

impl Walk {
    /// Links the contact: the one that a person chose, else the one that is linked already, else the one that the policy
    /// chooses.
    pub(super) async fn link(&mut self) -> Result<(), Box<Refusal>> {
        // What is gone is not named to the policy either, which would choose it again.
        let named = &mut self.conversation.customer.contact;
        *named = named.take().filter(|id| self.records.gone.as_ref().is_none_or(|gone| !gone.is_same(id.as_str())));
        let is_gone = self.chosen_is_gone();
        if !is_gone && self.take_known() {
            return Ok(());
        }
        let (policies, name) = (self.shared.policies.clone(), self.settings.values.policy.clone());
        let now = self.shared.clock.now();
        let decision = self.measured(Question::Search, policies.search(&name, &self.conversation, now)).await;
        let searched_by = decision.policy.clone();
        let searches = self.answer(decision)?;
        let fields = policies.contact_fields(&name);
        let salesforce = Arc::clone(&self.org.salesforce);
        let alone = salesforce.alone_with(&searches, &self.conversation).await;
        if !is_gone
            && let Some(creation) = self.records.creation.take()
            && self.settle(creation).await?
        {
            return Ok(());
        }
        let mut found = Vec::new();
        if !searches.is_empty() {
            self.reached = true;
            let asked = salesforce.find_contacts(&searches, &fields).await;
            found = asked.map_err(|no| Box::new(naming_fields(no, &searched_by, &searches, &fields)))?;
        }
        if found.is_empty() {
            found = salesforce.made_lately(&alone, &fields).await?;
        }
        if is_gone {
            // Nobody else is linked in its place: a person chooses anew.
            return Err(Box::new(chosen_is_gone(searched_by, found)));
        }
        let decision = self.measured(Question::Choose, policies.choose(&name, &self.conversation, &found, now)).await;
        let (policy, count) = (decision.policy.clone(), found.len());
        let choice = Box::new(Choice { policy: policy.clone(), found });
        let link = match self.answer(decision) {
            Ok(link) => link,
            Err(refusal) => return Err(Box::new(Refusal { choice: Some(choice), ..*refusal })),
        };
        self.facts.push(Fact::Linked { policy: policy.clone(), link: link.clone(), found: count });
        match link {
            Link::None => {}
            Link::Contact(id) => self.records.contact = Some(id),
            Link::Create(fields) => self.create(policy, fields, &alone).await?,
            Link::Ambiguous(candidates) => {
                let ids: Vec<_> = candidates.iter().map(ToString::to_string).collect();
                let text = format!("{} contacts could be this customer: {}", ids.len(), ids.join(", "));
                let refusal = Refusal::new(Class::Contact, "CONTACT_AMBIGUOUS", text);
                return Err(Box::new(Refusal { records: ids, choice: Some(choice), ..refusal }));
            }
        }
        Ok(())
    }

    /// Takes the contact that a person chose, else the one that is linked, else the one that the source names. `false`: nobody
    /// knows one.
    fn take_known(&mut self) -> bool {
        let named = &self.conversation.customer.contact;
        let known = match &self.chosen {
            Some(Pick::Contact(contact)) => Some(contact.clone()),
            Some(Pick::NoContact) => None,
            Some(Pick::Policy) | None => match self.records.contact.as_ref().or(named.as_ref()) {
                None => return false,
                known => known.cloned(),
            },
        };
        (self.records.contact, self.records.creation) = (known, None);
        true
    }

    fn chosen_is_gone(&self) -> bool {
        match (&self.chosen, &self.records.gone) {
            (Some(Pick::Contact(contact)), Some(gone)) => gone == contact || gone.is_same(contact.as_str()),
            _ => false,
        }
    }

    /// Makes a contact. It is inserted, which nothing keeps from happening twice; so it is on record before it is sent,
    /// and stays there until its outcome is known.
    async fn create(&mut self, policy: PolicyRef, fields: Vec<Attribute>, alone: &Alone) -> Result<(), Box<Refusal>> {
        let creation = Box::new(Creation { policy, fields, since: self.shared.clock.now(), missed_at: None });
        let (reply, committed) = oneshot::channel();
        let intent = Intent { conversation: self.conversation.id.clone(), creation: creation.clone(), reply };
        if self.intents.send(intent).await.is_err() || committed.await.is_err() {
            let text = "the host stops: the contact was not made";
            return Err(Box::new(Refusal::new(Class::Transient, "BROKEN_OFF", text)));
        }
        self.reached = true;
        match self.org.salesforce.create_contact(&creation.fields).await {
            Ok(contact) => {
                self.org.salesforce.remember_made(alone, &contact);
                self.records.contact = Some(contact);
                Ok(())
            }
            Err(refusal) => {
                self.records.creation = outcome_unknown(&refusal).then_some(creation);
                Err(Box::new(refusal))
            }
        }
    }

    /// Finds out what became of a contact whose making brought no answer, before anything is sent again. `false`: it was not
    /// made.
    async fn settle(&mut self, mut creation: Box<Creation>) -> Result<bool, Box<Refusal>> {
        self.reached = true;
        let found = match self.org.salesforce.find_made(&creation.fields, creation.since).await {
            Ok(found) => found,
            Err(refusal) => {
                self.records.creation = Some(creation);
                return Err(Box::new(refusal));
            }
        };
        let ids: Vec<_> = found.iter().map(|contact| contact.id.to_string()).collect();
        let refusal = match found.as_slice() {
            [one] => {
                let (policy, link) = (creation.policy, Link::Contact(one.id.clone()));
                self.facts.push(Fact::Linked { policy, link, found: 1 });
                self.records.contact = Some(one.id.clone());
                return Ok(true);
            }
            [] => {
                let now = self.shared.clock.now();
                // A clock that goes back makes nobody wait longer.
                let missed_at = creation.missed_at.map_or(now, |at| at.min(now));
                creation.missed_at = Some(missed_at);
                if now.since(missed_at) >= SETTLES {
                    return Ok(false);
                }
                let text = "A contact was to be made for this customer, and Salesforce has not answered whether it was. It \
                            is not there yet; it is looked for again before another one is made.";
                Refusal::new(Class::Transient, NOT_SETTLED, text)
            }
            several => {
                let text = format!(
                    "A contact was to be made for this customer, and Salesforce has not answered whether it was. {} that \
                     could be it were made since: {}",
                    several.len(),
                    ids.join(", ")
                );
                Refusal::new(Class::Contact, "CONTACT_UNCLEAR", text)
            }
        };
        self.records.creation = Some(creation);
        Err(Box::new(Refusal { records: ids, ..refusal }))
    }

    /// Whether a write was refused because the linked contact is not there any more. It is forgotten then, also where the
    /// source goes on naming it.
    pub(super) async fn contact_is_gone(&mut self, refusal: &Refusal) -> bool {
        let Some(contact) = self.records.contact.clone().filter(|_| may_be_about_a_dead_link(refusal)) else {
            return false;
        };
        // Salesforce's words do not always say which record they are about: it is asked for the contact itself.
        match self.org.salesforce.contact_is_there(&contact).await {
            Ok(false) => {
                (self.records.contact, self.records.gone) = (None, Some(contact));
                true
            }
            Ok(true) | Err(_) => false,
        }
    }
}

/// What a person chose is not there any more. Who else it could be is told to whoever chooses anew.
fn chosen_is_gone(policy: PolicyRef, found: Vec<Contact>) -> Refusal {
    let text = "The contact that was chosen for this conversation is not there any more: it was deleted, or merged into another.";
    let records = found.iter().map(|contact| contact.id.to_string()).collect();
    let choice = Some(Box::new(Choice { policy, found }));
    Refusal { records, choice, ..Refusal::new(Class::Contact, CHOSEN_CONTACT_GONE, text) }
}

/// The fields were the policy's choice: who reads the sync error has to know where to look.
fn naming_fields(no: Refusal, policy: &PolicyRef, searches: &[ContactSearch], fields: &[FieldPath]) -> Refusal {
    if no.class != Class::Config {
        return no;
    }
    let by: Vec<_> = searches.iter().map(|search| search.field.as_str()).collect();
    let mut asks = format!("policy {policy} searches contacts by {}", by.join(", "));
    if !fields.is_empty() {
        let fields: Vec<_> = fields.iter().map(FieldPath::as_str).collect();
        asks = format!("{asks}, and asks for the fields {} in its table [contacts]", fields.join(", "));
    }
    Refusal { text: format!("{} ({asks})", no.text), ..no }
}
