//! The model of how operations go on: what they do with which sync errors, and when they end.

use std::collections::{BTreeMap, BTreeSet};

use super::conversations::{Conv, Does};
use super::entries::{Entry, Why};
use super::moves::{Doing, Over};
use super::operations::{FIRST, InModel, Meant, OfCause, Outcome};
use super::organization::Model;
use crate::domain::{ErrorPlace, OperationId, OperationStatus, State};

impl Model {
    /// How somebody means it now; the name of a customer is how they are called, or would be.
    pub(super) fn meant(&self, over: Over) -> Meant {
        match over {
            Over::All => Meant::All,
            Over::Cause(why) => Meant::Cause(why),
            Over::Conversation(number) => Meant::Conversation(number),
            Over::Customer(number) => {
                let name = self.convs.get(&number).and_then(|conv| conv.name.clone());
                Meant::Customer(name.unwrap_or_else(|| super::name(number, false)))
            }
        }
    }

    /// How many match, by cause.
    pub(super) fn count(&self, states: &[State], meant: &Meant) -> BTreeMap<Why, u64> {
        let mut counts = BTreeMap::new();
        let matching = |(number, error): &(u64, &Entry)| states.contains(&error.state) && meant.takes(*number, error);
        for (_, error) in self.entries().into_iter().filter(matching) {
            *counts.entry(error.why).or_insert(0) += 1;
        }
        counts
    }

    /// An operation begins; what takes another one back goes through all causes that have something ignored.
    pub(super) fn begin(&mut self, id: OperationId, doing: Doing, meant: Meant, undoes: Option<u64>) -> u64 {
        let within = match (undoes, &meant) {
            (Some(_), Meant::Conversation(_) | Meant::Customer(_)) => &Meant::All,
            _ => &meant,
        };
        let counts = self.count(doing.states(), within);
        let matched = match (undoes, doing) {
            (Some(number), _) => self.operations[&number].done,
            (None, Doing::Assign) => counts.len() as u64,
            (None, _) => counts.values().sum(),
        };
        let number = self.operations.len() as u64 + 1;
        let allows = |error: &&Entry| doing.states().contains(&error.state);
        let all = self.convs.values().flat_map(|conv| &conv.errors);
        let operation = InModel {
            id,
            among: all.filter(allows).map(|error| error.id.clone()).collect(),
            doing,
            meant,
            undoes,
            as_of: self.now,
            status: OperationStatus::Running,
            is_over: false,
            matched,
            done: 0,
            skipped: 0,
            came_out: BTreeMap::new(),
            failed_as: BTreeMap::new(),
            stopped: BTreeSet::new(),
            parts: counts.into_keys().map(|why| (why, OfCause::default())).collect(),
        };
        self.operations.insert(number, operation);
        number
    }

    /// What an operation looks at next of a cause.
    fn next(&self, operation: &InModel, why: Why) -> Vec<(u64, ErrorPlace)> {
        let after = operation.parts[&why].after.as_ref();
        let place = |error: &Entry| (error.first_seen, error.id.clone());
        let is_next = |(number, error): &(u64, &Entry)| {
            error.why == why
                && operation.doing.states().contains(&error.state)
                && operation.meant.takes(*number, error)
                && error.first_seen <= operation.as_of
                && after.is_none_or(|after| place(error) > *after)
        };
        self.entries().into_iter().filter(is_next).map(|(number, error)| (number, place(error))).collect()
    }

    /// Operations that send nothing do at once what they are about.
    pub(super) fn act(&mut self) {
        let now = self.now;
        let goes_on = |(_, it): &(&u64, &InModel)| it.status == OperationStatus::Running && !it.is_over;
        for number in self.operations.iter().filter(goes_on).map(|(number, _)| *number).collect::<Vec<_>>() {
            let operation = self.operations[&number].clone();
            for why in operation.parts.keys().copied().filter(|_| operation.doing != Doing::Retry) {
                let found = self.next(&operation, why);
                let mut done = 0;
                for (of, (_, id)) in found.iter().filter(|(_, place)| operation.among.contains(&place.1)) {
                    match operation.doing {
                        Doing::Ignore => self.ignore(*of, super::REASON, Some(number)),
                        Doing::Reopen => {
                            let error = self.conv(*of).errors.iter().find(|error| error.id == *id).expect("an error");
                            if operation.undoes.is_some() && error.ignored_by != operation.undoes {
                                continue;
                            }
                            self.conv(*of).reopen(now);
                        }
                        Doing::Assign if done > 0 => break,
                        Doing::Assign => {
                            let cause = self.causes.get_mut(&why).expect("a cause");
                            cause.assignee = Some("bob".to_owned());
                        }
                        Doing::Retry => {}
                    }
                    done += 1;
                }
                let operation = self.operations.get_mut(&number).expect("an operation");
                operation.does(done);
                operation.parts.get_mut(&why).expect("a part").is_over = true;
            }
        }
    }

    /// Retries take up what they may.
    pub(super) fn take_up(&mut self) {
        let goes_on = |(_, it): &(&u64, &InModel)| it.status == OperationStatus::Running && !it.is_over;
        let now = self.now;
        for number in self.operations.iter().filter(goes_on).map(|(number, _)| *number).collect::<Vec<_>>() {
            let operation = self.operations[&number].clone();
            for why in operation.parts.keys().copied().filter(|_| operation.doing == Doing::Retry) {
                let mut part = operation.parts[&why].clone();
                let found = self.next(&operation, why);
                // Where one came out well, the rest is tried, however many there are.
                let most = match part.came_out_well() {
                    0 => FIRST.saturating_sub(part.tried(Outcome::Alike) + part.under_way()),
                    _ => usize::MAX,
                };
                if part.is_over || most == 0 {
                    continue;
                }
                let mut taken = 0;
                part.is_over = found.len() <= most;
                for (of, place) in found.into_iter().take(most) {
                    let is_in_it = operation.among.contains(&place.1);
                    part.after = Some(place);
                    if !is_in_it || self.convs[&of].part.is_some_and(|(by, ..)| by == number) {
                        continue;
                    }
                    self.conv(of).retry(now);
                    self.conv(of).part = Some((number, why, true));
                    taken += 1;
                }
                part.done += taken;
                let operation = self.operations.get_mut(&number).expect("an operation");
                operation.does(taken as u64);
                operation.parts.insert(why, part);
            }
        }
    }

    /// What an operation waits for has come out.
    pub(super) fn came_out(&mut self, number: u64, how: Outcome, why: Option<Why>) {
        let Some((of, cause, waits)) = self.conv(number).part.filter(|part| part.2) else { return };
        self.conv(number).part = Some((of, cause, !waits));
        let operation = self.operations.get_mut(&of).expect("an operation");
        *operation.came_out.entry(how).or_default() += 1;
        if let Some(why) = why {
            *operation.failed_as.entry(why).or_default() += 1;
        }
        let Some(part) = operation.parts.get_mut(&cause) else { return };
        *part.tried.entry(how).or_default() += 1;
        if !part.is_over && part.came_out_well() == 0 && part.tried(Outcome::Alike) >= FIRST {
            part.is_over = true;
            operation.stopped.insert(cause);
        }
    }

    /// What has nothing left to do is over.
    pub(super) fn end_operations(&mut self) {
        for operation in self.operations.values_mut().filter(|it| !it.is_over) {
            let goes_on = match operation.status {
                OperationStatus::Running => operation.parts.values().any(|part| !part.is_over),
                OperationStatus::Paused => true,
                OperationStatus::Cancelled | OperationStatus::Done => false,
            };
            if goes_on || operation.under_way() > 0 {
                continue;
            }
            operation.is_over = true;
            if operation.status == OperationStatus::Running {
                operation.status = OperationStatus::Done;
                if operation.stopped.is_empty() {
                    // What is not there any more had changed before it came to that.
                    operation.skipped = operation.matched.saturating_sub(operation.done);
                }
            }
        }
    }

    /// Whether a retry goes on, or would, while something of others than its own may be tried at the same moment: which of both comes
    /// first, nobody says.
    pub(super) fn clashes(&self, with: Option<u64>) -> bool {
        let other = |conv: &Conv| {
            let own = conv.part.is_some_and(|(of, _, waits)| waits && Some(of) == with);
            matches!(conv.does, Does::Parked | Does::Waits(_)) && conv.open().is_some() && !own
        };
        self.is_open() && self.convs.values().any(other)
    }

    /// The retry that waits for the end of the incident.
    pub(super) fn waiting_retry(&self) -> Option<u64> {
        let waits = |(_, it): &(&u64, &InModel)| {
            it.doing == Doing::Retry && it.status == OperationStatus::Running && !it.is_over
        };
        self.operations.iter().find(waits).map(|(number, _)| *number)
    }
}
