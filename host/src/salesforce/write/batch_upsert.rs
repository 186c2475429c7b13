//! Writes records many in a call, and hands each caller the answer about its own.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::batcher::{BatchKey, Batcher, Next, Object, PendingWrite, UpsertBatch, Upserted};
use crate::domain::{Class, RecordId, Refusal, RequestSent, Scope};
use crate::salesforce::refusals::{Written, not_salesforces, outcome_unknown, read, record, wants_fewer};
use crate::salesforce::soql::quote;
use crate::salesforce::transport::{Accepted, Call, Transport};
use crate::telemetry::{Kind, following, here};

/// How long a few records wait for more when no call is on its way.
const LINGER: Duration = Duration::from_millis(10);
/// How many calls one batch may become, where Salesforce refuses it as a whole because of some record in it.
const SPLITS: usize = 40;
/// How many external ids one query names: its address stays well below Salesforce's 16 KB.
const READ_BACK: usize = 50;
/// How many records with an unknown outcome are remembered; those beyond are sent again unread, which does no harm.
const DOUBTS: usize = 10_000;
const CASE: &str = "Case";

/// Upserts of one organization.
pub(crate) struct BatchUpserts {
    transport: Arc<Transport>,
    batcher: Mutex<Batcher>,
    /// Records whose last write brought no answer, so that they may be there or not.
    doubts: Mutex<HashSet<(Object, String)>>,
}

impl BatchUpserts {
    /// `calls_at_once` calls may be on their way at the same moment.
    pub(crate) fn new(transport: Arc<Transport>, calls_at_once: usize) -> Self {
        Self { transport, batcher: Mutex::new(Batcher::new(calls_at_once)), doubts: Mutex::default() }
    }

    /// From now on so many calls may be on their way at the same moment; those that are go on.
    pub(crate) fn set_calls_at_once(self: &Arc<Self>, calls: usize) {
        self.batcher().set_most(calls);
        self.go_on(None);
    }

    /// Writes a record together with others that come at the same time. `parents` are the records that Salesforce locks
    /// while it writes this one.
    pub(crate) async fn upsert(
        self: &Arc<Self>,
        object: Object,
        id: &str,
        fields: Map<String, Value>,
        parents: Vec<RecordId>,
    ) -> Result<Upserted, Refusal> {
        let (reply, answer) = oneshot::channel();
        let attempt = here();
        self.batcher().add(object, PendingWrite { id: id.to_owned(), fields, parents, again: false, attempt, reply });
        self.go_on(None);
        let broken_off = |_| Err(Refusal::new(Class::Transient, "BROKEN_OFF", "the call ended without an answer"));
        answer.await.unwrap_or_else(broken_off)
    }

    /// Sends what may leave now.
    fn go_on(self: &Arc<Self>, mut lingered: Option<BatchKey>) {
        loop {
            // A statement of its own: the lock is not held while anything begins.
            let next = self.batcher().next(lingered.take());
            match next {
                Next::Nothing => return,
                Next::Linger(key) => {
                    let upserts = Arc::clone(self);
                    tokio::spawn(async move {
                        tokio::time::sleep(LINGER).await;
                        upserts.go_on(Some(key));
                    });
                }
                Next::Send(batch) => {
                    let over = Over { upserts: Arc::clone(self), batch: Some(batch.over()) };
                    tokio::spawn(async move {
                        let mut span =
                            following(batch.entries.iter().map(|entry| &entry.attempt), "upsert", Kind::Internal);
                        span.count("switchyard.records", batch.entries.len());
                        span.here().around(over.upserts.send_batch(batch)).await;
                        drop(span);
                        let upserts = Arc::clone(&over.upserts);
                        drop(over);
                        upserts.go_on(None);
                    });
                }
            }
        }
    }

    async fn send_batch(self: &Arc<Self>, UpsertBatch { object, entries, .. }: UpsertBatch) {
        let entries = self.read_back(object, entries).await;
        let (mut left, mut calls) = (vec![entries], 0);
        while let Some(mut part) = left.pop() {
            if part.is_empty() {
                continue;
            }
            calls += 1;
            let call = self.call(object, &part);
            match self.transport.send_for_parts(&call).await.map(Accepted::parts) {
                Ok(answers) if answers.len() == part.len() => self.hand_out(object, part, answers),
                Ok(answers) => {
                    let words = format!("{} records were sent, and {} answers came", part.len(), answers.len());
                    self.refuse(object, part, &not_salesforces(words));
                }
                // One record that Salesforce cannot read spoils the call for all: it is looked for.
                Err(refusal) if part.len() > 1 && calls < SPLITS && of_some_record(&refusal) => {
                    let second = part.split_off(part.len() / 2);
                    left.extend([second, part]);
                }
                Err(refusal) => self.refuse(object, part, &refusal),
            }
        }
    }

    fn call(&self, object: Object, entries: &[PendingWrite]) -> Call {
        let (name, key) = self.names(object);
        let whole = |entry: &PendingWrite| {
            let mut fields = Map::from_iter([("attributes".to_owned(), json!({ "type": name }))]);
            fields.insert(key.to_owned(), json!(entry.id));
            fields.extend(entry.fields.clone());
            Value::Object(fields)
        };
        let records: Vec<_> = entries.iter().map(whole).collect();
        Call {
            method: Method::PATCH,
            path: self.transport.path(&format!("composite/sobjects/{name}/{key}")),
            body: json!({ "allOrNone": false, "records": records }),
            keep_owner: object == Object::Case,
        }
    }

    /// The object's name, and that of the field with the external id.
    fn names(&self, object: Object) -> (&str, &str) {
        let config = &self.transport.config;
        match (object, &config.cases) {
            (Object::Case, Some(cases)) => (CASE, cases.external_id.as_str()),
            // Without a field for it, no Case is ever written.
            (Object::Case, None) => (CASE, ""),
            (Object::Conversation, _) => (config.objects.conversation.as_str(), config.objects.external_id.as_str()),
        }
    }

    /// Answer by answer, in the order of the records.
    fn hand_out(self: &Arc<Self>, object: Object, entries: Vec<PendingWrite>, answers: Vec<Result<Value, Refusal>>) {
        let records = entries.len();
        for (mut entry, answer) in entries.into_iter().zip(answers) {
            let written = answer.and_then(read::<Written>);
            match &written {
                Err(refusal) if wants_fewer(refusal) => {}
                _ => self.batcher().unlocked(object, &entry.id),
            }
            if let Err(refusal) = &written {
                self.note(object, &entry, refusal, records);
            }
            let outcome =
                written.and_then(|written| Ok(Upserted { record: record(&written.id)?, created: written.created }));
            match outcome {
                // An earlier write whose answer was lost may have been on its way still: now it finds the record.
                Err(refusal) if refusal.code == "DUPLICATE_VALUE" && !entry.again => {
                    entry.again = true;
                    self.batcher().add(object, entry);
                }
                Err(refusal) => {
                    let refusal = Refusal { request: Some(self.request_sent(object, &entry)), ..refusal };
                    let _ = entry.reply.send(Err(refusal));
                }
                // The caller may be gone: the host is stopping.
                Ok(upserted) => drop(entry.reply.send(Ok(upserted))),
            }
        }
    }

    /// The call was refused as a whole: each caller is told so, with the part of it that was its own.
    fn refuse(&self, object: Object, entries: Vec<PendingWrite>, refusal: &Refusal) {
        for entry in &entries {
            self.note(object, entry, refusal, entries.len());
        }
        for entry in entries {
            let request = Some(self.request_sent(object, &entry));
            let _ = entry.reply.send(Err(Refusal { request, ..refusal.clone() }));
        }
    }

    /// Remembers of a record that was refused in a call with so many whether it may be there all the same, and whether it
    /// had better leave with fewer.
    fn note(&self, object: Object, entry: &PendingWrite, refusal: &Refusal, records: usize) {
        if wants_fewer(refusal) {
            self.batcher().locked(object, &entry.id, records);
        }
        let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
        if outcome_unknown(refusal) && doubts.len() < DOUBTS {
            doubts.insert((object, entry.id.clone()));
        }
    }

    fn request_sent(&self, object: Object, entry: &PendingWrite) -> RequestSent {
        let call = self.call(object, std::slice::from_ref(entry));
        RequestSent { method: call.method.to_string(), path: call.path, body: call.body["records"][0].clone() }
    }

    /// Looks for records whose last write brought no answer: those that are there as they should be are not sent again.
    async fn read_back(&self, object: Object, entries: Vec<PendingWrite>) -> Vec<PendingWrite> {
        let doubted = {
            let doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
            let doubted = |entry: &PendingWrite| doubts.contains(&(object, entry.id.clone()));
            if doubts.is_empty() { Vec::new() } else { entries.iter().map(doubted).collect::<Vec<_>>() }
        };
        if !doubted.contains(&true) {
            return entries;
        }
        let (mut to_send, mut to_read) = (Vec::new(), Vec::new());
        for (entry, doubted) in entries.into_iter().zip(doubted) {
            if doubted { to_read.push(entry) } else { to_send.push(entry) }
        }
        while !to_read.is_empty() {
            let rest = to_read.split_off(to_read.len().min(READ_BACK));
            let some = std::mem::replace(&mut to_read, rest);
            match self.rows(object, &some).await {
                Ok(rows) => to_send.extend(self.settled_by(object, some, &rows)),
                Err(refusal) => {
                    for entry in some {
                        let _ = entry.reply.send(Err(refusal.clone()));
                    }
                }
            }
        }
        to_send
    }

    /// The records that Salesforce has under these external ids.
    async fn rows(&self, object: Object, entries: &[PendingWrite]) -> Result<Vec<Map<String, Value>>, Refusal> {
        let (name, key) = self.names(object);
        let mut fields = vec!["Id", key];
        for field in entries.iter().flat_map(|entry| entry.fields.keys()) {
            if !fields.contains(&field.as_str()) {
                fields.push(field);
            }
        }
        let ids: Vec<_> = entries.iter().map(|entry| quote(&entry.id)).collect();
        self.transport
            .query(&format!("SELECT {} FROM {name} WHERE {key} IN ({})", fields.join(", "), ids.join(", ")))
            .await
    }

    /// Answers those that are there as they should be; gives back the others.
    fn settled_by(&self, object: Object, entries: Vec<PendingWrite>, rows: &[Map<String, Value>]) -> Vec<PendingWrite> {
        let (_, key) = self.names(object);
        let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = Vec::new();
        for entry in entries {
            doubts.remove(&(object, entry.id.clone()));
            let row = rows.iter().find(|row| row.get(key).and_then(Value::as_str) == Some(&entry.id));
            let as_wanted = row.filter(|row| entry.fields.iter().all(|(field, value)| same(value, row.get(field))));
            match as_wanted.and_then(|row| record(row.get("Id")?.as_str()?).ok()) {
                Some(record) => drop(entry.reply.send(Ok(Upserted { record, created: false }))),
                None => left.push(entry),
            }
        }
        left
    }

    fn batcher(&self) -> MutexGuard<'_, Batcher> {
        self.batcher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the parents of a call free when it is over, even if it broke off.
struct Over {
    upserts: Arc<BatchUpserts>,
    batch: Option<(BatchKey, HashSet<RecordId>)>,
}

impl Drop for Over {
    fn drop(&mut self) {
        if let Some(batch) = self.batch.take() {
            self.upserts.batcher().returned(batch);
        }
    }
}

/// Whether a refusal of a whole call may be about one record in it.
fn of_some_record(refusal: &Refusal) -> bool {
    refusal.scope == Scope::Record && matches!(refusal.class, Class::Record | Class::Request | Class::Unclassified)
}

/// Whether a field has the value that it should have.
fn same(wanted: &Value, found: Option<&Value>) -> bool {
    let found = found.unwrap_or(&Value::Null);
    let alike = || Some(RecordId::new(wanted.as_str()?).ok()?.is_same(found.as_str()?));
    wanted == found || alike() == Some(true)
}
