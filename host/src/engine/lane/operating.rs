//! Carries operations out: what they ask for is read with the turn, done in it, and counted with what came out.

use std::collections::BTreeSet;

use super::{Lane, OPERATION_READY, OPERATION_TURN};
use crate::domain::{Annotation, Event, Fingerprint, InOperation, Next, Operation, OperationStatus, Task, Timestamp};
use crate::engine::Error;
use crate::engine::turn::{Finished, Turn};
use crate::ledger::{LaneCommit, Walk};
use crate::store;

/// What operations asked for, and what was found.
pub(super) type Pages = Vec<(u64, Next, Walk)>;

impl Lane {
    /// Whether an operation has something to take up, and room for it.
    pub(super) fn operates(&self) -> bool {
        self.operations.values().any(|operation| self.may(operation) && !operation.next(1).is_empty())
    }

    /// Whether there is room for what an operation does: retries wait for the end of an incident, and behind new traffic.
    fn may(&self, operation: &Operation) -> bool {
        let room = self.state.phases.operation < OPERATION_READY;
        operation.task != Task::Retry || (room && !self.admission.incident.is_open())
    }

    /// Reads what operations take up next.
    pub(super) async fn read_operations(&self) -> Result<Pages, store::Error> {
        let mut pages = Vec::new();
        if self.woken.stopping {
            return Ok(pages);
        }
        let ledger = &self.parts.shared.ledger;
        for (number, operation) in self.operations.iter().filter(|(_, operation)| self.may(operation)) {
            for next in operation.next(OPERATION_TURN) {
                let walk = match operation.task {
                    Task::Assign { .. } => Walk { items: Vec::new(), after: None, more: false },
                    _ => {
                        let mut query = operation.query.clone();
                        query.groups = [next.group.clone()].into();
                        ledger.walk(&query, next.after.clone(), next.limit).await?
                    }
                };
                pages.push((*number, next, walk));
            }
        }
        Ok(pages)
    }

    /// Does with what was found what its operation is about.
    pub(super) fn operate(&mut self, turn: &mut Turn<'_>, pages: Pages) -> BTreeSet<u64> {
        let mut changed = BTreeSet::new();
        for (number, Next { group, .. }, Walk { items, after, more }) in pages {
            // It may have been paused in the same turn.
            let Some(mut operation) =
                self.operations.get(&number).filter(|it| it.status == OperationStatus::Running).cloned()
            else {
                continue;
            };
            if let Task::Assign { assignee } = &operation.task {
                let annotation = Annotation::Assignee(assignee.clone());
                match turn.annotate(&group, vec![annotation]) {
                    Ok(_) => operation.acted(&group),
                    Err(_) => operation.skipped += 1,
                }
            }
            let as_of = operation.as_of;
            for error in items.iter().filter(|error| error.first_seen <= as_of) {
                if act(turn, number, &operation, &group, error) {
                    operation.acted(&group);
                } else {
                    operation.skipped += 1;
                }
            }
            operation.walked(&group, after, more);
            self.operations.insert(number, operation);
            changed.insert(number);
        }
        changed
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
        let idle = idle && phases.ready() + phases.parked == 0;
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
            commit.operations.push((number, operation));
        }
    }
}

/// Does to one sync error what an operation is about; answers whether there was something to do.
fn act(
    turn: &mut Turn<'_>,
    number: u64,
    operation: &Operation,
    group: &Fingerprint,
    summary: &crate::domain::ErrorSummary,
) -> bool {
    let (id, by) = (&summary.conversation, operation.by.clone());
    let Some(error) = turn.sync_error(&summary.id) else { return false };
    // What changed since it was listed is no more what was asked for.
    if error.group != *group || !operation.task.states().contains(&error.state) {
        return false;
    }
    let event = match &operation.task {
        Task::Retry => {
            let delivery = turn.delivery(id);
            if delivery.operation.as_ref().is_some_and(|of| of.number == number) {
                return false;
            }
            let of = InOperation { number, group: group.clone(), waits: true };
            Event::RetryAsked { by, operation: Some(of) }
        }
        Task::Ignore { reason } => Event::IgnoreAsked { by, reason: reason.clone(), operation: Some(number) },
        Task::Reopen { undoes, since } => {
            let ignored_at = error.history.last().map_or(error.last_seen, |moment| moment.at);
            if undoes.is_some() && error.operation != *undoes || since.is_some_and(|since| ignored_at < since) {
                return false;
            }
            Event::ReopenAsked { by }
        }
        Task::Assign { .. } | Task::AutoIgnore { .. } => return false,
    };
    turn.step(id, event);
    true
}
