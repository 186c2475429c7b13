//! What a policy ignores by itself: counted by revision and cause in an operation of its own, and held by a brake.

use std::time::Duration;

use super::Lane;
use crate::domain::{
    ConversationId, ErrorQuery, Fingerprint, Judged, Operation, OperationId, OperationStatus, Part, PolicyRef, State,
    Task, Timestamp, Verdict,
};
use crate::engine::turn::Turn;

/// An operation of another revision that was not asked for so long is over.
const OVER_AFTER: Duration = Duration::from_secs(3600);

/// What is left of a verdict behind the brake.
pub(super) struct Braked {
    pub(super) verdict: Verdict,
    /// The number of the operation that counts it, where it is ignored.
    pub(super) ignored_by: Option<u64>,
    /// Why it is not ignored although the policy says so.
    pub(super) held: Option<String>,
}

impl Lane {
    /// Lets a verdict pass, unless it is one to ignore and the brake of its revision and cause says no.
    pub(super) fn brake(
        &mut self,
        turn: &mut Turn<'_>,
        id: &ConversationId,
        group: &Fingerprint,
        verdict: Verdict,
        judged_by: Option<&PolicyRef>,
    ) -> Braked {
        let (Verdict::Ignore(reason), Some(policy)) = (&verdict, judged_by) else {
            return Braked { verdict, ignored_by: None, held: None };
        };
        // What is ignored already is not ignored anew.
        if turn.delivery(id).fails_in_silence(group) {
            return Braked { verdict, ignored_by: None, held: None };
        }
        let (settings, now) = (self.parts.shared.policies.brake(&policy.name), turn.now);
        let number = self.auto_ignore(turn, policy, group);
        let first_seen = turn.first_seen(group);
        let operation = self.operations.get_mut(&number);
        let Some(Operation { task: Task::AutoIgnore { brake, .. }, done, status, .. }) = operation else {
            return Braked { verdict, ignored_by: None, held: None };
        };
        let judged = brake.judge(&settings, first_seen, now);
        *status = if brake.hold.is_some() { OperationStatus::Paused } else { OperationStatus::Running };
        turn.operations.insert(number);
        let why = match judged {
            Judged::Ignored => {
                *done += 1;
                return Braked { verdict, ignored_by: Some(number), held: None };
            }
            Judged::Held(why) => why,
            Judged::Bites { since, ignored } => {
                let org = &self.parts.org;
                tracing::warn!(%org, %policy, %group, ignored, "a policy ignores too much of one cause: it is held");
                self.reopen(turn, number, policy, group, since, ignored);
                crate::domain::Why::TooMany
            }
        };
        let held = Some(format!("policy {policy} would ignore it ({reason}), but {why}"));
        Braked { verdict: Verdict::Hold, ignored_by: None, held }
    }

    /// The operation of what this revision ignores of a cause; it begins where there is none.
    fn auto_ignore(&mut self, turn: &mut Turn<'_>, policy: &PolicyRef, group: &Fingerprint) -> u64 {
        let is_it = |operation: &Operation| matches!(&operation.task, Task::AutoIgnore { policy: own, group: of, .. } if own == policy && of == group);
        if let Some((number, _)) = self.operations.iter().find(|(_, operation)| operation.stands() && is_it(operation))
        {
            return *number;
        }
        self.end_of_others(turn, policy);
        let org = self.parts.org.clone();
        let id = OperationId::begun(turn.now, fastrand::u64(..));
        let query = ErrorQuery { groups: [group.clone()].into(), ..ErrorQuery::of_org(org, [State::Ignored]) };
        let brake = crate::domain::Brake::new(turn.now);
        let task = Task::AutoIgnore { policy: policy.clone(), group: group.clone(), brake };
        let by = format!("policy {}", policy.name);
        let operation = Operation::new(id, task, query, by, Timestamp::default(), None, Vec::new());
        let (number, _) = self.begin_operation(turn, operation);
        number
    }

    /// What other revisions ignored is over when nobody asked them any more for a while: attempts that they judged may still
    /// come to their end when another one decides.
    fn end_of_others(&mut self, turn: &mut Turn<'_>, policy: &PolicyRef) {
        let now = turn.now;
        for (number, operation) in self.operations.iter_mut().filter(|(_, operation)| operation.stands()) {
            if let Task::AutoIgnore { policy: other, brake, .. } = &operation.task
                && other != policy
                && now.since(brake.last) >= OVER_AFTER
            {
                operation.status = OperationStatus::Done;
                turn.operations.insert(*number);
            }
        }
    }

    /// What an operation ignored since then waits for a person again.
    fn reopen(
        &mut self,
        turn: &mut Turn<'_>,
        number: u64,
        policy: &PolicyRef,
        group: &Fingerprint,
        since: Timestamp,
        ignored: u64,
    ) {
        let org = self.parts.org.clone();
        let id = OperationId::begun(turn.now, fastrand::u64(..));
        let query = ErrorQuery { groups: [group.clone()].into(), ..ErrorQuery::of_org(org, [State::Ignored]) };
        let task = Task::Reopen { undoes: Some(number), since: Some(since) };
        let (by, parts) = (format!("brake of policy {policy}"), vec![Part::new(group.clone())]);
        let operation = Operation::new(id, task, query, by, Timestamp::default(), Some(ignored), parts);
        let (number, _) = self.begin_operation(turn, operation);
        turn.operations.insert(number);
    }
}
