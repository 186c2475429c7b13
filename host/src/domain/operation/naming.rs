//! Operations that name a customer: in the reason that somebody gave, or in what they were narrowed by.

use std::collections::BTreeSet;

use super::{Operation, OperationStatus, Task};
use crate::domain::erasure::ERASED;
use crate::domain::{names, search_term};

impl Operation {
    /// Whether words of it name a customer who is found by one of these terms.
    #[must_use]
    pub fn names(&self, terms: &BTreeSet<String>) -> bool {
        self.is_because_of(terms) || self.is_over(terms)
    }

    /// Forgets words that name a customer. One that was narrowed by them and goes on is cancelled: nobody knows any more what it is
    /// over. (A first name alone is that of others too; it is forgotten when the operation ends.)
    pub fn erase(&mut self, terms: &BTreeSet<String>) {
        if self.is_over(terms) {
            self.query.forget_customer();
            if matches!(self.status, OperationStatus::Running | OperationStatus::Paused) {
                self.status = OperationStatus::Cancelled;
            }
        }
        if self.is_because_of(terms) {
            self.task = Task::Ignore { reason: ERASED.to_owned() };
        }
    }

    fn is_because_of(&self, terms: &BTreeSet<String>) -> bool {
        matches!(&self.task, Task::Ignore { reason } if names(reason, terms))
    }

    fn is_over(&self, terms: &BTreeSet<String>) -> bool {
        [&self.query.customer, &self.query.q].into_iter().flatten().any(|text| means(&search_term(text), terms))
    }
}

/// Whether the beginning of a name, an address or a number means one customer: it is all of it, or more than a first name.
fn means(begin: &str, terms: &BTreeSet<String>) -> bool {
    let is_number = begin.len() >= 6 && begin.bytes().all(|byte| byte.is_ascii_digit());
    let is_much = is_number || begin.contains([' ', '@']);
    terms.iter().any(|term| term == begin || (is_much && term.starts_with(begin)))
}
