//! When a recipient is told what.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::time::Duration;

use super::notice::{IncidentEnd, News, Notice};
use super::situation::{AlertSettings, BrakedCause, PendingCause, Situation};
use super::state::AlertState;
use crate::domain::{Class, Condition, Fingerprint, Timestamp};

/// An incident, and a standstill, is over when it was for so long.
pub(super) const OVER_AFTER: Duration = Duration::from_secs(60);
/// An incident that came before within the quiet time has to last so many times longer, each time, before it is told.
const LONGER: u32 = 4;
/// How long an incident that came before lasts at least before it is told.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Two notices to one recipient are told apart by this.
const TICK: Duration = Duration::from_millis(1);

/// What is to be done for one recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What the recipient knows without the notice. Once they have it: [`AlertState::told`].
    pub state: AlertState,
    /// What they are to be told now. Further ones may follow it, so plan again afterwards.
    pub notice: Option<Notice>,
    /// When to look again although nothing has happened, where there is no notice now.
    pub look_again_at: Option<Timestamp>,
}

/// Looks at how an organization stands, for one recipient.
#[must_use]
pub fn plan(state: &AlertState, now: &Situation, settings: &AlertSettings, at: Timestamp) -> Planned {
    let causes = causes(now, at);
    let state = state.clone().looked(now, &causes, settings.quiet(), at);
    let look = Look { state: &state, now, causes: &causes, settings, at };
    let rules: [(Option<Timestamp>, Rule<'_>); 11] = [
        (look.rollback_due(), Look::rollback),
        (look.braked_due(), Look::braked),
        (look.incident_due(), Look::incident),
        (look.incident_end_due(), Look::incident_end),
        (look.causes_due(), Look::new_causes),
        (look.standstill_end_due(), Look::standstill_end),
        (look.standstill_due(), Look::standstill),
        (look.answering_due(), Look::answering_source),
        (look.silent_due(), Look::silent_source),
        (look.all_clear_due(), Look::all_clear),
        (look.reminder_due(), Look::reminder),
    ];
    let due = rules.iter().filter(|(due, _)| due.is_some_and(|due| due <= at));
    let said = due.map(|(_, rule)| rule(&look)).find_map(|said| said);
    let look_again_at = rules.iter().filter_map(|(due, _)| *due).filter(|due| *due > at).min();
    let id = state.newest.map_or(at, |newest| at.max(newest.after(TICK)));
    let checks = now.checks.clone();
    let notice = said.map(|(replies_to, news)| Notice { id, replies_to, news, checks });
    Planned { state, notice, look_again_at }
}

/// The notice that it continues, and what it says.
pub(super) type Said = Option<(Option<Timestamp>, News)>;
type Rule<'a> = fn(&Look<'a>) -> Said;

/// The causes; one without a name where something is pending and no cause is known.
fn causes(now: &Situation, at: Timestamp) -> Cow<'_, [PendingCause]> {
    if !now.causes.is_empty() || now.counts.pending == 0 {
        return Cow::Borrowed(&now.causes);
    }
    Cow::Owned(vec![PendingCause {
        id: Fingerprint::unnamed(),
        title: "Sync errors are pending".to_owned(),
        text: String::new(),
        class: Class::Unclassified,
        code: String::new(),
        pending: now.counts.pending,
        first_seen: at,
        last_seen: at,
        pending_since: at,
        condition: Condition::New,
        sample: None,
    }])
}

pub(super) struct Look<'a> {
    pub(super) state: &'a AlertState,
    pub(super) now: &'a Situation,
    causes: &'a [PendingCause],
    pub(super) settings: &'a AlertSettings,
    pub(super) at: Timestamp,
}

impl Look<'_> {
    fn rollback_due(&self) -> Option<Timestamp> {
        let untold = self.now.rollback.as_ref().filter(|rollback| self.state.rolled_back != Some(rollback.at));
        untold.map(|_| self.at)
    }

    fn rollback(&self) -> Said {
        Some((None, News::RolledBack(self.now.rollback.clone()?)))
    }

    /// Brakes that bit and were not told.
    fn untold_brakes(&self) -> impl Iterator<Item = &BrakedCause> {
        self.now.braked.iter().filter(|cause| self.state.braked.is_none_or(|told| cause.at > told))
    }

    fn braked_due(&self) -> Option<Timestamp> {
        self.untold_brakes().next().map(|_| self.at)
    }

    fn braked(&self) -> Said {
        Some((None, News::Braked(self.untold_brakes().cloned().collect())))
    }

    /// At once, but for what may pass by itself, and for what came and went before.
    fn incident_due(&self) -> Option<Timestamp> {
        let known = self.state.incident.as_ref().filter(|_| self.now.incident.is_some())?;
        if known.told.contains(&known.class) {
            return None;
        }
        let patience = match self.state.told.get(&known.class) {
            None if known.class == Class::Transient => self.settings.outage(),
            None => Duration::ZERO,
            Some(told) => {
                let longer = LONGER.saturating_pow(told.times);
                self.settings.outage().max(AGAIN_AFTER).saturating_mul(longer).min(self.settings.quiet())
            }
        };
        Some(known.class_since.after(patience))
    }

    fn incident(&self) -> Said {
        let first = self.state.incident.as_ref()?.first;
        Some((first, News::IncidentBegan(Box::new(self.now.incident.clone()?))))
    }

    fn incident_end_due(&self) -> Option<Timestamp> {
        Some(self.state.incident.as_ref()?.over_since?.after(OVER_AFTER))
    }

    fn incident_end(&self) -> Said {
        let known = self.state.incident.as_ref()?;
        let end = IncidentEnd {
            since: known.since,
            until: known.over_since?,
            waited: known.waited,
            parked: self.now.parked,
            pending: self.now.counts.pending,
        };
        Some((known.first, News::IncidentEnded(end)))
    }

    /// When a mail about a cause may go, gathering left aside; `None` while nothing of it is news.
    fn news_from(&self, cause: &PendingCause) -> Option<Timestamp> {
        let Some(known) = self.state.causes.get(&cause.id) else { return Some(Timestamp::default()) };
        let back = known.over || cause.condition == Condition::Regressed && cause.pending_since > known.at;
        (back || cause.condition == Condition::Escalating).then(|| known.at.after(self.settings.quiet()))
    }

    fn causes_due(&self) -> Option<Timestamp> {
        let due = |cause: &PendingCause| {
            let sighted = self.state.sighted.get(&cause.id).copied().unwrap_or(self.at);
            let gathered = sighted.min(cause.pending_since).after(self.settings.gather());
            self.news_from(cause).map(|from| from.max(gathered))
        };
        self.causes.iter().filter_map(due).min()
    }

    fn new_causes(&self) -> Said {
        let is_news = |cause: &PendingCause| self.news_from(cause).is_some_and(|from| from <= self.at);
        let (new, known): (Vec<_>, Vec<_>) = by_count(self.causes).into_iter().partition(is_news);
        let before = if let [one] = new.as_slice() { self.state.causes.get(&one.id) } else { None };
        Some((before.map(|known| known.at), News::Causes { new, known }))
    }

    fn all_clear_due(&self) -> Option<Timestamp> {
        self.state.open.filter(|_| self.state.incident.is_none())?;
        Some(self.state.clear_since?.after(self.settings.clear()))
    }

    fn all_clear(&self) -> Said {
        let open = self.state.open?;
        let news = News::AllClear {
            since: open.first,
            resolved: self.now.counts.resolved.saturating_sub(open.resolved),
            ignored: self.now.counts.ignored.saturating_sub(open.ignored),
        };
        Some((Some(open.first), news))
    }

    fn reminder_due(&self) -> Option<Timestamp> {
        let open = self.state.open.filter(|_| self.now.counts.pending > 0).map(|open| open.newest);
        let incident = self.state.incident.as_ref().filter(|_| self.now.incident.is_some());
        let newest = open.into_iter().chain(incident.and_then(|known| known.newest)).min()?;
        Some(newest.after(self.settings.remind()))
    }

    fn reminder(&self) -> Said {
        let known = self.state.incident.as_ref().filter(|known| known.newest.is_some());
        let first = self.state.open.map(|open| open.first).or(known.and_then(|known| known.first));
        let causes = if self.state.open.is_some() { by_count(self.causes) } else { Vec::new() };
        let incident = self.now.incident.clone().filter(|_| known.is_some()).map(Box::new);
        Some((first, News::Reminder { causes, incident }))
    }
}

fn by_count(causes: &[PendingCause]) -> Vec<PendingCause> {
    let mut causes = causes.to_vec();
    causes.sort_by(|a, b| Reverse(a.pending).cmp(&Reverse(b.pending)).then_with(|| a.title.cmp(&b.title)));
    causes
}
