//! What a policy is made from, and its numbered revisions.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{PluginName, Timestamp};

/// The texts of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySource {
    /// The text of NAME.toml.
    pub toml: String,
    /// The scripts by file name; those that the policy does not name are left alone.
    #[serde(default)]
    pub scripts: BTreeMap<String, String>,
    /// Where they come from.
    pub origin: Origin,
    /// When they were given.
    pub at: Timestamp,
}

impl PolicySource {
    /// How long all of its texts are, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.toml.len() + self.scripts.values().map(String::len).sum::<usize>()
    }
}

/// Where a policy or a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum Origin {
    /// It is part of this program.
    Embedded,
    /// A file.
    File {
        /// Its path.
        path: String,
    },
    /// An OCI registry.
    Registry {
        /// Where in it.
        reference: String,
    },
    /// A request.
    Api {
        /// The name of the token that was shown.
        by: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("built in"),
            Self::File { path } => f.write_str(path),
            Self::Registry { reference } => write!(f, "registry, {reference}"),
            Self::Api { by } => write!(f, "put by {by}"),
        }
    }
}

/// A policy as it once was, or is: the same texts with the same plugins are the same revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRevision {
    /// Counted from 1.
    pub number: u32,
    /// SHA-256 over its texts and its plugins, in hexadecimal.
    pub digest: String,
    /// Its texts, who gave them last, and when.
    pub source: PolicySource,
    /// The plugins that it names, with the SHA-256 of each.
    pub plugins: BTreeMap<PluginName, String>,
    /// What has become of it.
    pub state: RevisionState,
    /// Why it is not in force, where there is a reason.
    pub reason: Option<String>,
    /// When it came into this state.
    pub changed_at: Timestamp,
}

/// What has become of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevisionState {
    /// It is being configured and tried.
    Preparing,
    /// It was tried and answers beside the one in force, to be compared.
    Ready,
    /// It decides.
    InForce,
    /// It could not be read, configured or tried.
    Refused,
    /// It was in force, failed too often, and was taken back by itself.
    RolledBack,
    /// Another one took its place.
    Retired,
}

impl RevisionState {
    /// The state as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Ready => "ready",
            Self::InForce => "in-force",
            Self::Refused => "refused",
            Self::RolledBack => "rolled-back",
            Self::Retired => "retired",
        }
    }
}

/// Revisions of a policy that are kept; beyond that the oldest that is not in force is forgotten.
const KEPT: usize = 200;

/// The revisions of one policy, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History(Vec<PolicyRevision>);

impl History {
    /// Takes up what was kept, in any order.
    #[must_use]
    pub fn new(mut kept: Vec<PolicyRevision>) -> Self {
        kept.sort_by_key(|revision| revision.number);
        Self(kept)
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn revisions(&self) -> &[PolicyRevision] {
        &self.0
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&PolicyRevision> {
        self.0.iter().find(|revision| revision.number == number)
    }

    /// The number of these texts and plugins: their own from earlier, or the next one.
    pub fn enter(&mut self, digest: &str, source: &PolicySource, plugins: BTreeMap<PluginName, String>) -> u32 {
        if let Some(known) = self.0.iter_mut().find(|revision| revision.digest == digest) {
            known.source = source.clone();
            return known.number;
        }
        let number = self.0.last().map_or(1, |last| last.number + 1);
        self.0.push(PolicyRevision {
            number,
            digest: digest.to_owned(),
            source: source.clone(),
            plugins,
            state: RevisionState::Preparing,
            reason: None,
            changed_at: source.at,
        });
        number
    }

    /// Moves a revision, and retires whichever was in force when it comes into force itself. One that was rolled back stays so
    /// until it is in force again, whatever else is tried with it. Answers the revisions that changed and the numbers of those
    /// that are forgotten.
    pub fn set(
        &mut self,
        number: u32,
        state: RevisionState,
        reason: Option<String>,
        now: Timestamp,
    ) -> (Vec<PolicyRevision>, Vec<u32>) {
        let mut changed = Vec::new();
        for revision in &mut self.0 {
            if revision.number == number {
                let stays = revision.state == RevisionState::RolledBack
                    && !matches!(state, RevisionState::InForce | RevisionState::RolledBack);
                if !stays {
                    (revision.state, revision.reason, revision.changed_at) = (state, reason.clone(), now);
                }
            } else if state == RevisionState::InForce && revision.state == RevisionState::InForce {
                (revision.state, revision.reason, revision.changed_at) = (RevisionState::Retired, None, now);
            } else {
                continue;
            }
            changed.push(revision.clone());
        }
        let over = self.0.len().saturating_sub(KEPT);
        let kept = |revision: &&PolicyRevision| revision.state == RevisionState::InForce || revision.number == number;
        let forgotten: Vec<_> =
            self.0.iter().filter(|revision| !kept(revision)).take(over).map(|revision| revision.number).collect();
        self.0.retain(|revision| !forgotten.contains(&revision.number));
        (changed, forgotten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(toml: &str) -> PolicySource {
        PolicySource { toml: toml.into(), scripts: BTreeMap::new(), origin: Origin::Embedded, at: Timestamp::default() }
    }

    fn enter(history: &mut History, digest: &str) -> u32 {
        history.enter(digest, &source(digest), BTreeMap::new())
    }

    fn set(history: &mut History, number: u32, state: RevisionState) -> (Vec<PolicyRevision>, Vec<u32>) {
        history.set(number, state, None, Timestamp::from_millis(7))
    }

    #[test]
    fn the_same_texts_keep_their_number_and_one_revision_is_in_force() {
        let mut history = History::default();
        let first = enter(&mut history, "a");
        set(&mut history, first, RevisionState::InForce);
        let second = enter(&mut history, "b");
        let (changed, _) = set(&mut history, second, RevisionState::InForce);
        let states: Vec<_> = changed.iter().map(|revision| (revision.number, revision.state)).collect();
        assert_eq!(states, [(1, RevisionState::Retired), (2, RevisionState::InForce)]);
        assert_eq!(enter(&mut history, "a"), first);
        set(&mut history, first, RevisionState::InForce);
        let in_force: Vec<_> = history.revisions().iter().filter(|it| it.state == RevisionState::InForce).collect();
        assert_eq!((in_force.len(), in_force[0].number), (1, 1));
    }

    #[test]
    fn what_was_rolled_back_stays_so_until_it_is_in_force_again() {
        use RevisionState::{InForce, Ready, Refused, Retired, RolledBack};
        let mut history = History::default();
        let first = enter(&mut history, "a");
        set(&mut history, first, InForce);
        history.set(first, RolledBack, Some("it failed".into()), Timestamp::default());
        for tried in [Ready, Retired, Refused] {
            set(&mut history, first, tried);
            let kept = history.get(first).unwrap();
            assert_eq!((kept.state, kept.reason.as_deref()), (RolledBack, Some("it failed")), "{tried:?}");
        }
        set(&mut history, first, InForce);
        assert_eq!(history.get(first).unwrap().state, InForce);
    }

    #[test]
    fn the_oldest_are_forgotten_but_never_the_one_in_force_and_no_number_comes_twice() {
        let mut history = History::default();
        let first = enter(&mut history, "in force");
        set(&mut history, first, RevisionState::InForce);
        let mut forgotten = Vec::new();
        for n in 0..KEPT + 5 {
            let number = enter(&mut history, &format!("refused {n}"));
            forgotten.extend(set(&mut history, number, RevisionState::Refused).1);
        }
        assert_eq!(history.revisions().len(), KEPT);
        assert!(history.get(first).is_some());
        assert_eq!(forgotten, [2, 3, 4, 5, 6, 7]);
        let mut again = History::new(history.revisions().iter().rev().cloned().collect());
        assert_eq!(enter(&mut again, "new"), u32::try_from(KEPT + 7).unwrap());
    }

    #[test]
    fn all_texts_of_a_policy_count() {
        let mut of = source("toml!");
        assert_eq!(of.bytes(), 5);
        of.scripts.extend([("a.rhai".to_owned(), "12".to_owned()), ("b.rhai".to_owned(), "345".to_owned())]);
        assert_eq!(of.bytes(), 10);
    }

    #[test]
    fn where_a_policy_comes_from_is_said_in_words() {
        for (origin, words) in [
            (Origin::Embedded, "built in"),
            (Origin::File { path: "/p/acme.toml".into() }, "/p/acme.toml"),
            (Origin::Registry { reference: "r/acme:1".into() }, "registry, r/acme:1"),
            (Origin::Api { by: "ann".into() }, "put by ann"),
        ] {
            assert_eq!(origin.to_string(), words);
        }
    }

    #[test]
    fn a_state_is_written_as_one_word_everywhere() {
        use RevisionState::{InForce, Preparing, Ready, Refused, Retired, RolledBack};
        for state in [Preparing, Ready, InForce, Refused, RolledBack, Retired] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
