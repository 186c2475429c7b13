//! What one recipient knows of an organization.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::known::{Known, KnownIncident, Open, Stillness, ToldIncident};
use super::notice::{News, Notice};
use super::situation::{PendingCause, Situation, SourceHealth};
use crate::domain::{Class, Fingerprint, SourceId, Timestamp};

/// A cause of which nothing was pending for so long is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(14 * 24 * 3600);
/// So many causes are remembered; more than a person can read.
const REMEMBERED: usize = 1000;
/// What lies so far ahead was written by a clock that was wrong.
const AHEAD: Duration = Duration::from_secs(60);

/// What a recipient knows. Stored after a mail went, so that a restart repeats nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertState {
    /// The causes that mails named.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) causes: BTreeMap<Fingerprint, Known>,
    /// That something needs a person, from the first mail that said so until the all-clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) open: Option<Open>,
    /// The incident that is open, or over for less than a moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) incident: Option<KnownIncident>,
    /// When incidents of a class were last told, and how often without a quiet time between.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) told: BTreeMap<Class, ToldIncident>,
    /// The newest rollback that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rolled_back: Option<Timestamp>,
    /// The newest brake that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) braked: Option<Timestamp>,
    /// The standstill that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) standstill: Option<Stillness>,
    /// The sources that were told to be silent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) silent: BTreeMap<SourceId, Stillness>,
    /// The newest notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) newest: Option<Timestamp>,
    /// When causes were first seen that are still to be told. (This and what follows begins anew after a restart.)
    #[serde(skip)]
    pub(super) sighted: BTreeMap<Fingerprint, Timestamp>,
    /// Since when nothing needs a person.
    #[serde(skip)]
    pub(super) clear_since: Option<Timestamp>,
    /// Since when something could be sent.
    #[serde(skip)]
    pub(super) movable_since: Option<Timestamp>,
    /// Since when what was told to stand still moves again,
    #[serde(skip)]
    pub(super) moving_since: Option<Timestamp>,
    /// and since when sources that were told to be silent answer.
    #[serde(skip)]
    pub(super) answering: BTreeMap<SourceId, Timestamp>,
}

impl AlertState {
    /// The same after a look at how the organization stands; nothing is told by looking.
    pub(super) fn looked(mut self, now: &Situation, causes: &[PendingCause], quiet: Duration, at: Timestamp) -> Self {
        self.correct(at);
        for cause in causes {
            if let Some(known) = self.causes.get_mut(&cause.id) {
                known.seen_at = at;
            }
        }
        let sighted = |cause: &PendingCause| (cause.id.clone(), self.sighted.get(&cause.id).copied().unwrap_or(at));
        self.sighted = causes.iter().map(sighted).collect();
        self.causes.retain(|_, known| at.since(known.at.max(known.seen_at)) < FORGOTTEN_AFTER);
        self.told.retain(|_, told| at.since(told.at) < quiet);
        self.look_at_incident(now, at);
        let clear = now.counts.pending == 0 && now.retrying_by_hand == 0 && now.incident.is_none();
        since(&mut self.clear_since, clear, at);
        since(&mut self.movable_since, now.could_move && now.oldest_unsynced.is_some(), at);
        self.look_at_stillness(now, quiet, at);
        self
    }

    /// What was told to stand still is over where something moved since, or nothing waits any more. A restart proves nothing.
    fn look_at_stillness(&mut self, now: &Situation, quiet: Duration, at: Timestamp) {
        let moves = self.standstill.is_some_and(|told| {
            let moved = now.moved_at.is_some_and(|moved| moved > told.since) || now.oldest_unsynced.is_none();
            !told.over && now.could_move && moved
        });
        since(&mut self.moving_since, moves, at);
        let known = |source: &SourceId| now.sources.iter().find(|known| known.source == *source);
        self.silent.retain(|source, told| known(source).is_some() && !(told.over && at.since(told.at) >= quiet));
        let answers = |source: &SourceHealth| {
            let told = self.silent.get(&source.source).filter(|told| !told.over)?;
            let answered = source.answered_at.filter(|answered| *answered > told.since)?;
            let since = self.answering.get(&source.source).copied().unwrap_or(answered.max(told.since));
            source.in_vain_since.is_none().then(|| (source.source.clone(), since.min(at)))
        };
        self.answering = now.sources.iter().filter_map(answers).collect();
    }

    fn look_at_incident(&mut self, now: &Situation, at: Timestamp) {
        match (&mut self.incident, &now.incident) {
            (Some(known), Some(incident)) => {
                known.over_since = None;
                known.waited = known.waited.max(incident.waiting);
                if known.class != incident.refusal.class {
                    (known.class, known.class_since) = (incident.refusal.class, at);
                }
            }
            (None, Some(incident)) => {
                let since = incident.since.min(at);
                self.incident = Some(KnownIncident {
                    since,
                    class: incident.refusal.class,
                    class_since: since,
                    told: Vec::new(),
                    first: None,
                    newest: None,
                    waited: incident.waiting,
                    over_since: None,
                });
            }
            (Some(known), None) if known.told.is_empty() => self.incident = None,
            (Some(known), None) => {
                known.over_since.get_or_insert(at);
            }
            (None, None) => {}
        }
    }

    /// The same once the recipient has a notice that was planned in this situation.
    #[must_use]
    pub fn told(mut self, notice: &Notice, now: &Situation) -> Self {
        let id = notice.id;
        self.newest = Some(id);
        match &notice.news {
            News::Causes { new, known } => self.named(id, new.iter().chain(known), now),
            News::Reminder { causes, .. } => {
                // Also where it is over for less than a moment: one reminder a day is for all.
                if let Some(newest) = self.incident.as_mut().and_then(|known| known.newest.as_mut()) {
                    *newest = id;
                }
                if self.open.is_some() {
                    self.named(id, causes.iter(), now);
                }
            }
            News::IncidentBegan(incident) => {
                let class = incident.refusal.class;
                let told = self.told.entry(class).or_insert(ToldIncident { at: id, times: 0 });
                *told = ToldIncident { at: id, times: told.times.saturating_add(1) };
                if let Some(known) = &mut self.incident {
                    known.told.push(class);
                    known.first.get_or_insert(id);
                    known.newest = Some(id);
                }
            }
            News::IncidentEnded(_) => self.incident = None,
            News::RolledBack(rollback) => self.rolled_back = Some(rollback.at),
            News::Braked(causes) => self.braked = causes.iter().map(|cause| cause.at).max().max(self.braked),
            News::Standstill { since, .. } => self.standstill = Some(Stillness { since: *since, at: id, over: false }),
            News::MovesAgain { .. } => self.standstill.iter_mut().for_each(|told| told.over = true),
            News::SourceSilent(source) => {
                let since = source.in_vain_since.unwrap_or(id);
                self.silent.insert(source.source.clone(), Stillness { since, at: id, over: false });
            }
            News::SourceAnswers { source, .. } => {
                self.silent.get_mut(source).into_iter().for_each(|told| told.over = true);
            }
            News::AllClear { .. } => {
                self.open = None;
                self.causes.values_mut().for_each(|known| known.over = true);
            }
        }
        self
    }

    fn named<'a>(&mut self, id: Timestamp, named: impl Iterator<Item = &'a PendingCause>, now: &Situation) {
        for cause in named {
            self.causes.insert(cause.id.clone(), Known { at: id, seen_at: id, over: false });
        }
        let (resolved, ignored) = (now.counts.resolved, now.counts.ignored);
        self.open.get_or_insert(Open { first: id, newest: id, resolved, ignored }).newest = id;
        while self.causes.len() > REMEMBERED {
            let oldest =
                self.causes.iter().min_by_key(|(_, known)| (known.seen_at, known.at)).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { return };
            self.causes.remove(&oldest);
        }
    }

    /// Times that lie ahead would keep everybody quiet until they come.
    fn correct(&mut self, at: Timestamp) {
        let correct = |time: &mut Timestamp| {
            if time.since(at) > AHEAD {
                *time = at;
            }
        };
        for known in self.causes.values_mut() {
            correct(&mut known.at);
            correct(&mut known.seen_at);
        }
        let open = self.open.iter_mut().flat_map(|open| [&mut open.first, &mut open.newest]);
        let told = self.told.values_mut().map(|told| &mut told.at);
        let still = self.standstill.iter_mut().chain(self.silent.values_mut()).map(|told| &mut told.at);
        let answering = self.answering.values_mut();
        open.chain(told)
            .chain(&mut self.braked)
            .chain(still)
            .chain(answering)
            .chain(self.sighted.values_mut())
            .for_each(correct);
        let incident = self.incident.iter_mut();
        let incident = incident.flat_map(|known| {
            let sometimes = [known.newest.as_mut(), known.over_since.as_mut()];
            [&mut known.since, &mut known.class_since].into_iter().chain(sometimes.into_iter().flatten())
        });
        incident
            .chain(&mut self.clear_since)
            .chain(&mut self.movable_since)
            .chain(&mut self.moving_since)
            .for_each(correct);
    }
}

/// Since when something holds.
fn since(known: &mut Option<Timestamp>, holds: bool, at: Timestamp) {
    if holds {
        known.get_or_insert(at);
    } else {
        *known = None;
    }
}
