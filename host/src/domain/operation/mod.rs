//! What somebody asks of many sync errors at once: durable before it is answered, and carried out a part at a time.
//!
//! An operation goes through the causes that it is about, each in the order in which its sync errors failed first. A retry
//! sends a few of each cause first: where they fail by the same cause again, the rest of that cause is left alone.

mod naming;
mod part;
mod status;
mod task;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::part::Part;
use self::status::asked_of;
pub use self::status::{OperationOver, OperationStatus};
pub use self::task::Task;
use super::{ErrorQuery, Fingerprint, OperationId, RequestOrigin, Retried, Sweep, Timestamp};

/// Causes that a report names; what is beyond is counted under the cause of the rest.
const NAMED: usize = 50;

/// An operation in one organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id, which it shares with its siblings in other organizations.
    pub id: OperationId,
    /// What is done.
    pub task: Task,
    /// What it was asked over; of this organization alone.
    pub query: ErrorQuery,
    /// Who asked.
    pub by: String,
    /// How the request came, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<RequestOrigin>>,
    /// When. What fails first later is not in it.
    pub as_of: Timestamp,
    /// Whether it goes on.
    pub status: OperationStatus,
    /// How many sync errors (causes, where those are assigned) matched then; `None` where only the end tells.
    pub matched: Option<u64>,
    /// Those that it has acted on.
    pub done: u64,
    /// Those that it left alone: they had changed, or another operation is about to try them.
    pub skipped: u64,
    /// How those came out that it retried.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retried: BTreeMap<Retried, u64>,
    /// Failures after its retries, by cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed_as: BTreeMap<Fingerprint, u64>,
    /// Causes of which it left the rest alone, because those that it tried failed alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<Fingerprint>,
    /// Causes that it goes through and is not done with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// How far it has gone through what got through, where that is sent once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The span that began it, as a W3C `traceparent`, where traces are on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// What an operation asks for next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Of this cause,
    pub group: Fingerprint,
    /// behind this place,
    pub after: Option<super::ErrorPlace>,
    /// so many sync errors.
    pub limit: usize,
}

impl Operation {
    /// An operation that begins now.
    #[must_use]
    pub fn new(
        id: OperationId,
        task: Task,
        query: ErrorQuery,
        by: String,
        as_of: Timestamp,
        matched: Option<u64>,
        parts: Vec<Part>,
    ) -> Self {
        let sweep = matches!(task, Task::Resync { .. }).then(Sweep::default);
        Self {
            id,
            task,
            query,
            by,
            request: None,
            as_of,
            status: OperationStatus::Running,
            matched,
            done: 0,
            skipped: 0,
            retried: BTreeMap::new(),
            failed_as: BTreeMap::new(),
            stopped: Vec::new(),
            parts,
            sweep,
            ended_at: None,
            trace: None,
        }
    }

    /// Whether it waits for what a policy judges: it comes to no end by itself.
    #[must_use]
    pub const fn stands(&self) -> bool {
        let goes_on = matches!(self.status, OperationStatus::Running | OperationStatus::Paused);
        goes_on && matches!(self.task, Task::AutoIgnore { .. })
    }

    /// How many sync errors that it retried are not tried yet.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        if self.task.sends() { self.done.saturating_sub(self.retried.values().sum()) } else { 0 }
    }

    /// What it takes up next, at most `most` sync errors; nothing while it is paused or over.
    #[must_use]
    pub fn next(&self, most: usize) -> Vec<Next> {
        let (mut asked, mut left) = (Vec::new(), most);
        if self.status != OperationStatus::Running {
            return asked;
        }
        let probes = self.task == Task::Retry;
        for part in self.parts.iter().filter(|part| !part.is_walked) {
            let limit = part.allowance(probes).min(left);
            if limit > 0 {
                left -= limit;
                asked.push(Next { group: part.group.clone(), after: part.after.clone(), limit });
            }
        }
        asked
    }

    /// Where it goes on through what got through; `None` where it does not, or not now.
    #[must_use]
    pub fn next_sweep(&self) -> Option<&Sweep> {
        self.sweep.as_ref().filter(|sweep| self.status == OperationStatus::Running && !sweep.is_over)
    }

    /// It has looked at so many more that got through.
    pub fn swept(&mut self, looked_at: usize, after: Option<(u32, super::ConversationId)>, more: bool) {
        let Some(sweep) = &mut self.sweep else { return };
        sweep.looked_at += looked_at as u64;
        sweep.is_over = !more;
        sweep.after = after.or_else(|| sweep.after.take());
    }

    /// It has looked at a part of what it asked for: `after` is the last place that was looked at, `more` whether there is more.
    pub fn walked(&mut self, group: &Fingerprint, after: Option<super::ErrorPlace>, more: bool) {
        let as_of = self.as_of;
        if let Some(part) = self.part(group) {
            part.is_walked = !more || after.as_ref().is_some_and(|place| place.0 > as_of);
            part.after = after.or_else(|| part.after.take());
        }
    }

    /// It has acted on a sync error of a cause.
    pub fn acted(&mut self, group: &Fingerprint) {
        self.done += 1;
        self.met();
        if let Some(part) = self.part(group) {
            part.done += 1;
        }
    }

    /// It has met a sync error, or a cause, that it leaves alone.
    pub fn skipped(&mut self) {
        self.skipped += 1;
        self.met();
    }

    /// What came while the matches were counted is in it too.
    fn met(&mut self) {
        self.matched = self.matched.map(|matched| matched.max(self.done + self.skipped));
    }

    /// A sync error of a cause that it retried came out; `now` is the cause by which it failed.
    pub fn came_out(&mut self, group: &Fingerprint, how: Retried, now: Option<&Fingerprint>) {
        *self.retried.entry(how).or_default() += 1;
        if let Some(now) = now {
            let known = self.failed_as.contains_key(now) || self.failed_as.len() < NAMED;
            *self.failed_as.entry(if known { now.clone() } else { Fingerprint::unnamed() }).or_default() += 1;
        }
        if let Some(part) = self.part(group)
            && part.came_out(how)
            && self.stopped.len() < NAMED
        {
            self.stopped.push(group.clone());
        }
    }

    /// Forgets causes that it is done with; ends it where nothing is left. Answers whether it is over.
    pub fn settle(&mut self, now: Timestamp) -> bool {
        if self.stands() {
            return false;
        }
        let waits = self.task.sends();
        self.parts.retain(|part| !part.is_walked || (waits && part.under_way() > 0));
        if self.status == OperationStatus::Cancelled {
            self.parts.retain(|part| waits && part.under_way() > 0);
        }
        let sweeps = self.status == OperationStatus::Running && self.sweep.as_ref().is_some_and(|sweep| !sweep.is_over);
        let waiting = !self.parts.is_empty() || sweeps || self.under_way() > 0;
        if waiting || self.status == OperationStatus::Paused {
            return false;
        }
        if self.status == OperationStatus::Running {
            self.status = OperationStatus::Done;
            self.miss_the_rest();
        }
        // The clock may have gone back since it began.
        self.ended_at = Some(now.max(self.as_of));
        self.query.forget_customer();
        true
    }

    /// It has looked everywhere: what matched and was not there any more had changed before it came to that.
    fn miss_the_rest(&mut self) {
        if let (Some(matched), true) = (self.matched, self.stopped.is_empty()) {
            self.skipped = self.skipped.max(matched.saturating_sub(self.done));
        }
    }

    /// Nothing of its organization waits or is on its way any more: what it still counts so has gone.
    pub fn nothing_is_under_way(&mut self) {
        let gone = self.under_way();
        if gone > 0 {
            *self.retried.entry(Retried::Changed).or_default() += gone;
            self.parts.iter_mut().for_each(Part::nothing_is_under_way);
        }
    }

    /// Somebody pauses it, lets it go on, or ends it.
    ///
    /// # Errors
    /// When it is over.
    pub fn becomes(&mut self, status: OperationStatus, now: Timestamp) -> Result<(), OperationOver> {
        let asked = asked_of(status);
        if let (Task::AutoIgnore { brake, .. }, true) = (&mut self.task, self.ended_at.is_none()) {
            match status {
                OperationStatus::Running => brake.release(now),
                OperationStatus::Paused => brake.stop(now),
                // The next judgement would begin another one, without a brake.
                status => return Err(OperationOver { status: self.status, asked: asked_of(status) }),
            }
        }
        match self.status {
            OperationStatus::Running | OperationStatus::Paused => self.status = status,
            status => return Err(OperationOver { status, asked }),
        }
        Ok(())
    }

    /// How far it is, from 0 to 1; `None` where nobody knows how much there is.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        if self.ended_at.is_some() {
            return Some(1.0);
        }
        let matched = self.matched.filter(|matched| *matched > 0)?;
        // What it has given to the lane is done when it came out.
        let so_far = self.done.saturating_sub(self.under_way()) + self.skipped;
        #[expect(clippy::cast_precision_loss, reason = "a share of some millions")]
        Some((so_far as f64 / matched as f64).min(1.0))
    }

    fn part(&mut self, group: &Fingerprint) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.group == *group)
    }
}
