//! The client of one organization: every operation says why Salesforce refused it; none retries but after a stale token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::config::Config;
use super::customers::{Alone, ContactDetails, Customers};
use super::error::Error;
use super::queues::{QueueCache, Queues};
use super::transport::{Authorization, Call, Keeping, Transport};
use super::write::{BatchUpserts, CaseWrite, ConversationWrite, Object, Upserted, case_fields, conversation_fields};
use crate::domain::{
    Attribute, Contact, ContactSearch, Conversation, FieldPath, Quota, RecordId, Records, Refusal, Secret, Timestamp,
};

/// A record of Salesforce, and where people look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordPage {
    /// The API name of its object.
    pub object: String,
    /// Its id.
    pub id: RecordId,
    /// Its page; `None` while the organization's own address is not known.
    pub url: Option<String>,
}

/// Talks to one organization.
pub struct Client {
    pub(super) transport: Arc<Transport>,
    pub(super) customers: Customers,
    queues: QueueCache,
    upserts: Arc<BatchUpserts>,
}

impl Client {
    /// Opens no connection yet.
    ///
    /// `http` must not follow redirects (`redirect::Policy::none()`): one could carry a token to another server.
    /// `calls_at_once` calls may be on their way at the same moment.
    ///
    /// # Errors
    /// When the configuration lacks what its flow needs.
    pub fn new(
        config: Config,
        http: reqwest::Client,
        keeping: Keeping,
        calls_at_once: usize,
    ) -> Result<Arc<Self>, Error> {
        let transport = Arc::new(Transport::new(config, http, keeping, calls_at_once)?);
        let customers = Customers::new(Arc::clone(&transport));
        let upserts = Arc::new(BatchUpserts::new(Arc::clone(&transport), calls_at_once));
        Ok(Arc::new(Self { transport, customers, queues: QueueCache::default(), upserts }))
    }

    /// Whether a person can authorize the organization in a browser.
    #[must_use]
    pub fn authorized_by_a_person(&self) -> bool {
        self.transport.config.flow.keeps_a_token()
    }

    /// Calls of the REST API so far, those refused included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.transport.calls()
    }

    /// The organization's calls within 24 hours, as its newest answer said.
    #[must_use]
    pub fn usage(&self) -> Option<Quota> {
        self.transport.usage()
    }

    /// From now on so many calls may be on their way at the same moment; those that are go on.
    pub fn set_calls_at_once(&self, calls: usize) {
        self.transport.set_calls_at_once(calls);
        self.upserts.set_calls_at_once(calls);
    }

    /// Begins an authorization that comes back to `redirect_uri`, which has to be one of the app's callback URLs.
    ///
    /// # Errors
    /// When the organization's flow has nothing to do with a person, or there are no random numbers.
    pub fn begin_authorization(&self, redirect_uri: String) -> Result<Authorization, Error> {
        self.transport.begin_authorization(redirect_uri)
    }

    /// Turns the code into tokens, and stores the refresh token before anything is sent with them. Answers the
    /// organization's address.
    ///
    /// # Errors
    /// Salesforce's refusal; what was there before stays.
    pub async fn finish_authorization(&self, begun: Authorization, code: Secret) -> Result<String, Refusal> {
        self.transport.finish_authorization(begun, code).await
    }

    /// The records of a conversation, each with the page on which people look at it. Nothing is asked for.
    #[must_use]
    pub fn pages(&self, records: &Records) -> Vec<RecordPage> {
        let person = |id: &RecordId| if id.as_str().starts_with("001") { "Account" } else { "Contact" };
        let of = self.transport.config.objects.conversation.as_str();
        let conversation = records.conversation.iter().map(|id| (of, id));
        let contact = records.contact.iter().map(|id| (person(id), id));
        let each = conversation.chain(contact).chain(records.case.iter().map(|id| ("Case", id)));
        let server = self.transport.session.own_server();
        let page = |(object, id): (&str, &RecordId)| {
            let path = format!("/lightning/r/{object}/{id}/view");
            let url = server.as_ref().and_then(|server| server.at(&path).ok()).map(String::from);
            RecordPage { object: object.to_owned(), id: id.clone(), url }
        };
        each.map(page).collect()
    }

    /// Asks whether the organization answers, by the cheapest call that needs a good token.
    ///
    /// # Errors
    /// What every conversation would be told now.
    pub async fn probe(&self) -> Result<(), Refusal> {
        self.transport.send(&Call::get(self.transport.path("limits"))).await.map(drop)
    }

    /// Uses the refresh token if that has not been done for so long: a token that nobody uses ends at the organization's idle
    /// limit, also while a session goes on. `None` where there is nothing to do.
    pub async fn keep_alive(&self, age: Duration) -> Option<Result<(), Refusal>> {
        match self.transport.config.flow.keeps_a_token() {
            true => self.transport.session.renew_by_age(age).await,
            false => None,
        }
    }

    /// The queues, asked for anew when what is known is older than `max_age`.
    ///
    /// # Errors
    /// Salesforce's refusal.
    pub async fn queues(&self, now: Timestamp, max_age: Duration) -> Result<Arc<Queues>, Refusal> {
        self.queues.get(&self.transport, now, max_age).await
    }

    /// The id of the queue with this id, developer name or label.
    ///
    /// # Errors
    /// `Class::Config` when there is none, or more than one; else Salesforce's refusal.
    pub async fn resolve_queue(&self, wanted: &str, now: Timestamp, max_age: Duration) -> Result<RecordId, Refusal> {
        self.queues(now, max_age).await?.resolve(wanted)
    }

    /// Waits until no other conversation looks for this customer, and keeps it so: two conversations of a new one would both
    /// find nobody, and make one each. A customer is known by everything that is searched for, and by e-mail address and
    /// phone number however it is written.
    pub async fn alone_with(&self, searches: &[ContactSearch], conversation: &Conversation) -> Alone {
        self.customers.alone_with(searches, conversation).await
    }

    /// The contact that was made lately for this customer: searches find it only after a while.
    ///
    /// # Errors
    /// Salesforce's refusal.
    pub async fn made_lately(&self, alone: &Alone, fields: &[FieldPath]) -> Result<Vec<Contact>, Refusal> {
        self.customers.made_lately(alone, fields).await
    }

    /// Remembers the contact that was made for this customer.
    pub fn remember_made(&self, alone: &Alone, contact: &RecordId) {
        self.customers.remember_made(alone, contact);
    }

    /// Contacts that may have been made of these fields since then, ten at most.
    ///
    /// # Errors
    /// Salesforce's refusal.
    pub async fn find_made(&self, fields: &[Attribute], since: Timestamp) -> Result<Vec<Contact>, Refusal> {
        self.customers.find_made(fields, since).await
    }

    /// Whether a contact, or a person account, is there and may be seen.
    ///
    /// # Errors
    /// Salesforce's refusal.
    pub async fn contact_is_there(&self, contact: &RecordId) -> Result<bool, Refusal> {
        self.customers.is_there(contact).await
    }

    /// What Salesforce knows of these contacts and person accounts; those that are not there, or may not be seen, are left out.
    ///
    /// # Errors
    /// Salesforce's refusal.
    pub async fn contact_details(&self, ids: &[RecordId]) -> Result<Vec<ContactDetails>, Refusal> {
        self.customers.details(ids).await
    }

    /// The page on which people look at a contact or a person account; `None` while the organization's own address is not
    /// known.
    #[must_use]
    pub fn contact_page(&self, contact: &RecordId) -> Option<String> {
        let records = Records { contact: Some(contact.clone()), ..Records::default() };
        self.pages(&records).pop().and_then(|page| page.url)
    }

    /// The contacts that the first search with a result finds, ten at most, those that were changed last first. What these
    /// fields say of them is among their attributes, beside the field that they were found by.
    ///
    /// A phone number is free text in Salesforce, so it is searched for in its index, which finds it however it is
    /// written; what the index does not have yet is found where it is written the same. Any other field is compared.
    /// A blank value is skipped: in SOQL it would find every contact whose field is empty.
    ///
    /// # Errors
    /// `Class::Request` for a field that cannot be one; else Salesforce's refusal.
    pub async fn find_contacts(
        &self,
        searches: &[ContactSearch],
        fields: &[FieldPath],
    ) -> Result<Vec<Contact>, Refusal> {
        self.customers.find(searches, fields).await
    }

    /// Makes a contact with these fields (API names). Where the organization has person accounts, it makes one of those
    /// instead, unless there is an `AccountId`. It is inserted: twice makes two.
    ///
    /// # Errors
    /// Salesforce's refusal. Where its outcome is unknown the contact may be there all the same: it has to be searched for
    /// before it is made again.
    pub async fn create_contact(&self, attributes: &[Attribute]) -> Result<RecordId, Refusal> {
        self.customers.create(attributes).await
    }

    /// Writes a conversation's whole state, in one call with others. Twice the same gives the same record.
    ///
    /// # Errors
    /// Salesforce's refusal. After a time-out it may have been written all the same: the next write of it looks first.
    pub async fn upsert_conversation(
        &self,
        conversation: &Conversation,
        write: &ConversationWrite,
    ) -> Result<Upserted, Refusal> {
        let (fields, parents) = conversation_fields(&self.transport.config.objects, conversation, write);
        self.upserts.upsert(Object::Conversation, conversation.id.as_str(), fields, parents).await
    }

    /// Writes a conversation's Case; `None` where the organization makes its Cases itself.
    ///
    /// Its status is deliberately never written: a Case's life is the organization's.
    ///
    /// # Errors
    /// Salesforce's refusal. After a time-out it may have been written all the same: the next write of it looks first.
    pub async fn upsert_case(
        &self,
        conversation: &Conversation,
        write: &CaseWrite,
    ) -> Result<Option<Upserted>, Refusal> {
        if self.transport.config.cases.is_none() {
            return Ok(None);
        }
        let (fields, parents) = case_fields(conversation, write);
        self.upserts.upsert(Object::Case, conversation.id.as_str(), fields, parents).await.map(Some)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
