//! What is asked of many sync errors at once: what it would be about, its beginning, and how it goes on.

use super::command::Command;
use super::{Engine, Error, LaneHandle};
use crate::domain::{
    Asker, Deed, ErrorQuery, Fingerprint, Operation, OperationId, OperationStatus, OrgId, Part, ResyncQuery, State,
    Task, Timestamp,
};
use crate::telemetry;

/// Sync errors that are looked at to count what no count tells.
const COUNTED: usize = 20_000;
/// Conversations that are looked at at a time.
const LOOKED_AT: usize = 1_000;

/// What an operation would be about in one organization.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The organization.
    pub org: OrgId,
    /// Its causes, each with how many sync errors match; the count is at least so many where it is not exact.
    pub groups: Vec<(Fingerprint, u64)>,
    /// Whether the counts are all of them.
    pub is_exact: bool,
}

impl Plan {
    /// How many sync errors match, as far as that is known.
    #[must_use]
    pub fn matched(&self) -> u64 {
        self.groups.iter().map(|(_, count)| count).sum()
    }
}

/// The states that are left of a query for what is to be done; `None` where that is none of them.
#[must_use]
pub fn states_for(task: &Task, query: &ErrorQuery) -> Option<Vec<State>> {
    let states: Vec<_> = query.states().filter(|state| task.states().contains(state)).collect();
    (!states.is_empty()).then_some(states)
}

impl Engine {
    /// What an operation would be about, by organization. Nothing is changed.
    ///
    /// # Errors
    /// When the store cannot be read; so for all below.
    pub async fn plan_operation(&self, task: &Task, query: &ErrorQuery) -> Result<Vec<Plan>, Error> {
        let mut query = query.clone();
        query.states = states_for(task, &query).unwrap_or_default().into_iter().collect();
        let counted = self.ledger.count(&query, COUNTED).await?;
        let mut plans: Vec<Plan> = Vec::new();
        let mut groups = counted.groups;
        if *task == Task::Retry {
            // Nothing is attempted for an organization that is not configured any more.
            groups.retain(|(org, ..)| self.configured(org).is_ok());
        }
        groups.sort_by(|one, other| (&one.0, other.2, &one.1).cmp(&(&other.0, one.2, &other.1)));
        for (org, group, count) in groups {
            match plans.last_mut().filter(|plan| plan.org == org) {
                Some(plan) => plan.groups.push((group, count)),
                None => plans.push(Plan { org, groups: vec![(group, count)], is_exact: counted.is_exact }),
            }
        }
        Ok(plans)
    }

    /// Begins an operation in every organization that it is about. When it answers, it survives a restart.
    ///
    /// # Errors
    /// When an organization that it is about does not answer: in others it may have begun.
    pub async fn begin_operation(
        &self,
        task: Task,
        query: &ErrorQuery,
        by: &Asker,
        what: Deed,
    ) -> Result<(OperationId, Vec<(OrgId, Operation)>), Error> {
        let id = OperationId::begun(self.clock.now(), fastrand::u64(..));
        let states = states_for(&task, query).unwrap_or_default();
        let mut begun = Vec::new();
        let plans = self.plan_operation(&task, query).await?;
        let last = plans.len();
        for (plan, number) in plans.into_iter().zip(1..) {
            let lane = self.lanes.get(&plan.org).ok_or_else(|| Error::NoSuchOrg(plan.org.clone()))?;
            let mut own = query.clone();
            (own.orgs, own.states) = ([plan.org.clone()].into(), states.iter().copied().collect());
            let matched = match task {
                Task::Assign { .. } => plan.is_exact.then_some(plan.groups.len() as u64),
                _ => plan.is_exact.then(|| plan.matched()),
            };
            let parts = plan.groups.into_iter().map(|(group, _)| Part::new(group)).collect();
            let name = by.name.clone();
            let operation = Operation::new(id.clone(), task.clone(), own, name, Timestamp::default(), matched, parts);
            let operation = self.begin(lane, &plan.org, operation, &known_from(by, number == last), what).await?;
            begun.push((plan.org, operation));
        }
        Ok((id, begun))
    }

    /// How many conversations got through that match, of those that were looked at, and whether these are all.
    pub async fn count_delivered(&self, org: &OrgId, query: &ResyncQuery) -> Result<(u64, bool), Error> {
        let (mut count, mut looked_at, mut after, now) = (0, 0, None, self.clock.now());
        loop {
            let found = self.ledger.sweep(org, after.as_ref(), LOOKED_AT).await?;
            looked_at += found.len();
            count += found.iter().filter(|(.., delivery)| query.matches(delivery, now)).count() as u64;
            let whole = found.len() == LOOKED_AT;
            if !whole || looked_at >= COUNTED {
                return Ok((count, !whole));
            }
            after = found.into_iter().next_back().map(|(day, id, _)| (day, id));
        }
    }

    /// Begins to send what got through once more, in each of these organizations.
    ///
    /// # Errors
    /// When one of them is not configured, or does not answer: in others it may have begun.
    pub async fn begin_resync(
        &self,
        orgs: &[OrgId],
        query: &ResyncQuery,
        by: &Asker,
    ) -> Result<(OperationId, Vec<(OrgId, Operation)>), Error> {
        let id = OperationId::begun(self.clock.now(), fastrand::u64(..));
        let mut begun = Vec::new();
        for (org, number) in orgs.iter().zip(1..) {
            let lane = self.configured(org)?;
            let (task, own) = (Task::Resync { query: query.clone() }, ErrorQuery::of_org(org.clone(), []));
            let (name, parts) = (by.name.clone(), Vec::new());
            let operation = Operation::new(id.clone(), task, own, name, Timestamp::default(), None, parts);
            let by = known_from(by, number == orgs.len());
            let operation = self.begin(lane, org, operation, &by, Deed::OperationBegin).await?;
            begun.push((org.clone(), operation));
        }
        Ok((id, begun))
    }

    /// Takes back what an operation ignored, where nobody has changed it since.
    ///
    /// # Errors
    /// When there is no such operation, or it ignored nothing.
    pub async fn undo_operation(
        &self,
        id: &OperationId,
        by: &Asker,
    ) -> Result<(OperationId, Vec<(OrgId, Operation)>), Error> {
        let undo = OperationId::begun(self.clock.now(), fastrand::u64(..));
        let (mut begun, found) = (Vec::new(), self.found(id).await?);
        // Nothing begins anywhere where it cannot begin everywhere.
        for (.., operation) in &found {
            if !matches!(operation.task, Task::Ignore { .. } | Task::AutoIgnore { .. }) {
                return Err(Error::NotUndoable(operation.task.as_str()));
            }
            if !operation.stands() && operation.ended_at.is_none() {
                return Err(Error::OperationGoesOn);
            }
        }
        let last = found.len();
        for ((org, number, operation), place) in found.into_iter().zip(1..) {
            if operation.stands() {
                // What was wrong does not go on while it is taken back.
                let status = OperationStatus::Paused;
                let lane = self.lanes.get(&org).ok_or_else(|| Error::NoSuchOrg(org.clone()))?;
                let action = self.action(&known_from(by, false), Deed::OperationPause).of(&org).about(id);
                let action = Box::new(action);
                self.ask(lane, |reply| Command::Change { number, status, action, reply }).await?;
            }
            // What it ignored carries its number: no more has to be known of whom it was about.
            let query = ErrorQuery { states: [State::Ignored].into(), ..operation.query.without_forgotten() };
            let groups = self.ledger.count(&ErrorQuery { orgs: query.orgs.clone(), ..open(&query) }, 0).await?.groups;
            let parts = groups.into_iter().map(|(_, group, _)| Part::new(group)).collect();
            let task = Task::Reopen { undoes: Some(number), since: None };
            let (matched, name) = (Some(operation.done), by.name.clone());
            let lane = self.lanes.get(&org).ok_or_else(|| Error::NoSuchOrg(org.clone()))?;
            let operation = Operation::new(undo.clone(), task, query, name, Timestamp::default(), matched, parts);
            let by = known_from(by, place == last);
            let operation = self.begin(lane, &org, operation, &by, Deed::OperationUndo).await?;
            begun.push((org, operation));
        }
        Ok((undo, begun))
    }

    /// Pauses an operation, lets it go on, or ends it, in every organization where it is not over.
    ///
    /// # Errors
    /// When there is no such operation, or it is over everywhere.
    pub async fn change_operation(&self, id: &OperationId, status: OperationStatus, by: &Asker) -> Result<(), Error> {
        let what = match status {
            OperationStatus::Paused => Deed::OperationPause,
            OperationStatus::Cancelled => Deed::OperationCancel,
            OperationStatus::Running | OperationStatus::Done => Deed::OperationResume,
        };
        let (mut over, mut any) = (None, false);
        for (org, number, _) in self.found(id).await? {
            let lane = self.lanes.get(&org).ok_or_else(|| Error::NoSuchOrg(org.clone()))?;
            let action = Box::new(self.action(by, what).of(&org).about(id));
            match self.ask(lane, |reply| Command::Change { number, status, action, reply }).await {
                Ok(_) => any = true,
                Err(error @ (Error::Operation(_) | Error::OperationOver)) => over = Some(error),
                Err(error) => return Err(error),
            }
        }
        over.filter(|_| !any).map_or(Ok(()), Err)
    }

    async fn begin(
        &self,
        lane: &LaneHandle,
        org: &OrgId,
        mut operation: Operation,
        by: &Asker,
        what: Deed,
    ) -> Result<Operation, Error> {
        operation.trace = telemetry::here().traceparent();
        let why = match &operation.task {
            Task::Ignore { reason } => format!("ignore: {reason}"),
            Task::Assign { assignee: Some(assignee) } => format!("assign: {assignee}"),
            task => task.as_str().to_owned(),
        };
        let count = operation.matched.unwrap_or(0);
        let action = self.action(by, what).of(org).about(&operation.id).counting(count).because(&why);
        let (operation, action) = (Box::new(Operation { request: by.request.known(), ..operation }), Box::new(action));
        self.ask(lane, |reply| Command::Begin { operation, action, reply }).await
    }

    async fn found(&self, id: &OperationId) -> Result<Vec<(OrgId, u64, Operation)>, Error> {
        let found = self.ledger.operation(id).await?;
        if found.is_empty() { Err(Error::NoSuchOperation(id.clone())) } else { Ok(found) }
    }
}

/// Whoever asks, with the key of the request where this is the last that it is carried out by: one that broke off before is carried out
/// again when it comes again.
fn known_from(by: &Asker, is_last: bool) -> Asker {
    Asker { key: by.key.clone().filter(|_| is_last), ..by.clone() }
}

/// The part of a query that causes tell: they are the ones that it can be about.
fn open(query: &ErrorQuery) -> ErrorQuery {
    ErrorQuery {
        states: query.states.clone(),
        classes: query.classes.clone(),
        codes: query.codes.clone(),
        groups: query.groups.clone(),
        text: query.text.clone(),
        ..ErrorQuery::default()
    }
}
