//! What each recipient of an organization's mails knows, and when one who was not reached is tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::outbox::{Outbox, Tried};
use super::{Parts, Watched, templates};
use crate::domain::{AlertState, Notice, Situation, Timestamp, plan_alerts};
use crate::mail::{Error, Head, Mail};
use crate::store;
use crate::troubles::Trouble;

/// The kind of the trouble that a mail does not reach somebody.
const RECIPIENT: &str = "mail-recipient";
/// How long after a mail that was not taken the recipient is tried again; it doubles up to the longest.
const AGAIN: Duration = Duration::from_secs(30);
const AGAIN_LONGEST: Duration = Duration::from_secs(3600);
/// Mails to one recipient in a row.
const IN_A_ROW: usize = 8;

/// The recipients of an organization's mails.
#[derive(Default)]
pub(super) struct Recipients(BTreeMap<String, Recipient>);

#[derive(Default)]
struct Recipient {
    /// What the recipient knows. On record after each mail, so that a restart repeats nothing.
    state: AlertState,
    /// Whether mails were muted since the recipient was told how the organization stands.
    missed: bool,
    /// Tries in a row that failed.
    failures: u32,
    /// Not tried before this.
    not_before: Timestamp,
    /// The mail that was not taken.
    tried: Option<Tried>,
}

impl Recipients {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// From now on it is these, each with what is on record of what they know.
    pub(super) async fn adopt(&mut self, parts: &Parts, org: &Watched, these: &[String]) -> Result<(), store::Error> {
        self.0.retain(|to, _| {
            let stays = these.contains(to);
            if !stays {
                parts.troubles.cure(RECIPIENT, Some(&org.org), to);
            }
            stays
        });
        if these.iter().all(|to| self.0.contains_key(to)) {
            return Ok(());
        }
        let known = match parts.ledger.alert_state::<BTreeMap<String, AlertState>>(&org.org).await {
            Ok(known) => known.unwrap_or_default(),
            // One mail too many is better than none.
            Err(error @ store::Error::Unreadable { .. }) => {
                tracing::error!(org = %org.org, %error, "what recipients know cannot be understood; they are told anew");
                BTreeMap::new()
            }
            Err(error) => return Err(error),
        };
        for to in these {
            let state = || known.get(to).cloned().unwrap_or_default();
            self.0.entry(to.clone()).or_insert_with(|| Recipient { state: state(), ..Recipient::default() });
        }
        Ok(())
    }

    /// Mails are muted: nobody is told anything.
    pub(super) fn miss(&mut self) {
        self.0.values_mut().for_each(|recipient| recipient.missed = true);
    }

    /// Tells each what they have to know now; answers when to look again although nothing changes.
    pub(super) async fn inform(
        &mut self,
        parts: &Parts,
        outbox: &Outbox,
        org: &Watched,
        situation: &Situation,
    ) -> Option<Timestamp> {
        let (mut again, mut told) = (None::<Timestamp>, false);
        for (to, recipient) in &mut self.0 {
            let to = To { parts, outbox, org, address: to };
            let (next, some) = match recipient.missed {
                true => recipient.catch_up(to, situation).await,
                false => recipient.inform(to, situation).await,
            };
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

/// Who is told, and by what.
#[derive(Clone, Copy)]
struct To<'a> {
    parts: &'a Parts,
    outbox: &'a Outbox,
    org: &'a Watched,
    address: &'a str,
}

impl Recipient {
    /// When to look again, and whether a mail went.
    async fn inform(&mut self, to: To<'_>, situation: &Situation) -> (Option<Timestamp>, bool) {
        let mut told = false;
        for _ in 0..IN_A_ROW {
            let now = to.parts.clock.now();
            let planned = plan_alerts(&self.state, situation, &to.parts.settings, now);
            self.state = planned.state;
            let Some(notice) = planned.notice else { return (planned.look_again_at, told) };
            if self.waits(now) || !self.tell(to, &[&notice], now).await {
                return (Some(self.not_before), told);
            }
            self.state = std::mem::take(&mut self.state).told(&notice, situation);
            told = true;
        }
        (Some(to.parts.clock.now()), told)
    }

    /// The same after a mute: all that still holds is one mail, and nothing is said of what came and went.
    async fn catch_up(&mut self, to: To<'_>, situation: &Situation) -> (Option<Timestamp>, bool) {
        let (now, mut state, mut notices) = (to.parts.clock.now(), self.state.clone(), Vec::new());
        let mut again = Some(now);
        for _ in 0..IN_A_ROW {
            let planned = plan_alerts(&state, situation, &to.parts.settings, now);
            state = planned.state;
            let Some(notice) = planned.notice else {
                again = planned.look_again_at;
                break;
            };
            state = state.told(&notice, situation);
            notices.push(notice);
        }
        let all: Vec<_> = notices.iter().collect();
        if !all.is_empty() && (self.waits(now) || !self.tell(to, &all, now).await) {
            return (Some(self.not_before), false);
        }
        (self.state, self.missed) = (state, false);
        (again, !all.is_empty())
    }

    /// Whether it is too early to try again. A time that lies further ahead than any wait is one of a clock that went back.
    fn waits(&self, now: Timestamp) -> bool {
        self.not_before > now && self.not_before <= now.after(AGAIN_LONGEST)
    }

    /// Sends one mail about all of this; answers whether the recipient has it, or never will.
    async fn tell(&mut self, to: To<'_>, notices: &[&Notice], now: Timestamp) -> bool {
        let Some(first) = notices.first() else { return true };
        let To { parts, outbox, org, address } = to;
        let mail: Mail = templates::mail(&org.name, &org.org, &parts.public_url, notices);
        let id = |at: Timestamp| format!("{} {}", org.org, at.as_millis());
        let head = Head { id: id(first.id), replies_to: first.replies_to.map(id), at: now };
        match outbox.send(&org.org, address, &head, &mail, &mut self.tried).await {
            Ok(()) => {
                parts.troubles.cure(RECIPIENT, Some(&org.org), address);
                (self.failures, self.not_before) = (0, Timestamp::default());
                true
            }
            Err(error) => {
                tracing::warn!(org = %org.org, to = address, %error, "a recipient was not reached");
                let cure = "correct or remove the address among the organization's settings, or mend the mail server that \
                            refuses it";
                let trouble = Trouble::new(RECIPIENT, address, &error.to_string(), cure, now).of(&org.org);
                parts.troubles.raise(trouble);
                let wait = AGAIN.saturating_mul(1 << self.failures.min(10)).min(AGAIN_LONGEST);
                self.failures += 1;
                self.not_before = now.after(wait);
                !matches!(error, Error::NotTaken(_))
            }
        }
    }
}
