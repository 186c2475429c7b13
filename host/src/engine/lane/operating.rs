//! Carries operations out: what they ask for is read with the turn, done in it, and counted with what came out.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Lane, OPERATION_READY, OPERATION_TURN};
use crate::domain::{
    Annotation, ConversationId, Event, EventType, Expected, Fingerprint, HostEvent, InOperation, Next, Operation,
    OperationStatus, Phase, Task, Timestamp,
};
use crate::engine::Error;
use crate::engine::turn::{Finished, Turn};
use crate::ledger::{LaneCommit, Walk};
use crate::store;

/// What operations asked for, and what was found.
#[derive(Default)]
pub(super) struct Pages {
    pub(super) walks: Vec<(u64, Next, Walk)>,
    /// Conversations that got through.
    pub(super) sweeps: Vec<(u64, Swept)>,
}

/// Some conversations that an operation has looked at.
pub(super) struct Swept {
    /// Those that are meant.
    pub(super) taken: Vec<ConversationId>,
    looked_at: usize,
    after: Option<(u32, ConversationId)>,
    more: bool,
}

/// Clients are told no more often that an operation has come further.
const SELDOM: Duration = Duration::from_secs(1);
/// Conversations that an operation looks at in one turn.
const SWEPT: usize = 256;

impl Lane {
    /// Whether an operation has something to take up, and room for it.
    pub(super) fn operates(&self) -> bool {
        self.operations
            .values()
            .any(|operation| self.may(operation) && (!operation.next(1).is_empty() || operation.next_sweep().is_some()))
    }

    /// Whether there is room for what an operation does: retries wait for the end of an incident, behind new traffic, and until
    /// their organization is connected again.
    fn may(&self, operation: &Operation) -> bool {
        let room = self.state.phases.operation < OPERATION_READY;
        !operation.task.sends() || (room && !self.admission.incident.is_open() && !self.departed())
    }

    /// Whether the organization is not configured any more: nothing is attempted for it.
    fn departed(&self) -> bool {
        self.parts.outbound.at_once() == 0
    }

    /// Reads what operations take up next.
    pub(super) async fn read_operations(&self) -> Result<Pages, store::Error> {
        let mut pages = Pages::default();
        if self.woken.stopping {
            return Ok(pages);
        }
        let ledger = &self.parts.shared.ledger;
        for (number, operation) in self.operations.iter().filter(|(_, operation)| self.may(operation)) {
            for next in operation.next(OPERATION_TURN) {
                let mut query = operation.query.clone();
                query.groups = [next.group.clone()].into();
                // A cause is assigned where one of its sync errors matches.
                let limit = if matches!(operation.task, Task::Assign { .. }) { 1 } else { next.limit };
                let walk = ledger.walk(&query, next.after.clone(), limit).await?;
                pages.walks.push((*number, next, walk));
            }
            if let (Some(sweep), Task::Resync { query }) = (operation.next_sweep(), &operation.task) {
                let found = ledger.sweep(&self.parts.org, sweep.after.as_ref(), SWEPT).await?;
                let (looked_at, more) = (found.len(), found.len() == SWEPT);
                let after = found.last().map(|(day, id, _)| (*day, id.clone()));
                let meant = found.into_iter().filter(|(.., delivery)| query.matches(delivery, operation.as_of));
                let taken = meant.map(|(_, id, _)| id).collect();
                pages.sweeps.push((*number, Swept { taken, looked_at, after, more }));
            }
        }
        Ok(pages)
    }

    /// Does with what was found what its operation is about.
    pub(super) fn operate(&mut self, turn: &mut Turn<'_>, pages: Pages) -> BTreeSet<u64> {
        let mut changed = BTreeSet::new();
        for (number, swept) in pages.sweeps {
            self.sweep(turn, number, swept);
            changed.insert(number);
        }
        for (number, Next { group, .. }, Walk { items, after, more }) in pages.walks {
            // It may have been paused in the same turn.
            let Some(mut operation) =
                self.operations.get(&number).filter(|it| it.status == OperationStatus::Running).cloned()
            else {
                continue;
            };
            let as_of = operation.as_of;
            let mut found = items.iter().filter(|error| error.first_seen <= as_of);
            let more = match &operation.task {
                Task::Assign { assignee } => {
                    let is_meant = found.next().is_some();
                    if is_meant {
                        let annotation = Annotation::Assignee(assignee.clone());
                        match turn.annotate(&group, &Expected::default(), vec![annotation]) {
                            Ok(_) => operation.acted(&group),
                            Err(_) => operation.skipped(),
                        }
                    }
                    more && !is_meant
                }
                _ => {
                    for error in found {
                        match act(turn, number, &operation, &group, error) {
                            Some(true) => operation.acted(&group),
                            Some(false) => operation.skipped(),
                            None => {}
                        }
                    }
                    more
                }
            };
            operation.walked(&group, after, more);
            self.operations.insert(number, operation);
            changed.insert(number);
        }
        changed
    }

    /// Sends what got through once more.
    fn sweep(&mut self, turn: &mut Turn<'_>, number: u64, swept: Swept) {
        let Some(operation) = self.operations.get_mut(&number).filter(|it| it.status == OperationStatus::Running)
        else {
            return;
        };
        for id in swept.taken {
            let of = InOperation { number, group: Fingerprint::unnamed(), waits: true };
            let before = turn.delivery(&id);
            // It may have been met already, or have something to do by now.
            if before.operation.as_ref().is_none_or(|known| known.number != number) {
                let event = Event::ResyncAsked { by: operation.by.clone(), operation: of };
                turn.step_as_asked(&id, event, operation.request.clone());
                turn.traced(&id, operation.trace.clone());
            }
            match turn.delivery(&id).phase == before.phase {
                true => operation.skipped(),
                false => operation.acted(&Fingerprint::unnamed()),
            }
        }
        operation.swept(swept.looked_at, swept.after, swept.more);
    }

    /// Begins an operation.
    pub(super) fn begin_operation(&mut self, turn: &mut Turn<'_>, mut operation: Operation) -> (u64, Operation) {
        turn.state.operations += 1;
        operation.as_of = turn.now.max(turn.state.highest);
        self.operations.insert(turn.state.operations, operation.clone());
        (turn.state.operations, operation)
    }

    /// Pauses an operation, lets it go on, or ends it.
    pub(super) fn change_operation(
        &mut self,
        number: u64,
        status: OperationStatus,
        now: Timestamp,
    ) -> Result<Operation, Error> {
        let operation = self.operations.get_mut(&number).ok_or(Error::OperationOver)?;
        operation.becomes(status, now)?;
        Ok(operation.clone())
    }

    /// Counts what came out, and writes every operation that changed; what is over is over with this commit.
    pub(super) fn settle_operations(
        &mut self,
        commit: &mut LaneCommit,
        finished: &mut Finished,
        mut changed: BTreeSet<u64>,
        idle: bool,
        now: Timestamp,
    ) {
        for (InOperation { number, group, .. }, how, by) in std::mem::take(&mut finished.came_out) {
            if let Some(operation) = self.operations.get_mut(&number) {
                operation.came_out(&group, how, by.as_ref());
                changed.insert(number);
            }
        }
        let phases = finished.state.phases;
        let idle = self.departed() || (idle && phases.ready() + phases.parked == 0);
        for (number, operation) in self.operations.iter_mut().filter(|(_, it)| idle && it.under_way() > 0) {
            operation.nothing_is_under_way();
            changed.insert(*number);
        }
        for number in changed {
            let Some(mut operation) = self.operations.remove(&number) else { continue };
            if operation.settle(now) {
                let Operation { id, by, status, done, skipped, .. } = &operation;
                let (task, org) = (operation.task.as_str(), &self.parts.org);
                tracing::info!(%org, operation = %id, task, %by, %status, done, skipped, "an operation is over");
            } else {
                self.operations.insert(number, operation.clone());
            }
            self.tell(commit, number, &operation, now);
            commit.operations.push((number, operation));
        }
    }

    /// Tells clients of an operation that changed: where it stands, and now and then that it has come further.
    fn tell(&mut self, commit: &mut LaneCommit, number: u64, operation: &Operation, now: Timestamp) {
        let told = self.told.get(&number).copied();
        let is_over = operation.ended_at.is_some();
        let moved = match told {
            Some((status, _)) if status != operation.status && !is_over => match operation.status {
                OperationStatus::Paused => Some(EventType::OperationPaused),
                _ => Some(EventType::OperationResumed),
            },
            Some((_, at)) if !is_over && now.since(at) >= SELDOM => Some(EventType::OperationProgressed),
            Some(_) => None,
            None => Some(EventType::OperationAccepted),
        };
        for what in moved.into_iter().chain(is_over.then_some(EventType::OperationEnded)) {
            commit.events.push(HostEvent::of_operation(what, &self.parts.org, &operation.id, operation.status, now));
            self.told.insert(number, (operation.status, now));
        }
        if is_over {
            self.told.remove(&number);
        }
    }
}

/// Does to one sync error what an operation is about; answers whether there was something to do, or `None` where it is not about this
/// one, or has tried it already.
fn act(
    turn: &mut Turn<'_>,
    number: u64,
    operation: &Operation,
    group: &Fingerprint,
    summary: &crate::domain::ErrorSummary,
) -> Option<bool> {
    let (id, by) = (&summary.conversation, operation.by.clone());
    let Some(error) = turn.sync_error(&summary.id) else { return Some(false) };
    // What changed since it was listed is no more what was asked for.
    if error.group != *group || !operation.task.states().contains(&error.state) {
        return Some(false);
    }
    // What somebody has reopened, or ignored, since it began is not in it.
    let then = error.history.iter().rev().find(|moment| moment.at <= operation.as_of);
    if then.is_some_and(|then| !operation.task.states().contains(&then.state)) {
        return None;
    }
    let event = match &operation.task {
        Task::Retry => {
            let delivery = turn.delivery(id);
            let of = delivery.operation.as_ref();
            // It came out as another cause.
            if of.is_some_and(|of| of.number == number) {
                return None;
            }
            // What another operation is about to try comes out there. What it had on its way before this one was asked for may
            // have been sent by what is mended since.
            let asked_at = error.history.last().map_or(error.last_seen, |moment| moment.at);
            let is_newer = !matches!(delivery.phase, Phase::Sending { .. }) || asked_at >= operation.as_of;
            if of.is_some_and(|of| of.waits && is_newer) {
                return Some(false);
            }
            let of = InOperation { number, group: group.clone(), waits: true };
            Event::RetryAsked { by, operation: Some(of) }
        }
        Task::Ignore { reason } => Event::IgnoreAsked { by, reason: reason.clone(), operation: Some(number) },
        Task::Reopen { undoes, since } => {
            let ignored_at = error.history.last().map_or(error.last_seen, |moment| moment.at);
            // What it takes back and is not there any more is known at its end.
            if undoes.is_some() && error.operation != *undoes || since.is_some_and(|since| ignored_at < since) {
                return None;
            }
            Event::ReopenAsked { by }
        }
        Task::Assign { .. } | Task::Resync { .. } | Task::AutoIgnore { .. } => return None,
    };
    turn.step_as_asked(id, event, operation.request.clone());
    if operation.task.sends() {
        turn.traced(id, operation.trace.clone());
    }
    Some(true)
}
