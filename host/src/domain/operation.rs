//! What somebody asks of many sync errors at once: durable before it is answered, and carried out a part at a time.

use serde::{Deserialize, Serialize};

use super::{ErrorSummary, State, SyncErrorId, Timestamp};

/// A retry of every sync error of an organization that was open when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Who asked.
    pub by: String,
    /// When. What fails first later is not in it.
    pub as_of: Timestamp,
    /// How many sync errors were open then.
    pub matched: u64,
    /// Those that were retried so far.
    pub retried: u64,
    /// Those that had changed by the time their turn came.
    pub skipped: u64,
    /// Which list it goes through now: first what is being retried, then what is pending, so that it meets nothing twice.
    pub state: State,
    /// The last one of that list that it has looked at, by what never changes of it.
    pub after: Option<(Timestamp, SyncErrorId)>,
}

impl Operation {
    /// A retry of everything that is open.
    #[must_use]
    pub const fn retry_all(by: String, as_of: Timestamp, matched: u64) -> Self {
        Self { by, as_of, matched, retried: 0, skipped: 0, state: State::Retrying, after: None }
    }

    /// Takes the next part of the list that it goes through: answers the sync errors to retry, and whether it is over when
    /// they are. A `page` that has fewer than `asked` is the last of its list.
    pub fn take(&mut self, page: Vec<ErrorSummary>, asked: usize) -> (Vec<ErrorSummary>, bool) {
        let whole = page.len() >= asked;
        let taken: Vec<_> = page.into_iter().take_while(|error| error.first_seen <= self.as_of).collect();
        let more = whole && taken.len() >= asked;
        if let Some(last) = taken.last() {
            self.after = Some((last.first_seen, last.id.clone()));
        }
        if more {
            return (taken, false);
        }
        let over = self.state == State::Pending;
        (self.state, self.after) = (State::Pending, self.after.take().filter(|_| over));
        (taken, over)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Cause, Class, OrgId, Refusal};

    fn errors(times: &[u64]) -> Vec<ErrorSummary> {
        let (org, refusal) = (OrgId::new("acme").unwrap(), Refusal::new(Class::Record, "CODE", ""));
        let group = Cause::new(&org, &refusal).identify().id;
        let error = |(number, at): (usize, &u64)| ErrorSummary {
            id: format!("se-{number:05}").parse().unwrap(),
            org: org.clone(),
            conversation: format!("main:{number}").parse().unwrap(),
            state: State::Pending,
            class: Class::Record,
            code: "CODE".to_owned(),
            group: group.clone(),
            team: None,
            channel: String::new(),
            policy: None,
            first_seen: Timestamp::from_millis(*at),
            last_seen: Timestamp::from_millis(*at),
            attempts: 1,
            affected_count: 1,
            version: 1,
        };
        let mut all: Vec<_> = times.iter().enumerate().map(error).collect();
        all.sort_by_key(|error| (error.first_seen, error.id.clone()));
        all
    }

    proptest! {
        #[test]
        fn it_meets_everything_that_was_open_once_and_nothing_that_came_later(
            retrying in prop::collection::vec(0..40_u64, 0..30),
            pending in prop::collection::vec(0..40_u64, 0..30),
            asked in 1..7_usize,
        ) {
            let lists = [errors(&retrying), errors(&pending)];
            let mut operation = Operation::retry_all("ann".to_owned(), Timestamp::from_millis(20), 0);
            let (mut met, mut turns) = (0, 0);
            loop {
                turns += 1;
                prop_assert!(turns < 100, "it ends");
                let list = &lists[usize::from(operation.state == State::Pending)];
                let after = |error: &&ErrorSummary| {
                    operation.after.as_ref().is_none_or(|after| *after < (error.first_seen, error.id.clone()))
                };
                let page = list.iter().filter(after).take(asked).cloned().collect();
                let (taken, over) = operation.take(page, asked);
                met += taken.len();
                if over {
                    break;
                }
            }
            let open = |times: &[u64]| times.iter().filter(|at| **at <= 20).count();
            prop_assert_eq!(met, open(&retrying) + open(&pending));
        }
    }
}
