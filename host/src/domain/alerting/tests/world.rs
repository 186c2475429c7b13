//! An organization and one recipient who gets every mail, on a clock that is moved by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::alerting::{
    AlertSettings, AlertState, News, Notice, OngoingIncident, PendingCause, Situation, plan,
};
use crate::domain::{Class, Condition, ConversationId, Fingerprint, Refusal, Timestamp, Unsynced, WaitsFor};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) fn id(number: u8) -> Fingerprint {
    format!("gr-1{}{}", "a".repeat(19), char::from(b'b' + number)).parse().unwrap()
}

/// An organization, and one recipient who gets every mail.
pub(super) struct World {
    pub(super) at: Timestamp,
    pub(super) state: AlertState,
    pub(super) now: Situation,
    /// Pending sync errors that somebody asked to try again, by cause.
    pub(super) by_hand: BTreeMap<u8, u64>,
    /// When a cause was pending last, and until when it escalates.
    pub(super) pending_until: BTreeMap<u8, Timestamp>,
    pub(super) escalates_until: BTreeMap<u8, Timestamp>,
    pub(super) settings: AlertSettings,
    pub(super) mails: Vec<(Timestamp, Notice)>,
    pub(super) look_again_at: Option<Timestamp>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            at: Timestamp::from_millis(1_790_000_000_000),
            state: AlertState::default(),
            now: Situation::default(),
            by_hand: BTreeMap::new(),
            pending_until: BTreeMap::new(),
            escalates_until: BTreeMap::new(),
            settings: AlertSettings::default(),
            mails: Vec::new(),
            look_again_at: None,
        }
    }

    pub(super) fn look(&mut self) {
        for cause in &mut self.now.causes {
            let number = cause.id.as_str().as_bytes()[23].wrapping_sub(b'b');
            let back = self.pending_until.get(&number).is_some_and(|until| cause.pending_since.since(*until) >= DAY);
            cause.condition = match () {
                () if self.escalates_until.get(&number).is_some_and(|until| self.at < *until) => Condition::Escalating,
                () if back && self.at.since(cause.pending_since) < DAY => Condition::Regressed,
                () => Condition::Ongoing,
            };
        }
        for _ in 0..8 {
            let planned = plan(&self.state, &self.now, &self.settings, self.at);
            self.state = planned.state;
            let Some(notice) = planned.notice else {
                assert!(planned.look_again_at.is_none_or(|again| again > self.at));
                self.look_again_at = planned.look_again_at;
                return;
            };
            self.state = std::mem::take(&mut self.state).told(&notice, &self.now);
            self.mails.push((self.at, notice));
        }
        panic!("there is always another notice: {:?}", self.mails.last());
    }

    /// Lets time pass, and looks whenever it was asked to.
    pub(super) fn pass(&mut self, passed: Duration) {
        let until = self.at.after(passed);
        while let Some(again) = self.look_again_at.filter(|again| *again <= until) {
            self.at = again;
            self.look();
        }
        self.at = until;
        self.look();
    }

    pub(super) fn come(&mut self, number: u8, count: u64) {
        self.now.counts.pending += count;
        let (at, cause) = (self.at, self.now.causes.iter_mut().find(|cause| cause.id == id(number)));
        match cause {
            Some(cause) => cause.pending += count,
            None => self.now.causes.push(PendingCause {
                id: id(number),
                title: format!("cause {number}"),
                text: String::new(),
                class: Class::Record,
                code: "CODE".to_owned(),
                pending: count,
                first_seen: at,
                last_seen: at,
                pending_since: at,
                condition: Condition::New,
                sample: None,
            }),
        }
        self.look();
    }

    /// Takes a cause away; answers how many were pending.
    pub(super) fn take(&mut self, number: u8) -> u64 {
        let Some(place) = self.now.causes.iter().position(|cause| cause.id == id(number)) else { return 0 };
        let count = self.now.causes.remove(place).pending;
        self.now.counts.pending -= count;
        self.pending_until.insert(number, self.at);
        count
    }

    pub(super) fn resolve(&mut self, number: u8) {
        self.now.counts.resolved += self.take(number);
        self.look();
    }

    pub(super) fn retry_all(&mut self) {
        for number in 0..8 {
            let count = self.take(number);
            if count > 0 {
                *self.by_hand.entry(number).or_default() += count;
                self.now.retrying_by_hand += count;
            }
        }
        self.look();
    }

    pub(super) fn retries_end(&mut self, mended: bool) {
        self.now.retrying_by_hand = 0;
        for (number, count) in std::mem::take(&mut self.by_hand) {
            if mended {
                self.now.counts.resolved += count;
            } else {
                self.come(number, count);
            }
        }
        self.look();
    }

    pub(super) fn incident(&mut self, class: Class) {
        let refusal = Refusal::new(class, "CODE", "words").of_org();
        let since = self.now.incident.as_ref().map_or(self.at, |incident| incident.since);
        self.now.incident = Some(OngoingIncident { since, refusal, next_probe_at: self.at.after(MINUTE), waiting: 5 });
        self.look();
    }

    /// A conversation that waits for its turn since now.
    pub(super) fn unsynced(&self) -> Option<Unsynced> {
        let conversation = ConversationId::new("main:1").unwrap();
        Some(Unsynced { conversation, since: self.at, waits_for: WaitsFor::Place })
    }

    pub(super) fn incident_ends(&mut self) {
        self.now.incident = None;
        self.look();
    }

    pub(super) fn restart(&mut self) {
        let stored = serde_json::to_string(&self.state).unwrap();
        self.state = serde_json::from_str(&stored).unwrap();
    }

    /// One word for each mail so far.
    pub(super) fn said(&self) -> Vec<String> {
        let word = |(_, notice): &(Timestamp, Notice)| match &notice.news {
            News::Causes { new, known } => format!("causes {} {}", new.len(), known.len()),
            News::IncidentBegan(incident) => format!("began {}", incident.refusal.class),
            News::IncidentEnded(_) => "ended".to_owned(),
            News::RolledBack(_) => "rolled back".to_owned(),
            News::Braked(_) => "braked".to_owned(),
            News::Standstill { .. } => "standstill".to_owned(),
            News::MovesAgain { .. } => "moves again".to_owned(),
            News::SourceSilent(source) => format!("silent {}", source.source),
            News::SourceAnswers { source, .. } => format!("answers {source}"),
            News::Reminder { causes, incident } => format!("reminder {} {}", causes.len(), incident.is_some()),
            News::AllClear { resolved, ignored, .. } => format!("all clear {resolved} {ignored}"),
        };
        self.mails.iter().map(word).collect()
    }
}
