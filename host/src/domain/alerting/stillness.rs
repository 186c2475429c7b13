//! When a recipient is told that something does not move although it could, and that it moves again.

use super::known::Stillness;
use super::notice::News;
use super::plan::{Look, OVER_AFTER, Said};
use super::situation::SourceHealth;
use crate::domain::{SourceId, Timestamp};

impl Look<'_> {
    /// Since when nothing moves although it could. A time that lies ahead was written by a clock that was wrong, but for that of
    /// a next attempt.
    fn still_since(&self) -> Option<Timestamp> {
        let oldest = self.now.oldest_unsynced.as_ref()?;
        let next_attempt = oldest.waits_for == crate::domain::WaitsFor::Retry;
        let times = [Some(oldest.since).filter(|since| next_attempt || *since <= self.at), self.now.moved_at];
        let known = |time: &Timestamp| next_attempt || *time <= self.at;
        Some(times.into_iter().flatten().filter(known).fold(self.state.movable_since?, Timestamp::max))
    }

    /// When something that is still since then is told: once, and not again within the quiet time.
    fn still_due(&self, since: Timestamp, told: Option<&Stillness>) -> Option<Timestamp> {
        let due = since.after(self.settings.silent());
        match told {
            Some(told) if !told.over => None,
            Some(told) => Some(due.max(told.at.after(self.settings.quiet()))),
            None => Some(due),
        }
    }

    pub(super) fn standstill_due(&self) -> Option<Timestamp> {
        self.still_due(self.still_since()?, self.state.standstill.as_ref())
    }

    pub(super) fn standstill(&self) -> Said {
        let oldest = self.now.oldest_unsynced.clone()?;
        Some((None, News::Standstill { since: self.still_since()?, oldest }))
    }

    pub(super) fn standstill_end_due(&self) -> Option<Timestamp> {
        Some(self.state.moving_since?.after(OVER_AFTER))
    }

    pub(super) fn standstill_end(&self) -> Said {
        let told = self.state.standstill?;
        Some((Some(told.at), News::MovesAgain { since: told.since }))
    }

    fn silent(&self) -> impl Iterator<Item = (Timestamp, &SourceHealth)> {
        let due = |source: &SourceHealth| self.still_due(source.in_vain_since?, self.state.silent.get(&source.source));
        self.now.sources.iter().filter_map(move |source| Some((due(source)?, source)))
    }

    pub(super) fn silent_due(&self) -> Option<Timestamp> {
        self.silent().map(|(due, _)| due).min()
    }

    pub(super) fn silent_source(&self) -> Said {
        let (_, source) = self.silent().min_by_key(|(due, _)| *due)?;
        Some((None, News::SourceSilent(source.clone())))
    }

    /// Sources that were told to be silent and have answered since.
    fn answering(&self) -> impl Iterator<Item = (Timestamp, &SourceId, &Stillness)> {
        self.state.answering.iter().filter_map(|(source, since)| {
            let told = self.state.silent.get(source).filter(|told| !told.over)?;
            Some((since.after(OVER_AFTER), source, told))
        })
    }

    pub(super) fn answering_due(&self) -> Option<Timestamp> {
        self.answering().map(|(due, _, _)| due).min()
    }

    pub(super) fn answering_source(&self) -> Said {
        let (_, source, told) = self.answering().min_by_key(|(due, _, _)| *due)?;
        Some((Some(told.at), News::SourceAnswers { source: source.clone(), since: told.since }))
    }
}
