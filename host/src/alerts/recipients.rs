//! What each recipient of an organization's mails knows, and when one who was not reached is tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Parts, Watched, templates};
use crate::domain::{AlertState, Notice, Situation, Timestamp, plan_alerts};
use crate::mail::{Error, Head};
use crate::store;
use crate::telemetry::{Kind, Mailed};
use crate::troubles::Trouble;

/// How long after a mail that was not taken the recipient is tried again; it doubles up to the longest.
/// The kind of the trouble that a mail does not reach somebody.
const RECIPIENT: &str = "mail-recipient";
const AGAIN: Duration = Duration::from_secs(30);
const AGAIN_LONGEST: Duration = Duration::from_secs(3600);
/// Mails to one recipient in a row.
const IN_A_ROW: usize = 8;

/// The recipients of an organization's mails.
pub(super) struct Recipients(BTreeMap<String, Recipient>);

#[derive(Default)]
struct Recipient {
    /// What the recipient knows. On record after each mail, so that a restart repeats nothing.
    state: AlertState,
    /// Tries in a row that failed.
    failures: u32,
    /// Not tried before this.
    not_before: Timestamp,
}

impl Recipients {
    /// Those that are configured, with what they know.
    pub(super) async fn of(parts: &Parts, org: &Watched) -> Result<Self, store::Error> {
        let known = match parts.ledger.alert_state::<BTreeMap<String, AlertState>>(&org.org).await {
            Ok(known) => known.unwrap_or_default(),
            // One mail too many is better than none.
            Err(error @ store::Error::Unreadable { .. }) => {
                tracing::error!(org = %org.org, %error, "what recipients know cannot be understood; they are told anew");
                BTreeMap::new()
            }
            Err(error) => return Err(error),
        };
        let recipient = |to: &String| {
            let state = known.get(to).cloned().unwrap_or_default();
            (to.clone(), Recipient { state, ..Recipient::default() })
        };
        Ok(Self(org.recipients.iter().map(recipient).collect()))
    }

    /// Tells each what they have to know now; answers when to look again although nothing changes.
    pub(super) async fn inform(&mut self, parts: &Parts, org: &Watched, situation: &Situation) -> Option<Timestamp> {
        let (mut again, mut told) = (None::<Timestamp>, false);
        for (to, recipient) in &mut self.0 {
            let (next, some) = recipient.inform(parts, org, to, situation).await;
            again = [again, next].into_iter().flatten().min();
            told |= some;
        }
        if told {
            let states: BTreeMap<_, _> = self.0.iter().map(|(to, recipient)| (to, &recipient.state)).collect();
            if let Err(error) = parts.ledger.keep_alert_state(&org.org, &states).await {
                tracing::error!(org = %org.org, %error, "what recipients know is not on record; a restart may repeat a mail");
            }
        }
        again
    }
}

impl Recipient {
    /// When to look again, and whether a mail went.
    async fn inform(
        &mut self,
        parts: &Parts,
        org: &Watched,
        to: &str,
        situation: &Situation,
    ) -> (Option<Timestamp>, bool) {
        let mut told = false;
        for _ in 0..IN_A_ROW {
            let now = parts.clock.now();
            let planned = plan_alerts(&self.state, situation, &parts.settings, now);
            self.state = planned.state;
            let Some(notice) = planned.notice else { return (planned.look_again_at, told) };
            // A time that lies further ahead than any wait is one of a clock that went back.
            if self.not_before > now && self.not_before <= now.after(AGAIN_LONGEST) {
                return (Some(self.not_before), told);
            }
            if !self.tell(parts, org, to, &notice, now).await {
                return (Some(self.not_before), told);
            }
            self.state = std::mem::take(&mut self.state).told(&notice, situation);
            told = true;
        }
        (Some(parts.clock.now()), told)
    }

    /// Sends a mail; answers whether the recipient has it, or never will.
    async fn tell(&mut self, parts: &Parts, org: &Watched, to: &str, notice: &Notice, now: Timestamp) -> bool {
        let Some(mailer) = &parts.mailer else { return true };
        let mail = templates::mail(&org.name, &org.org, &parts.public_url, notice);
        let id = |at: Timestamp| format!("{} {}", org.org, at.as_millis());
        let head = Head { id: id(notice.id), replies_to: notice.replies_to.map(id), at: now };
        let mut span = parts.traces.span("mail", Kind::Client);
        span.set("switchyard.organization", &org.org);
        match mailer.send(to, &head, &mail).await {
            Ok(()) => {
                parts.metrics.mails.get_or_create(&Mailed { outcome: "sent" }).inc();
                parts.troubles.cure(RECIPIENT, Some(&org.org), to);
                (self.failures, self.not_before) = (0, Timestamp::default());
                true
            }
            Err(error) => {
                // Its words may repeat the address.
                span.fail("not taken");
                tracing::warn!(org = %org.org, to, %error, "a recipient was not reached");
                parts.metrics.mails.get_or_create(&Mailed { outcome: "failed" }).inc();
                let cure =
                    "correct or remove the address in `alert_recipients`, or mend the mail server that refuses it";
                let trouble = Trouble::new(RECIPIENT, to, &error.to_string(), cure, now).of(&org.org);
                parts.troubles.raise(trouble);
                let wait = AGAIN.saturating_mul(1 << self.failures.min(10)).min(AGAIN_LONGEST);
                self.failures += 1;
                self.not_before = now.after(wait);
                !matches!(error, Error::NotTaken(_))
            }
        }
    }
}
