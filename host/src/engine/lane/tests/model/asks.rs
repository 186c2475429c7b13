//! What people ask for in a case, of one sync error and of many, and whether the answer is the one that is to be given.

use super::entries::Why;
use super::facts::{fingerprint, why};
use super::moves::{Asked, Doing, Over, Steered};
use super::operations::{self, Meant};
use super::{Case, REASON};
use crate::domain::{Action, Deed, ErrorQuery, Operation, OperationStatus, Pick, State, Task, Timestamp};
use crate::engine::command::{Ask, Command};
use crate::engine::lane::tests::bench::{CONTACTS, ann, conversation, org};

impl Case {
    pub(super) async fn ask(&mut self, number: u64, asked: Asked) {
        let ask = match asked {
            Asked::Retry => Ask::Retry,
            Asked::Ignore => Ask::Ignore(REASON.to_owned()),
            Asked::Reopen => Ask::Reopen,
        };
        let answer = self.bench.about(number, ask).await.map(|answer| answer.is_ok());
        let now = self.model.now;
        let model = &mut self.model;
        let state = model.convs.get(&number).and_then(|conv| conv.open()).map(|error| error.state);
        let allowed = state.map(|state| (state == State::Ignored) == (asked == Asked::Reopen));
        assert_eq!(answer, allowed, "{asked:?} of {number}, which is {state:?}");
        if state.is_some() && asked == Asked::Retry {
            model.lift();
        }
        match asked {
            _ if allowed != Some(true) => {}
            Asked::Retry => model.conv(number).retry(now),
            Asked::Ignore => model.ignore(number, REASON, None),
            Asked::Reopen => model.conv(number).reopen(now),
        }
    }

    pub(super) async fn choose(&mut self, number: u64, place: usize) {
        let pick = Pick::Contact(CONTACTS[place].parse().expect("an id"));
        let answer = self.bench.choose(number, pick).await.map(|answer| answer.is_ok());
        let now = self.model.now;
        let Some(conv) = self.model.convs.get_mut(&number).filter(|conv| !conv.errors.is_empty()) else {
            return assert_eq!(answer, None);
        };
        let (state, newest) = (conv.open().map(|error| error.state), conv.errors.last().expect("a sync error"));
        let is_named = newest.why == Why::Contact;
        let (allowed, does) = match state {
            Some(State::Retrying | State::Ignored) if conv.chosen == Some(place) => (true, false),
            Some(State::Pending | State::Retrying) => (is_named, is_named),
            None if conv.chosen.is_some() => (is_named, is_named),
            _ => (false, false),
        };
        assert_eq!(answer, Some(allowed), "{place} is chosen of {number}, which is {state:?}");
        if does {
            conv.chosen = Some(place);
            conv.retry(now);
        }
    }

    pub(super) async fn ignore_parked(&mut self, number: u64) {
        let (conversation, reason) = (conversation(number), REASON.to_owned());
        let asked = |reply| Command::IgnoreParked { conversation, by: ann(), reason, reply };
        let answer = self.bench.ask(asked).await.expect("an answer");
        assert_eq!(answer.is_ok(), self.model.ignore_parked(number), "{answer:?}");
    }

    fn query(meant: &Meant, states: &[State]) -> ErrorQuery {
        let all = ErrorQuery::of_org(org(), states.iter().copied());
        match meant {
            Meant::All => all,
            Meant::Cause(why) => ErrorQuery { groups: [fingerprint(*why)].into(), ..all },
            Meant::Conversation(number) => ErrorQuery { conversation: Some(conversation(*number)), ..all },
            Meant::Customer(name) => ErrorQuery { customer: Some(name.clone()), ..all },
        }
    }

    /// A dry run, and then the operation, where anything matches.
    pub(super) async fn operate(&mut self, doing: Doing, over: Over, paused: bool) {
        let meant = self.model.meant(over);
        let query = Self::query(&meant, doing.states());
        let counted = self.bench.ledger.count(&query, 10_000).await.expect("a count");
        let counts = counted.groups.iter().map(|(_, group, count)| (why(group), *count)).collect();
        let has_to_be = self.model.count(doing.states(), &meant);
        assert!(counted.is_exact);
        assert_eq!(has_to_be, counts, "a dry run of {doing:?} over {meant:?}");
        if has_to_be.is_empty() {
            return;
        }
        let task = match doing {
            Doing::Retry => Task::Retry,
            Doing::Ignore => Task::Ignore { reason: REASON.to_owned() },
            Doing::Reopen => Task::Reopen { undoes: None, since: None },
            Doing::Assign => Task::Assign { assignee: Some("bob".to_owned()) },
        };
        let operation = self.bench.operation(task, &query).await.expect("an operation");
        let paused = paused || (doing == Doing::Retry && self.model.clashes(None));
        self.begin(operation, doing, (meant, None), paused).await;
    }

    pub(super) async fn begin(
        &mut self,
        operation: Operation,
        doing: Doing,
        (meant, undoes): (Meant, Option<u64>),
        paused: bool,
    ) {
        let number = self.model.begin(operation.id.clone(), doing, meant, undoes);
        if doing == Doing::Retry {
            self.model.lift();
        }
        if paused {
            // Both are asked for before the lane comes to either.
            let asked = |reply| Command::Change {
                number,
                status: OperationStatus::Paused,
                action: Box::new(Action::new(&ann(), Deed::OperationPause, Timestamp::default())),
                reply,
            };
            let (begun, changed) = tokio::join!(self.bench.begin(operation), self.bench.ask(asked));
            assert!(begun.is_some() && changed.is_some_and(|answer| answer.is_ok()));
            self.model.operations.get_mut(&number).expect("it has begun").status = OperationStatus::Paused;
        } else {
            assert!(self.bench.begin(operation).await.is_some());
        }
    }

    pub(super) async fn steer_some(&mut self, which: usize, steered: Steered) {
        let Some(number) = self.model.operations.keys().rev().nth(which).copied() else { return };
        let operation = &self.model.operations[&number];
        let status = match steered {
            Steered::Pause => OperationStatus::Paused,
            Steered::Resume => OperationStatus::Running,
            Steered::Cancel => OperationStatus::Cancelled,
        };
        let tries = status == OperationStatus::Running && operation.doing == Doing::Retry;
        if !(tries && self.model.clashes(Some(number))) {
            self.steer(number, status).await;
        }
    }

    pub(super) async fn steer(&mut self, number: u64, status: OperationStatus) {
        let operation = self.model.operations.get_mut(&number).expect("an operation");
        let allowed = !operation.is_over && matches!(operation.status.as_str(), "running" | "paused");
        let answer = self.bench.steer(&operation.id, status).await;
        assert_eq!(answer.is_some(), allowed, "{status} of {operation:?}");
        if allowed {
            operation.status = status;
        }
    }

    pub(super) async fn undo(&mut self, which: usize) {
        let is_meant = |it: &operations::InModel| it.doing == Doing::Ignore && it.is_over;
        let ignored = self.model.operations.iter().rev().filter(|(_, it)| is_meant(it)).nth(which);
        let Some((number, operation)) = ignored.map(|(number, operation)| (*number, operation.clone())) else { return };
        let (_, _, real) = self.bench.ledger.operation(&operation.id).await.expect("operations").pop().expect("one");
        let undoing = self.bench.undoing(number, real).await.expect("an operation");
        // Nobody knows any more which customer it was about; that it ignored it stands at each.
        let meant = if matches!(operation.meant, Meant::Customer(_)) { Meant::All } else { operation.meant };
        self.begin(undoing, Doing::Reopen, (meant, Some(number)), false).await;
    }
}
