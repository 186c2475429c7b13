//! The small part of a sync error that lists and filters read, and how many there are in each state.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Class, ConversationId, Fingerprint, OrgId, Person, PolicyRef, RecordId, State, SyncError, SyncErrorId, Timestamp,
    search_term,
};

/// What lists and filters read of a sync error; some 200 bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorSummary {
    /// Its id.
    pub id: SyncErrorId,
    /// The organization.
    pub org: OrgId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Where it stands.
    pub state: State,
    /// What can be done about it.
    pub class: Class,
    /// Salesforce's code, the policy's own, or this host's.
    pub code: String,
    /// Its cause.
    pub group: Fingerprint,
    /// The team of the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The platform's word for the channel.
    pub channel: String,
    /// The policy and revision that judged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyRef>,
    /// Who the customer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Box<Person>>,
    /// Records of Salesforce that the conversation has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordId>,
    /// Salesforce's id of the request that was refused last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// When it failed first.
    pub first_seen: Timestamp,
    /// When it failed last.
    pub last_seen: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// How many messages are affected.
    pub affected_count: u64,
    /// How often it changed.
    pub version: u64,
}

/// What most filters look at, read of a summary without the rest: of many sync errors that a page looks at, few match.
#[derive(Debug, Deserialize)]
pub struct Glance<'a> {
    /// What can be done about it.
    pub class: Class,
    /// Its code.
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    /// The team of the conversation.
    #[serde(borrow, default)]
    pub team: Option<Cow<'a, str>>,
    /// The platform's word for the channel.
    #[serde(borrow)]
    pub channel: Cow<'a, str>,
}

impl SyncError {
    /// What lists and filters read of it.
    #[must_use]
    pub fn summary(&self) -> ErrorSummary {
        ErrorSummary {
            id: self.id.clone(),
            org: self.org.clone(),
            conversation: self.conversation.clone(),
            state: self.state,
            class: self.refusal.class,
            code: self.refusal.code.clone(),
            group: self.group.clone(),
            team: self.team.clone(),
            channel: self.channel.clone(),
            policy: self.judged_by.clone(),
            person: self.person.clone(),
            records: self.records.clone(),
            request_id: self.refusal.request_id.clone(),
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            attempts: self.attempts,
            affected_count: self.affected_count,
            version: self.version,
        }
    }
}

/// Where a sync error stands in lists: by when it failed first, which never changes.
pub type ErrorPlace = (Timestamp, SyncErrorId);

impl ErrorSummary {
    /// Where it stands in lists.
    #[must_use]
    pub fn place(&self) -> ErrorPlace {
        (self.first_seen, self.id.clone())
    }

    /// What it is found by beside its own ids: how the customer is called, records of Salesforce (their first 15 characters,
    /// which the rest of an id only repeats), and Salesforce's id of the request.
    #[must_use]
    pub fn terms(&self) -> BTreeSet<String> {
        let records = self.records.iter().map(|id| search_term(id.as_str().get(..15).unwrap_or(id.as_str())));
        let request = self.request_id.iter().map(|id| search_term(id)).filter(|term| !term.is_empty());
        self.person.iter().flat_map(|person| person.terms()).chain(records).chain(request).collect()
    }
}

/// How many sync errors an organization has in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCounts {
    /// Wait for a person.
    pub pending: u64,
    /// Are tried again by themselves.
    pub retrying: u64,
    /// Are ignored.
    pub ignored: u64,
    /// Are over.
    pub resolved: u64,
}

impl ErrorCounts {
    /// A sync error went from one state (`None`: it is new) to another (`None`: it is forgotten).
    pub fn moved(&mut self, before: Option<State>, after: Option<State>) {
        if let Some(before) = before {
            let count = self.of(before);
            *count = count.saturating_sub(1);
        }
        if let Some(after) = after {
            *self.of(after) += 1;
        }
    }

    /// How many are in one of these states.
    pub fn within(&self, states: impl Iterator<Item = State>) -> u64 {
        let mut counts = *self;
        states.map(|state| *counts.of(state)).sum()
    }

    fn of(&mut self, state: State) -> &mut u64 {
        match state {
            State::Pending => &mut self.pending,
            State::Retrying => &mut self.retrying,
            State::Ignored => &mut self.ignored,
            State::Resolved => &mut self.resolved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, Refusal};

    #[test]
    fn it_is_found_by_the_customer_by_records_and_by_the_request() {
        let org = OrgId::new("acme").unwrap();
        let refusal = Refusal { request_id: Some("A1B2-c3".to_owned()), ..Refusal::new(Class::Record, "CODE", "") };
        let group = Cause::new(&org, &refusal).identify().id;
        let (id, conversation, message) =
            (SyncErrorId::new("se-1").unwrap(), "main:1".parse().unwrap(), "main:2".parse().unwrap());
        let mut error = SyncError::blank(id, org, conversation, message, group, refusal, Timestamp::default());
        error.records = vec![RecordId::new("003000000000001AAA").unwrap(), RecordId::new("short").unwrap()];
        error.person = Some(Box::new(Person { name: Some("Jane  Doe".to_owned()), ..Person::default() }));
        let terms: Vec<_> = error.summary().terms().into_iter().collect();
        assert_eq!(terms, ["003000000000001", "a1b2-c3", "doe", "jane doe", "short"]);
    }

    #[test]
    fn counts_are_summed_over_states() {
        let counts = ErrorCounts { pending: 1, retrying: 2, ignored: 4, resolved: 8 };
        assert_eq!(counts.within(State::ALL.into_iter()), 15);
        assert_eq!(counts.within([State::Pending, State::Ignored].into_iter()), 5);
        assert_eq!(counts.within(std::iter::empty()), 0);
    }
}
