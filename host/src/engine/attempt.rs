//! One attempt to bring a conversation into Salesforce: ask the policy, link the contact, write, and judge a failure.

mod linking;
mod measured;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

pub(super) use self::measured::{Begun, run};
use super::intent::Intent;
use super::org::Org;
use super::shared::Shared;
use crate::domain::{
    Blame, Cause, Class, Conversation, ConversationId, Decision, Destination, Fact, Fingerprint, MessageId, Pick,
    PolicyRef, Question, RecordId, Records, Refusal, Routed, Scope, SettingsInForce, Timestamp, Verdict, Way,
};
use crate::policy::Failing;
use crate::salesforce::{CaseWrite, ConversationWrite, Upserted};

/// How old the list of an organization's queues may be, and how old when a queue is missing from it: somebody may have
/// made it just now.
const QUEUES_MAX_AGE: Duration = Duration::from_secs(300);
const QUEUES_MAX_AGE_IF_MISSING: Duration = Duration::from_secs(5);

/// What is to be attempted.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) conversation: Conversation,
    pub(super) records: Records,
    /// Which contact the customer is, where a person said so.
    pub(super) chosen: Option<Pick>,
    /// 1 for the first.
    pub(super) number: u32,
    pub(super) first_seen: Timestamp,
    /// Where it says what it is about to do, and waits until that is on record.
    pub(super) intents: mpsc::Sender<Intent>,
    /// Why, where traces are on.
    pub(super) trace: Option<Begun>,
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
    /// Its trace, where traces are on.
    pub(super) trace_id: Option<String>,
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

/// Who a conversation is given to.
struct Given {
    queue: Option<RecordId>,
    owner: Option<RecordId>,
}

impl Given {
    fn owner_of_case(&self) -> Option<RecordId> {
        self.queue.clone().or_else(|| self.owner.clone())
    }
}

/// What an attempt gathers on its way.
struct Walk {
    shared: Shared,
    org: Arc<Org>,
    /// Those by which it began.
    settings: Arc<SettingsInForce>,
    conversation: Conversation,
    records: Records,
    chosen: Option<Pick>,
    facts: Vec<Fact>,
    reached: bool,
    intents: mpsc::Sender<Intent>,
}

/// Walks the whole way.
async fn walk(shared: Shared, org: Arc<Org>, attempt: Attempt) -> Outcome {
    let Attempt { conversation, records, chosen, number, first_seen, intents, trace: _ } = attempt;
    let (id, message) = (conversation.id.clone(), newest(&conversation));
    let (settings, facts) = (org.settings.now(), Vec::new());
    let mut walk = Walk { shared, org, settings, conversation, records, chosen, facts, reached: false, intents };
    let ended = match walk.deliver().await {
        Ok(true) => Ended::Delivered(walk.records.clone()),
        Ok(false) => Ended::Excused,
        // What is wrong with the organization as a whole is no conversation's fault: no policy judges it.
        Err(refusal) if refusal.scope == Scope::Org => walk.failed(*refusal, Verdict::AsUsual, None),
        Err(refusal) if refusal.code == linking::NOT_SETTLED => {
            walk.failed(*refusal, Verdict::RetryAfter(linking::LOOK_AGAIN), None)
        }
        Err(refusal) => walk.judge(*refusal, number, first_seen).await,
    };
    Outcome { id, message, facts: walk.facts, reached: walk.reached, ended, trace_id: None }
}

/// The message that a sync error of a conversation's present state is named after.
pub(super) fn newest(conversation: &Conversation) -> MessageId {
    let newest = conversation.newest().map(|message| message.id.clone());
    newest.unwrap_or_else(|| MessageId::scoped(&conversation.source, "", conversation.id.as_str()))
}

/// The messages of a conversation that have not got through, the newest last; `delivered` is the newest one that did.
pub(super) fn affected(conversation: &Conversation, delivered: Option<&MessageId>) -> Vec<MessageId> {
    let ids: Vec<_> = conversation.messages.iter().map(|message| &message.id).collect();
    let after = delivered.and_then(|delivered| ids.iter().position(|id| *id == delivered)).map_or(0, |place| place + 1);
    match ids.get(after..) {
        Some(left) if !left.is_empty() => left.iter().map(|id| (*id).clone()).collect(),
        _ => vec![newest(conversation)],
    }
}

impl Walk {
    /// `true`: it is in Salesforce; `false`: the policy, or the organization's mode, says that it is not to be.
    async fn deliver(&mut self) -> Result<bool, Box<Refusal>> {
        // What is written already goes on being written: left alone, it would stay in the queue of a team that lost it.
        let written = self.records.conversation.is_some();
        let way = self.settings.values.mode.way(&self.conversation);
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
        let to = Given { queue, owner };
        let mut written = self.write(&to).await;
        // What a merge or a deletion made dead is searched for again, and written with what is found.
        if let Err(refusal) = &written
            && self.contact_is_gone(refusal).await
        {
            self.link().await?;
            written = self.write(&to).await;
        }
        let written = written.map_err(Box::new)?;
        self.records.owner = to.owner_of_case();
        self.records.conversation = Some(written.record.clone());
        let version = self.conversation.version;
        self.facts.push(Fact::Delivered { record: written.record, created: written.created, version });
        Ok(true)
    }

    /// Writes the Case, where the host does, and the conversation.
    async fn write(&mut self, to: &Given) -> Result<Upserted, Refusal> {
        self.reached = true;
        let org = Arc::clone(&self.org);
        if org.writes_cases {
            let write = CaseWrite {
                first: self.records.case.is_none(),
                owner: to.owner_of_case().filter(|given| self.records.owner.as_ref() != Some(given)),
                contact: self.records.contact.clone(),
            };
            let case = org.salesforce.upsert_case(&self.conversation, &write).await?;
            self.records.case = case.map(|case| case.record);
        }
        let (contact, case) = (self.records.contact.clone(), self.records.case.clone());
        let write = ConversationWrite { queue: to.queue.clone(), owner: to.owner.clone(), contact, case };
        org.salesforce.upsert_conversation(&self.conversation, &write).await
    }

    /// The organization's mode does not write it yet; whatever comes next is asked about again.
    fn not_yet<T>(&mut self, reason: &str) -> Option<T> {
        self.facts.push(Fact::NotEligible { reason: reason.to_owned() });
        None
    }

    /// The queue, or the user, that the conversation is for; `None` when it is not to be written.
    async fn route(&mut self) -> Result<Option<(Option<RecordId>, Option<RecordId>)>, Box<Refusal>> {
        let now = self.shared.clock.now();
        let asked = self.shared.policies.route(&self.settings.values.policy, &self.conversation, now);
        let decision = self.measured(Question::Route, asked).await;
        let (policy, cost) = (decision.policy.clone(), decision.cost);
        let (logs, rule) = (decision.logs.clone(), decision.rule.clone());
        let destination = self.answer(decision)?;
        self.facts.push(Fact::Routed { policy: policy.clone(), destination: destination.clone(), cost, logs, rule });
        self.records.routed = Some(Box::new(Routed { policy: policy.clone(), to: destination.name() }));
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

    /// Asks the policy what to do about a failure; one that cannot say leaves it to the class.
    async fn judge(&mut self, mut refusal: Refusal, attempt: u32, first_seen: Timestamp) -> Ended {
        let failing = Failing { refusal: &refusal, attempt, first_seen, conversation: &self.conversation };
        let now = self.shared.clock.now();
        let asked = self.shared.policies.judge(&self.settings.values.policy, failing, now);
        let decision = self.measured(Question::Judge, asked).await;
        self.note(&decision);
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

    fn answer<T>(&mut self, decision: Decision<T>) -> Result<T, Box<Refusal>> {
        // Where it goes has an entry of its own, unless the policy did not say.
        if decision.question != Question::Route || decision.answer.is_err() {
            self.note(&decision);
        }
        let Decision { policy, question, answer, .. } = decision;
        answer.map_err(|fault| Box::new(Refusal::blaming(policy, question, fault)))
    }

    /// Keeps what a policy said beside its answer.
    fn note<T>(&mut self, decision: &Decision<T>) {
        let Decision { policy, question, cost, logs, rule, .. } = decision;
        if logs.is_empty() && rule.is_none() {
            return;
        }
        let (policy, logs, rule) = (policy.clone(), logs.clone(), rule.clone());
        self.facts.push(Fact::PolicySaid { policy, question: *question, cost: *cost, logs, rule });
    }
}
