//! Where conversations go in these tests: a world that refuses, hangs and panics as it is told.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::watch;

use crate::domain::{Arrival, Cause, Class, ConversationId, OrgId, Pick, Quota, RecordId, Records, Refusal, Verdict};
use crate::engine::attempt::{Attempt, Ended, Outcome, newest};
use crate::engine::outbound::Outbound;

/// The contacts of which a customer may be one.
pub(crate) const CONTACTS: [&str; 2] = ["003000000000001AAA", "003000000000002AAA"];

pub(crate) fn org() -> OrgId {
    OrgId::new("acme").expect("an id")
}

/// How the world behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Everything gets through.
    Good,
    /// Nothing gets through, and each call says so.
    Outage,
    /// The connection is no longer authorized.
    Dead,
    /// Every conversation is refused for a reason of its own.
    Refuses,
    /// A person has to say who the customer is.
    Ambiguous,
    /// Every attempt, and every probe, panics.
    Panics,
    /// Nothing ever ends.
    Hangs,
}

/// Where conversations go.
pub(crate) struct World {
    pub(crate) mood: Mutex<Mood>,
    /// Conversations that are refused whatever the mood.
    pub(crate) refused: Mutex<HashSet<ConversationId>>,
    /// What else conversations are refused with, unless nothing gets through. Where the contact is what is not clear, a choice helps.
    pub(crate) says: Mutex<HashMap<ConversationId, Refusal>>,
    /// The newest version of each conversation that got through.
    pub(crate) written: Mutex<HashMap<ConversationId, u64>>,
    pub(crate) attempts: AtomicUsize,
    /// Whether no attempt ends for now.
    pub(crate) holds: watch::Sender<bool>,
    pub(crate) probes: AtomicUsize,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn outage(call: usize) -> Refusal {
    Refusal { call: Some(call as u64), ..Refusal::new(Class::Transient, "TIMEOUT", "no answer").of_org() }
}

pub(crate) fn dead() -> Refusal {
    Refusal::new(Class::Auth, "invalid_grant", "expired access/refresh token").of_org()
}

impl World {
    /// Everything gets through.
    pub(crate) fn good() -> Self {
        Self {
            mood: Mutex::new(Mood::Good),
            refused: Mutex::default(),
            says: Mutex::default(),
            written: Mutex::default(),
            attempts: AtomicUsize::new(0),
            holds: watch::Sender::new(false),
            probes: AtomicUsize::new(0),
        }
    }

    fn outcome(&self, attempt: &Attempt, call: usize) -> Outcome {
        let Attempt { conversation, records, .. } = attempt;
        let (id, message) = (conversation.id.clone(), newest(conversation));
        let failed = |refusal: Refusal| {
            let group = Cause::new(&org(), &refusal).identify().id;
            let refusal = Box::new(refusal);
            Ended::Failed { refusal, group, records: records.clone(), verdict: Verdict::AsUsual, judged_by: None }
        };
        let mood = *lock(&self.mood);
        let said = lock(&self.says).get(&id).cloned();
        let said = said.filter(|refusal| refusal.class != Class::Contact || attempt.chosen.is_none());
        let ended = match mood {
            Mood::Outage => failed(outage(call)),
            Mood::Dead => failed(dead()),
            Mood::Panics => panic!("by plan"),
            Mood::Refuses => failed(Refusal::new(Class::Record, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")),
            Mood::Ambiguous if attempt.chosen.is_none() => {
                let records = CONTACTS.map(str::to_owned).to_vec();
                failed(Refusal { records, ..Refusal::new(Class::Contact, "CONTACT_AMBIGUOUS", "several") })
            }
            _ if said.is_some() => failed(said.expect("a refusal")),
            _ if lock(&self.refused).contains(&id) => failed(Refusal::new(Class::Config, "QUEUE_NOT_FOUND", "no")),
            Mood::Good | Mood::Hangs | Mood::Ambiguous => {
                lock(&self.written).insert(id.clone(), conversation.version);
                let record = Some(RecordId::new("a00000000000001AAA").expect("an id"));
                let contact = match &attempt.chosen {
                    Some(Pick::Contact(contact)) => Some(contact.clone()),
                    _ => records.contact.clone(),
                };
                Ended::Delivered(Records { conversation: record, contact, ..records.clone() })
            }
        };
        Outcome { id, message, facts: Vec::new(), reached: true, ended, trace_id: None }
    }
}

/// The world as a lane sees it.
pub(crate) struct Towards(pub(crate) Arc<World>);

impl Outbound for Towards {
    fn attempt(&self, attempt: Attempt) -> BoxFuture<'static, Option<Outcome>> {
        let world = Arc::clone(&self.0);
        let call = world.attempts.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            tokio::task::yield_now().await;
            if *lock(&world.mood) == Mood::Hangs {
                std::future::pending::<()>().await;
            }
            let _ = world.holds.subscribe().wait_for(|holds| !holds).await;
            Some(world.outcome(&attempt, call))
        })
    }

    fn probe(&self) -> BoxFuture<'static, Result<(), Refusal>> {
        let world = Arc::clone(&self.0);
        world.probes.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let mood = *lock(&world.mood);
            match mood {
                Mood::Outage => Err(outage(usize::MAX)),
                Mood::Dead => Err(dead()),
                Mood::Panics => panic!("by plan"),
                Mood::Hangs => std::future::pending().await,
                Mood::Good | Mood::Refuses | Mood::Ambiguous => Ok(()),
            }
        })
    }

    fn at_once(&self) -> usize {
        20
    }

    fn slowed(&self) -> Option<Quota> {
        None
    }

    fn calls(&self) -> u64 {
        self.0.attempts.load(Ordering::SeqCst) as u64
    }
}

/// A message of a conversation.
pub(crate) fn arrival(conversation: u64, message: u64) -> Arrival {
    let id = format!("main:{conversation}-{message}");
    serde_json::from_value(json!({
        "source": "main", "account": "12", "account_name": "", "conversation": format!("main:{conversation}"),
        "message": id, "event": message, "kind": "task-create", "at": "2026-09-21T10:00:00Z", "by": "poll",
        "channel": "chat", "url": format!("https://alcmeon.example/{id}"), "team": null, "agent": null, "closed": null,
        "tags": [], "attributes": [], "customer": { "id": "99" }, "extra": null,
        "messages": [{ "id": id, "direction": "inbound", "author": "", "body": "hello", "sent_at": "2026-09-21T10:00:00Z" }],
    }))
    .expect("an arrival")
}

pub(crate) fn conversation(number: u64) -> ConversationId {
    ConversationId::new(format!("main:{number}")).expect("an id")
}
