//! What requests with an idempotency key have come to: that they were carried out, in the commit of their effect, and what they
//! were answered with, apart from it, because an answer may have a customer's words.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Ledger, key, record};
use crate::domain::{IdempotencyKey, Timestamp};
use crate::store::{Batch, Error, Range};

/// So long the same request is answered as it was.
const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Keys that are read at a time.
const CHUNK: usize = 500;

/// A request that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    request: String,
    at: Timestamp,
}

/// What a request was answered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// The content type, where it has a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The version of what it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The body.
    pub body: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeated {
    /// It came with another request.
    Otherwise,
    /// The request was carried out, and its answer was lost or forgotten.
    Unanswered,
    /// The request was carried out, and answered with this.
    Answered(KeptAnswer),
}

/// Says in the commit of an effect what had it.
pub(super) fn put(batch: &mut Batch, key: &IdempotencyKey, at: Timestamp) {
    let done = Done { request: key.request.clone(), at };
    batch.put(key::idempotency(&key.id), record::encode(&done));
    batch.put(key::idempotency_age(at, &key.id), "");
}

impl Ledger {
    /// What is known of a key at this time.
    ///
    /// # Errors
    /// When the store cannot be read, or a record cannot be understood.
    pub async fn repeated(&self, key: &IdempotencyKey, now: Timestamp) -> Result<Option<Repeated>, Error> {
        let names = vec![key::idempotency(&key.id).into_bytes(), key::idempotency_answer(&key.id).into_bytes()];
        let values = self.store.get_many(names.clone()).await?;
        let [Some(done), answer] = &values[..] else { return Ok(None) };
        let done: Done = record::decode(&names[0], done)?;
        if now.since(done.at) >= ANSWERS_KEPT {
            return Ok(None);
        }
        if done.request != key.request {
            return Ok(Some(Repeated::Otherwise));
        }
        let answer = answer.as_ref().map(|answer| record::decode(&names[1], answer)).transpose()?;
        Ok(Some(answer.map_or(Repeated::Unanswered, Repeated::Answered)))
    }

    /// Keeps what a request was answered with. When it answers `Ok`, that survives a power cut.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn keep_answer(&self, key: &IdempotencyKey, answer: &KeptAnswer, at: Timestamp) -> Result<(), Error> {
        let mut batch = Batch::default();
        put(&mut batch, key, at);
        batch.put(key::idempotency_answer(&key.id), record::encode(answer));
        self.store.commit(batch).await
    }

    /// Forgets what is older than 24 hours; answers how many keys those were.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn forget_answers(&self, now: Timestamp) -> Result<usize, Error> {
        let mut forgotten = 0;
        loop {
            let oldest = self.store.range(Range::of(key::IDEMPOTENCY_AGES, CHUNK).keys_only()).await?;
            let mut batch = Batch::default();
            for (name, _) in &oldest {
                let Ok((at, id)) = key::idempotency_of_age(name) else {
                    batch.delete(name.clone());
                    continue;
                };
                if now.since(at) < ANSWERS_KEPT {
                    break;
                }
                // The same key may have been sent again since.
                let known = self.store.get_many(vec![key::idempotency(&id).into_bytes()]).await?;
                let known = known.first().and_then(Option::as_ref);
                let newer =
                    known.and_then(|done| record::decode::<Done>(name, done).ok()).is_some_and(|done| done.at > at);
                if !newer {
                    batch.delete(key::idempotency(&id));
                    batch.delete(key::idempotency_answer(&id));
                }
                batch.delete(name.clone());
            }
            let (size, whole) = (batch.len(), oldest.len() < CHUNK);
            if size > 0 {
                self.store.commit(batch).await?;
            }
            forgotten += size;
            if whole || size == 0 {
                return Ok(forgotten);
            }
        }
    }

    /// Answers with any of these ids in them: they have words that are to be forgotten.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn answers_about(&self, ids: &[&str]) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        self.each(key::IDEMPOTENCY_ANSWERS, false, |(name, value)| {
            let text = String::from_utf8_lossy(&value);
            if ids.iter().any(|id| text.contains(id)) {
                found.push(String::from_utf8_lossy(&name[key::IDEMPOTENCY_ANSWERS.len()..]).into_owned());
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Action, Asker, Deed, Via};
    use crate::store::MemoryStore;

    const HOUR: u64 = 3_600_000;

    fn at(hour: u64) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + hour * HOUR)
    }

    fn key(body: &str) -> IdempotencyKey {
        IdempotencyKey::new("ann", "k", [b"POST", b"/a", body.as_bytes()])
    }

    fn answer(body: &str) -> KeptAnswer {
        KeptAnswer { status: 202, content_type: None, etag: None, body: body.to_owned() }
    }

    #[tokio::test]
    async fn what_was_carried_out_is_known_with_its_action_and_its_answer_comes_later() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        assert_eq!(ledger.repeated(&key("b"), at(0)).await.unwrap(), None);
        let asker = Asker { key: Some(key("b")), ..Asker::new("ann", Via::Api, None) };
        ledger.keep_action(&Action::new(&asker, Deed::Retry, at(0))).await.unwrap();
        assert_eq!(
            ledger.repeated(&key("b"), at(1)).await.unwrap(),
            Some(Repeated::Unanswered),
            "a crash came between"
        );
        ledger.keep_answer(&key("b"), &answer("done"), at(0)).await.unwrap();
        assert_eq!(ledger.repeated(&key("b"), at(1)).await.unwrap(), Some(Repeated::Answered(answer("done"))));
        assert_eq!(ledger.repeated(&key("c"), at(1)).await.unwrap(), Some(Repeated::Otherwise));
        assert_eq!(ledger.repeated(&key("b"), at(24)).await.unwrap(), None, "a day has passed");
    }

    #[tokio::test]
    async fn a_day_later_everything_of_it_is_forgotten_but_what_came_again_since() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        ledger.keep_answer(&key("b"), &answer("old"), at(0)).await.unwrap();
        let other = IdempotencyKey::new("bob", "k", [b"POST", b"/a", b""]);
        ledger.keep_answer(&other, &answer("old"), at(0)).await.unwrap();
        ledger.keep_answer(&key("b"), &answer("new"), at(25)).await.unwrap();
        assert_eq!(ledger.forget_answers(at(23)).await.unwrap(), 0);
        assert!(ledger.forget_answers(at(25)).await.unwrap() > 0);
        assert_eq!(ledger.repeated(&key("b"), at(25)).await.unwrap(), Some(Repeated::Answered(answer("new"))));
        assert_eq!(ledger.repeated(&other, at(1)).await.unwrap(), None);
        ledger.forget_answers(at(50)).await.unwrap();
        let left = ledger.store().range(Range::of("idempotency", 10)).await.unwrap();
        assert_eq!(left, []);
    }
}
