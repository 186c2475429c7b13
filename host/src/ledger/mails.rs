//! The log of mails: of each organization the newest so many, with what became of each.

use std::cmp::Reverse;

use super::{Ledger, action_order, key, record};
use crate::domain::{OrgId, SentMail, Timestamp};
use crate::store::{Batch, Error, Range};

/// Mails that are kept of an organization.
const KEPT: usize = 1_000;

/// A place in the log, by which a mail that is tried again is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailPlace {
    at: Timestamp,
    order: u64,
}

impl MailPlace {
    /// A new one.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { at, order: action_order() }
    }

    /// When the mail was tried first.
    #[must_use]
    pub const fn at(self) -> Timestamp {
        self.at
    }
}

/// A part of the log.
#[derive(Debug, Clone, Default)]
pub struct MailPage {
    /// The newest first, each with its id.
    pub mails: Vec<(String, SentMail)>,
    /// Asks for the next part; `None` at the end.
    pub next: Option<String>,
}

impl Ledger {
    /// Keeps what became of a mail, in place of what was known of it, and forgets the oldest of its organization's beyond 1,000.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn keep_mail(&self, place: MailPlace, mail: &SentMail) -> Result<(), Error> {
        let (mut batch, prefix) = (Batch::default(), key::mails(&mail.org));
        batch.put(key::mail(&mail.org, place.at, place.order), record::encode(mail));
        let newest = self.store.range(Range::of(prefix.clone(), KEPT).backward().keys_only()).await?;
        if let Some((oldest_kept, _)) = newest.get(KEPT - 1) {
            let beyond = Range::of(prefix, KEPT).backward().after(Some(oldest_kept.clone())).keys_only();
            self.store.range(beyond).await?.into_iter().for_each(|(name, _)| batch.delete(name));
        }
        self.store.commit(batch).await
    }

    /// Mails about these organizations; `cursor` is the `next` of the page before.
    ///
    /// # Errors
    /// When the store cannot be read. A record that cannot be understood is left out.
    pub async fn mails(&self, orgs: &[OrgId], cursor: Option<&str>, limit: usize) -> Result<MailPage, Error> {
        let mut names = Vec::new();
        for org in orgs {
            let prefix = key::mails(org);
            let after = cursor.map(|cursor| format!("{prefix}{}", cursor.replace('-', "/")).into_bytes());
            let range = Range::of(prefix.clone(), limit + 1).backward().after(after).keys_only();
            let found = self.store.range(range).await?;
            names.extend(found.into_iter().map(|(name, _)| (id_of(&name, prefix.len()), name)));
        }
        names.sort_by(|a, b| Reverse(a).cmp(&Reverse(b)));
        let more = names.len() > limit;
        names.truncate(limit);
        let next = names.last().filter(|_| more).map(|(id, _)| id.clone());
        let values = self.store.get_many(names.iter().map(|(_, name)| name.clone()).collect()).await?;
        let read = |((id, name), value): ((String, Vec<u8>), Option<Vec<u8>>)| {
            let mail = record::decode(&name, &value?);
            Some((id, mail.map_err(|error| tracing::error!(%error, "a mail is left out of a list")).ok()?))
        };
        Ok(MailPage { mails: names.into_iter().zip(values).filter_map(read).collect(), next })
    }
}

/// The id that its key gives a mail; no two have one, whatever organization they are about.
fn id_of(name: &[u8], prefix: usize) -> String {
    String::from_utf8_lossy(&name[prefix.min(name.len())..]).replace('/', "-")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::MailOutcome;
    use crate::store::MemoryStore;

    fn mail(org: &OrgId, at: u64, outcome: MailOutcome) -> SentMail {
        let at = Timestamp::from_millis(at);
        let (to, subject) = ("ann@example.com".to_owned(), format!("mail of {}", at.as_millis()));
        SentMail { org: org.clone(), at, last_at: at, to, subject, outcome, attempts: 1, words: None }
    }

    #[tokio::test]
    async fn pages_merge_organizations_newest_first_without_gap_or_repeat() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let orgs = ["a", "b", "c"].map(|org| OrgId::new(org).unwrap());
        for at in 0..30 {
            let org = &orgs[at as usize % 3];
            ledger
                .keep_mail(MailPlace::new(Timestamp::from_millis(at)), &mail(org, at, MailOutcome::Sent))
                .await
                .unwrap();
        }
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = ledger.mails(&orgs[..2], cursor.as_deref(), 7).await.unwrap();
            seen.extend(page.mails.into_iter().map(|(_, mail)| mail.at.as_millis()));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<_> = (0..30).rev().filter(|at| at % 3 != 2).collect();
        assert_eq!(seen, expected);
    }

    #[tokio::test]
    async fn a_mail_that_is_tried_again_is_one_entry_and_the_oldest_beyond_a_thousand_go() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let org = OrgId::new("a").unwrap();
        for at in 0..KEPT as u64 + 20 {
            let place = MailPlace::new(Timestamp::from_millis(at));
            ledger.keep_mail(place, &mail(&org, at, MailOutcome::Delayed)).await.unwrap();
            ledger.keep_mail(place, &mail(&org, at, MailOutcome::Sent)).await.unwrap();
        }
        let orgs = [org];
        let page = ledger.mails(&orgs, None, 5_000).await.unwrap();
        assert_eq!((page.mails.len(), page.mails.last().unwrap().1.at.as_millis()), (KEPT, 20));
        assert!(page.mails.iter().all(|(_, mail)| mail.outcome == MailOutcome::Sent));
    }
}
