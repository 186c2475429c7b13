//! One attempt to bring a conversation into Salesforce: ask the policy, link the contact, write, and judge a failure.

use std::sync::Arc;
use std::time::Duration;

use super::org::Org;
use super::shared::Shared;
use crate::domain::{
    Blame, Cause, Choice, Class, Conversation, ConversationId, Decision, Destination, Fact, Fault, Fingerprint, Link,
    MessageId, PolicyRef, Question, RecordId, Records, Refusal, Scope, Timestamp, Verdict, Way,
};
use crate::policy::Failing;
use crate::salesforce::{CaseWrite, ConversationWrite};
use crate::telemetry::Decided;

/// How old the list of an organization's queues may be, and how old when a queue is missing from it: somebody may have
/// made it just now.
const QUEUES_MAX_AGE: Duration = Duration::from_secs(300);
const QUEUES_MAX_AGE_IF_MISSING: Duration = Duration::from_secs(5);

/// What is to be attempted.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) conversation: Conversation,
    pub(super) records: Records,
    /// 1 for the first.
    pub(super) number: u32,
    pub(super) first_seen: Timestamp,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) id: ConversationId,
    /// The newest message of what was attempted.
    pub(super) message: MessageId,
    /// For the message's audit.
    pub(super) facts: Vec<Fact>,
    /// Whether Salesforce was asked.
    pub(super) reached: bool,
    pub(super) ended: Ended,
}

#[derive(Debug, Clone)]
pub(super) enum Ended {
    Delivered(Records),
    Excused,
    Failed {
        refusal: Box<Refusal>,
        group: Fingerprint,
        records: Records,
        verdict: Verdict,
        judged_by: Option<PolicyRef>,
    },
}

/// What an attempt gathers on its way.
struct Walk {
    shared: Shared,
    org: Arc<Org>,
    conversation: Conversation,
    records: Records,
    facts: Vec<Fact>,
    reached: bool,
}

pub(super) async fn run(shared: Shared, org: Arc<Org>, attempt: Attempt) -> Outcome {
    let Attempt { conversation, records, number, first_seen } = attempt;
    let (id, message) = (conversation.id.clone(), newest(&conversation));
    let mut walk = Walk { shared, org, conversation, records, facts: Vec::new(), reached: false };
    let ended = match walk.deliver().await {
        Ok(true) => Ended::Delivered(walk.records.clone()),
        Ok(false) => Ended::Excused,
        // What is wrong with the organization as a whole is no conversation's fault: no policy judges it.
        Err(refusal) if refusal.scope == Scope::Org => walk.failed(*refusal, Verdict::AsUsual, None),
        Err(refusal) => walk.judge(*refusal, number, first_seen).await,
    };
    Outcome { id, message, facts: walk.facts, reached: walk.reached, ended }
}

/// The message that a sync error of a conversation's present state is named after.
pub(super) fn newest(conversation: &Conversation) -> MessageId {
    let newest = conversation.newest().map(|message| message.id.clone());
    newest.unwrap_or_else(|| MessageId::scoped(&conversation.source, "", conversation.id.as_str()))
}

impl Walk {
    /// `true`: it is in Salesforce; `false`: the policy, or the organization's mode, says that it is not to be.
    async fn deliver(&mut self) -> Result<bool, Box<Refusal>> {
        let org = Arc::clone(&self.org);
        // What is written already goes on being written: left alone, it would stay in the queue of a team that lost it.
        let written = self.records.conversation.is_some();
        let way = org.mode.way(&self.conversation);
        let routed = match way {
            Way::Route => self.route().await?,
            Way::Wait(reason) if !written => self.not_yet(reason),
            Way::Track | Way::Wait(_) => Some((None, None)),
        };
        let Some((queue, owner)) = routed else { return Ok(false) };
        self.link().await?;
        if way == Way::Track && !written && self.records.contact.is_none() {
            return Ok(self.not_yet::<()>("the customer is not matched to a contact yet").is_some());
        }
        let given = queue.clone().or(owner.clone());
        if org.writes_cases {
            let write = CaseWrite {
                first: self.records.case.is_none(),
                owner: given.clone().filter(|given| self.records.owner.as_ref() != Some(given)),
                contact: self.records.contact.clone(),
            };
            let case = org.salesforce.upsert_case(&self.conversation, &write).await.map_err(|no| self.refused(no))?;
            self.records.case = case.map(|case| case.record);
        }
        let write =
            ConversationWrite { queue, owner, contact: self.records.contact.clone(), case: self.records.case.clone() };
        let written =
            org.salesforce.upsert_conversation(&self.conversation, &write).await.map_err(|no| self.refused(no))?;
        self.records.owner = given;
        self.records.conversation = Some(written.record.clone());
        let version = self.conversation.version;
        self.facts.push(Fact::Delivered { record: written.record, created: written.created, version });
        Ok(true)
    }

    /// The organization's mode does not write it yet; whatever comes next is asked about again.
    fn not_yet<T>(&mut self, reason: &str) -> Option<T> {
        self.facts.push(Fact::NotEligible { reason: reason.to_owned() });
        None
    }

    /// The queue, or the user, that the conversation is for; `None` when it is not to be written.
    async fn route(&mut self) -> Result<Option<(Option<RecordId>, Option<RecordId>)>, Box<Refusal>> {
        let now = self.shared.clock.now();
        let decision = self.shared.policies.route(&self.org.policy, &self.conversation, now).await;
        let (policy, cost) = (decision.policy.clone(), decision.cost);
        let (logs, rule) = (decision.logs.clone(), decision.rule.clone());
        let destination = self.answer(decision)?;
        self.facts.push(Fact::Routed { policy: policy.clone(), destination: destination.clone(), cost, logs, rule });
        match destination {
            Destination::NotEligible(reason) => Ok(self.not_yet(&reason)),
            Destination::TrackOnly => Ok(Some((None, None))),
            Destination::Owner(user) => Ok(Some((None, Some(user)))),
            Destination::Queue(name) => {
                self.reached = true;
                let salesforce = &self.org.salesforce;
                let mut found = salesforce.resolve_queue(&name, now, QUEUES_MAX_AGE).await;
                if found.as_ref().is_err_and(|no| no.class == Class::Config) {
                    found = salesforce.resolve_queue(&name, now, QUEUES_MAX_AGE_IF_MISSING).await;
                }
                let queue = found.map_err(|mut no| {
                    // The queue was the policy's choice: who reads the sync error has to know where to look.
                    if no.class == Class::Config {
                        no.text = format!("{} (policy {policy} routed it there)", no.text);
                    }
                    no
                })?;
                Ok(Some((Some(queue), None)))
            }
        }
    }

    /// Links the contact, unless one is linked already.
    async fn link(&mut self) -> Result<(), Box<Refusal>> {
        let known = self.records.contact.clone().or(self.conversation.customer.contact.clone());
        if known.is_some() {
            self.records.contact = known;
            return Ok(());
        }
        let (policies, name) = (self.shared.policies.clone(), self.org.policy.clone());
        let now = self.shared.clock.now();
        let searches = self.answer(policies.search(&name, &self.conversation, now).await)?;
        let salesforce = Arc::clone(&self.org.salesforce);
        let _alone = salesforce.alone_with(&searches).await;
        let mut found = Vec::new();
        if !searches.is_empty() {
            self.reached = true;
            found = salesforce.find_contacts(&searches).await?;
        }
        let decision = policies.choose(&name, &self.conversation, &found, now).await;
        let (policy, count) = (decision.policy.clone(), found.len());
        let choice = Box::new(Choice { policy: policy.clone(), found });
        let link = match self.answer(decision) {
            Ok(link) => link,
            Err(refusal) => return Err(Box::new(Refusal { choice: Some(choice), ..*refusal })),
        };
        self.facts.push(Fact::Linked { policy, link: link.clone(), found: count });
        match link {
            Link::None => {}
            Link::Contact(id) => self.records.contact = Some(id),
            Link::Create(fields) => {
                self.reached = true;
                self.records.contact = Some(salesforce.create_contact(&fields).await?);
            }
            Link::Ambiguous(candidates) => {
                let ids: Vec<_> = candidates.iter().map(ToString::to_string).collect();
                let text = format!("{} contacts could be this customer: {}", ids.len(), ids.join(", "));
                let refusal = Refusal::new(Class::Contact, "CONTACT_AMBIGUOUS", text);
                return Err(Box::new(Refusal { records: ids, choice: Some(choice), ..refusal }));
            }
        }
        Ok(())
    }

    /// Salesforce said no to a write. A contact that is gone is forgotten, so that the next attempt searches again.
    fn refused(&mut self, refusal: Refusal) -> Box<Refusal> {
        self.reached = true;
        if matches!(refusal.code.as_str(), "ENTITY_IS_DELETED" | "INVALID_CROSS_REFERENCE_KEY") {
            self.records.contact = None;
        }
        Box::new(refusal)
    }

    /// Asks the policy what to do about a failure; one that cannot say leaves it to the class.
    async fn judge(&mut self, mut refusal: Refusal, attempt: u32, first_seen: Timestamp) -> Ended {
        let failing = Failing { refusal: &refusal, attempt, first_seen, conversation: &self.conversation };
        let now = self.shared.clock.now();
        let decision = self.shared.policies.judge(&self.org.policy, failing, now).await;
        self.count(&decision);
        let policy = decision.policy;
        let verdict = decision.answer.unwrap_or_else(|fault| {
            let question = Question::Judge;
            self.facts.push(Fact::PolicyFailed { policy: policy.clone(), question, fault: fault.to_string() });
            refusal.blame.get_or_insert(Blame { policy: policy.clone(), question, fault });
            Verdict::AsUsual
        });
        self.failed(refusal, verdict, Some(policy))
    }

    fn failed(&self, refusal: Refusal, verdict: Verdict, judged_by: Option<PolicyRef>) -> Ended {
        let group = Cause::new(&self.org.id, &refusal).of_conversation(&self.conversation).identify().id;
        Ended::Failed { refusal: Box::new(refusal), group, records: self.records.clone(), verdict, judged_by }
    }

    fn answer<T>(&self, decision: Decision<T>) -> Result<T, Box<Refusal>> {
        self.count(&decision);
        let Decision { policy, question, answer, .. } = decision;
        answer.map_err(|fault| Box::new(Refusal::blaming(policy, question, fault)))
    }

    fn count<T>(&self, decision: &Decision<T>) {
        let question = match decision.question {
            Question::Route => "route",
            Question::Search => "search",
            Question::Choose => "choose",
            Question::Judge => "judge",
        };
        let outcome = match &decision.answer {
            Ok(_) => "answered",
            Err(Fault::Trapped { .. }) => "trapped",
            Err(Fault::TooSlow { .. }) => "too-slow",
            Err(Fault::TooLarge { .. }) => "too-large",
            Err(Fault::Refused { .. }) => "refused",
            Err(Fault::Senseless { .. }) => "senseless",
        };
        let labels = Decided { policy: decision.policy.name.to_string(), question, outcome };
        self.shared.metrics.decisions.get_or_create(&labels).inc();
    }
}
