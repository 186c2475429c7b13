//! Which sync errors are meant: the filters of a list, of an export and of an operation.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::erasure::ERASED;
use super::{
    Class, ConversationId, ErrorSummary, Fingerprint, Glance, MessageId, OrgId, PolicyName, State, SyncErrorId,
    Timestamp, folded, search_term,
};

/// Sync errors that all filters match. A set that is empty narrows nothing; of a set, one has to match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorQuery {
    /// These alone.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub ids: BTreeSet<SyncErrorId>,
    /// Organizations.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub orgs: BTreeSet<OrgId>,
    /// States.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub states: BTreeSet<State>,
    /// Classes of the refusals.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub classes: BTreeSet<Class>,
    /// Codes of the refusals.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub codes: BTreeSet<String>,
    /// Causes.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<Fingerprint>,
    /// Teams of the conversations.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<String>,
    /// Channels of the conversations, in the platform's words.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub channels: BTreeSet<String>,
    /// Policies that judged them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub policies: BTreeSet<PolicyName>,
    /// When they failed first.
    #[serde(skip_serializing_if = "Period::is_unbounded")]
    pub first_seen: Period,
    /// When they failed last.
    #[serde(skip_serializing_if = "Period::is_unbounded")]
    pub last_seen: Period,
    /// How often they were tried: at least, and at most.
    #[serde(skip_serializing_if = "is_any")]
    pub attempts: (Option<u32>, Option<u32>),
    /// Their conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// A message of their conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// How the customer's name, or an address of theirs, begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Words that the title or the text of their cause has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// An id of any kind, how a customer's name or address begins, or words of the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

/// A time from (itself included) and before which something was (itself excluded).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Period {
    /// Not earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
}

impl Period {
    /// Whether it is all times.
    #[must_use]
    pub const fn is_unbounded(&self) -> bool {
        self.from.is_none() && self.before.is_none()
    }

    /// Whether a time is within it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.before.is_none_or(|before| at < before)
    }
}

const fn is_any(range: &(Option<u32>, Option<u32>)) -> bool {
    range.0.is_none() && range.1.is_none()
}

impl ErrorQuery {
    /// Everything that an organization has in these states.
    #[must_use]
    pub fn of_org(org: OrgId, states: impl IntoIterator<Item = State>) -> Self {
        Self { orgs: [org].into(), states: states.into_iter().collect(), ..Self::default() }
    }

    /// The states that are meant.
    pub fn states(&self) -> impl Iterator<Item = State> {
        State::ALL.into_iter().filter(|state| self.states.is_empty() || self.states.contains(state))
    }

    /// Whether a summary matches all that can be told by it alone: everything but `message`, `text` and `q`.
    #[must_use]
    pub fn matches(&self, error: &ErrorSummary) -> bool {
        let (at_least, at_most) = self.attempts;
        is_in(&self.ids, &error.id)
            && is_in(&self.orgs, &error.org)
            && is_in(&self.states, &error.state)
            && is_in(&self.classes, &error.class)
            && is_in(&self.codes, &error.code)
            && is_in(&self.groups, &error.group)
            && (self.teams.is_empty() || error.team.as_ref().is_some_and(|team| self.teams.contains(team)))
            && is_in(&self.channels, &error.channel)
            && (self.policies.is_empty() || error.policy.as_ref().is_some_and(|by| self.policies.contains(&by.name)))
            && self.first_seen.contains(error.first_seen)
            && self.last_seen.contains(error.last_seen)
            && at_least.is_none_or(|least| least <= error.attempts)
            && at_most.is_none_or(|most| error.attempts <= most)
            && self.conversation.as_ref().is_none_or(|id| *id == error.conversation)
            && self.customer.as_ref().is_none_or(|begin| {
                let begin = search_term(begin);
                error.person.iter().flat_map(|person| person.terms()).any(|term| term.starts_with(&begin))
            })
    }

    /// Whether it names sync errors, or what leads to few of them.
    #[must_use]
    pub fn names_some(&self) -> bool {
        let conversations = self.conversation.is_some() || self.message.is_some();
        !self.ids.is_empty() || conversations || self.customer.is_some()
    }

    /// Whether it narrows by anything that a glance tells.
    #[must_use]
    pub fn is_glanced(&self) -> bool {
        !(self.classes.is_empty() && self.codes.is_empty() && self.teams.is_empty() && self.channels.is_empty())
    }

    /// Whether a sync error that looks like this can match.
    #[must_use]
    pub fn may_match(&self, glance: &Glance<'_>) -> bool {
        is_in(&self.classes, &glance.class)
            && (self.codes.is_empty() || self.codes.contains(&*glance.code))
            && (self.teams.is_empty() || glance.team.as_ref().is_some_and(|team| self.teams.contains(&**team)))
            && (self.channels.is_empty() || self.channels.contains(&*glance.channel))
    }

    /// Forgets by whom it was narrowed: what is kept of it for long is no place for customers' names.
    pub fn forget_customer(&mut self) {
        for words in [&mut self.customer, &mut self.q] {
            if words.is_some() {
                *words = Some(ERASED.to_owned());
            }
        }
    }

    /// The same query without what was forgotten of it.
    #[must_use]
    pub fn without_forgotten(mut self) -> Self {
        for words in [&mut self.customer, &mut self.q] {
            words.take_if(|words| words == ERASED);
        }
        self
    }

    /// Whether it names what a cause has: then the causes tell where to look.
    #[must_use]
    pub fn narrows_groups(&self) -> bool {
        !(self.classes.is_empty() && self.codes.is_empty() && self.groups.is_empty() && self.text.is_none())
    }

    /// Whether sync errors of a cause can match; its words are asked for where the query has some.
    #[must_use]
    pub fn takes_group(&self, id: &Fingerprint, class: Class, code: &str, words: impl FnOnce() -> String) -> bool {
        // What is beyond the most causes that are kept apart is of any class and code.
        let rest = *id == Fingerprint::unnamed();
        is_in(&self.groups, id)
            && (rest || is_in(&self.classes, &class))
            && (rest || self.codes.is_empty() || self.codes.iter().any(|known| known == code))
            && self.text.as_ref().is_none_or(|text| !rest && has_words(&words(), text))
    }

    /// Whether the counts of organizations, or of causes, tell how many sync errors match.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        let beyond = Self {
            orgs: BTreeSet::new(),
            states: BTreeSet::new(),
            classes: BTreeSet::new(),
            codes: BTreeSet::new(),
            groups: BTreeSet::new(),
            text: None,
            ..self.clone()
        };
        beyond == Self::default()
    }
}

fn is_in<T: Ord>(set: &BTreeSet<T>, value: &T) -> bool {
    set.is_empty() || set.contains(value)
}

/// Whether a text has all these words, in any order, case and with or without accents.
#[must_use]
pub fn has_words(text: &str, words: &str) -> bool {
    let text = folded(text);
    let mut any = false;
    let all = folded(words).split_whitespace().all(|word| {
        any = true;
        text.contains(word)
    });
    all && any
}

#[cfg(test)]
mod tests;
