//! Mails on their way out: each is sent, counted and traced, and what became of it is on record.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::templates;
use crate::clock::Clock;
use crate::domain::{MailOutcome, OrgId, SentMail, Timestamp};
use crate::ledger::{Ledger, MailPlace, action_order};
use crate::mail::{Error, Head, Mail, Mailer};
use crate::telemetry::{Kind, Mailed, Metrics, Traces};

/// The mail server's words that are kept, in bytes.
const WORDS: usize = 500;
/// Test mails that are on their way at once, and how long all of one call may take.
const SIDE_BY_SIDE: usize = 8;
const LONGEST: Duration = Duration::from_secs(60);
/// So often test mails are sent about one organization, within so long.
const TESTS: usize = 5;
const WITHIN: Duration = Duration::from_secs(600);

/// Sends mails.
#[derive(Clone)]
pub struct Outbox {
    mailer: Arc<Mailer>,
    ledger: Ledger,
    clock: Clock,
    metrics: Metrics,
    traces: Traces,
    /// When test mails were asked for lately.
    tests: Arc<Mutex<BTreeMap<OrgId, Vec<Timestamp>>>>,
}

/// A mail that was not taken and is tried again: its place in the log, and how often it was tried.
pub(super) struct Tried {
    place: MailPlace,
    attempts: u32,
}

/// Too many test mails were asked for; in so many seconds there may be another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany(pub u16);

impl Outbox {
    /// Sends by this server, and keeps its log there.
    #[must_use]
    pub fn new(mailer: Mailer, ledger: Ledger, clock: Clock, metrics: Metrics, traces: Traces) -> Self {
        Self { mailer: Arc::new(mailer), ledger, clock, metrics, traces, tests: Arc::default() }
    }

    /// Sends a mail about an organization that is tried until it went.
    pub(super) async fn send(
        &self,
        org: &OrgId,
        to: &str,
        head: &Head,
        mail: &Mail,
        tried: &mut Option<Tried>,
    ) -> Result<(), Error> {
        let sent = self.hand_over(org, to, head, mail).await;
        let Tried { place, attempts } =
            tried.take().unwrap_or_else(|| Tried { place: MailPlace::new(head.at), attempts: 0 });
        let attempts = attempts.saturating_add(1);
        let (outcome, words) = told(&sent, MailOutcome::Delayed);
        self.keep(org, to, mail, (place, attempts), outcome, words).await;
        if outcome == MailOutcome::Delayed {
            *tried = Some(Tried { place, attempts });
        }
        sent
    }

    /// Sends each recipient a mail that says that it is a test, once; answers what became of each within a minute.
    pub async fn test(&self, org: &OrgId, name: &str, to: &[String], by: &str, link: String) -> Vec<SentMail> {
        let now = self.clock.now();
        let mail = templates::test(name, org, by, link);
        let head = Head { id: format!("{org} test {} {}", now.as_millis(), action_order()), replies_to: None, at: now };
        let (said, named) = (&mail, &head);
        let each: Vec<_> =
            to.iter().map(|to| async move { (to, self.hand_over(org, to, named, said).await) }).collect();
        let mut each = stream::iter(each).buffer_unordered(SIDE_BY_SIDE);
        let mut answers = BTreeMap::new();
        let all = async {
            while let Some((to, sent)) = each.next().await {
                answers.insert(to, told(&sent, MailOutcome::Failed));
            }
        };
        // Who did not answer by then is told from the others below.
        let _ = tokio::time::timeout(LONGEST, all).await;
        drop(each);
        let mut tested = Vec::new();
        for to in to {
            let silent = || (MailOutcome::Failed, Some(format!("no answer within {} s", LONGEST.as_secs())));
            let (outcome, words) = answers.remove(to).unwrap_or_else(silent);
            tested.push(self.keep(org, to, &mail, (MailPlace::new(now), 1), outcome, words).await);
        }
        tested
    }

    /// Counts test mails to be sent about an organization.
    ///
    /// # Errors
    /// When as many were asked for lately as may be.
    pub fn admit_test(&self, org: &OrgId) -> Result<(), TooMany> {
        let now = self.clock.now();
        let mut tests = self.tests.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = tests.entry(org.clone()).or_default();
        // One that lies ahead is of a clock that went back.
        lately.retain(|at| *at <= now && now.since(*at) < WITHIN);
        if let Some(first) = lately.first().filter(|_| lately.len() >= TESTS) {
            let wait = WITHIN.saturating_sub(now.since(*first)).as_secs() + 1;
            return Err(TooMany(u16::try_from(wait).unwrap_or(u16::MAX)));
        }
        lately.push(now);
        Ok(())
    }

    async fn hand_over(&self, org: &OrgId, to: &str, head: &Head, mail: &Mail) -> Result<(), Error> {
        let mut span = self.traces.span("mail", Kind::Client);
        span.set("switchyard.organization", org);
        let sent = self.mailer.send(to, head, mail).await;
        if sent.is_err() {
            // Its words may repeat the address.
            span.fail("not taken");
        }
        let outcome = if sent.is_ok() { "sent" } else { "failed" };
        self.metrics.mails.get_or_create(&Mailed { outcome }).inc();
        sent
    }

    async fn keep(
        &self,
        org: &OrgId,
        to: &str,
        mail: &Mail,
        (place, attempts): (MailPlace, u32),
        outcome: MailOutcome,
        words: Option<String>,
    ) -> SentMail {
        let (to, subject, last_at) = (to.to_owned(), mail.subject.clone(), self.clock.now());
        let kept = SentMail { org: org.clone(), at: place.at(), last_at, to, subject, outcome, attempts, words };
        if let Err(error) = self.ledger.keep_mail(place, &kept).await {
            tracing::error!(%org, %error, "what became of a mail is not on record");
        }
        kept
    }
}

/// What became of a mail, and the server's words where it did not take it.
fn told(sent: &Result<(), Error>, not_taken: MailOutcome) -> (MailOutcome, Option<String>) {
    let Err(error) = sent else { return (MailOutcome::Sent, None) };
    let outcome = if matches!(error, Error::NotTaken(_)) { not_taken } else { MailOutcome::Refused };
    let words = error.to_string();
    (outcome, Some(words[..words.floor_char_boundary(WORDS)].to_owned()))
}
