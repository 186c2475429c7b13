//! Troubles: what an operator can cure, each from when it was first seen until it is gone. Kept in memory; clones share them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::domain::{OrgId, Timestamp};

/// So many are kept of a kind that is bounded by nothing; those beyond are counted.
const MOST: usize = 100;
/// The longest text of a trouble, in bytes: most of it comes from outside.
const TEXT_BYTES: usize = 1_000;

/// Something that is wrong and stays so until somebody does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What kind it is of, such as `policy-file`.
    pub kind: &'static str,
    /// What has it: a file, an address, an environment.
    pub subject: String,
    /// The organization that has it; absent where it is the whole host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// When it was first seen.
    pub since: Timestamp,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

impl Trouble {
    /// A trouble of the whole host.
    #[must_use]
    pub fn new(kind: &'static str, subject: &str, what: &str, cure: &str, since: Timestamp) -> Self {
        let cut = |text: &str| text[..text.floor_char_boundary(TEXT_BYTES)].to_owned();
        Self { kind, subject: cut(subject), org: None, since, what: cut(what), cure: cut(cure) }
    }

    /// The same, of an organization.
    #[must_use]
    pub fn of(self, org: &OrgId) -> Self {
        Self { org: Some(org.clone()), ..self }
    }
}

/// All that is wrong at present.
#[derive(Debug, Clone, Default)]
pub struct Troubles(Arc<Mutex<Board>>);

#[derive(Debug, Default)]
struct Board {
    kept: BTreeMap<Place, Trouble>,
    /// Those beyond the most of a kind.
    left_out: BTreeMap<&'static str, usize>,
}

/// One subject of one kind has one trouble, for each organization.
type Place = (&'static str, Option<OrgId>, String);

fn place(trouble: &Trouble) -> Place {
    (trouble.kind, trouble.org.clone(), trouble.subject.clone())
}

impl Board {
    fn raise(&mut self, mut trouble: Trouble) {
        let place = place(&trouble);
        if let Some(known) = self.kept.get(&place) {
            trouble.since = known.since;
        }
        self.kept.insert(place, trouble);
    }
}

impl Troubles {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is wrong with what the configuration names: that bounds how many there are. What was wrong before with the
    /// same subject keeps its time.
    pub fn raise(&self, trouble: Trouble) {
        self.board().raise(trouble);
    }

    /// Nothing of this kind is wrong with this any more.
    pub fn cure(&self, kind: &'static str, org: Option<&OrgId>, subject: &str) {
        self.board().kept.remove(&(kind, org.cloned(), subject.to_owned()));
    }

    /// These are all of a kind: what was wrong beside them is cured. As many are kept as an operator would read.
    pub fn replace(&self, kind: &'static str, troubles: impl IntoIterator<Item = Trouble>) {
        let mut board = self.board();
        let of_kind = |place: &Place, _: &mut Trouble| place.0 == kind;
        let mut before: BTreeMap<_, _> = board.kept.extract_if(.., of_kind).collect();
        board.left_out.remove(kind);
        for (number, trouble) in troubles.into_iter().enumerate() {
            if number >= MOST {
                *board.left_out.entry(kind).or_default() += 1;
                continue;
            }
            let since = before.remove(&place(&trouble)).map_or(trouble.since, |before| before.since);
            board.raise(Trouble { since, ..trouble });
        }
    }

    /// All of them, by kind; and how many more there are that are not kept.
    #[must_use]
    pub fn list(&self) -> (Vec<Trouble>, usize) {
        let board = self.board();
        (board.kept.values().cloned().collect(), board.left_out.values().sum())
    }

    /// Those of an organization; with `None` those of the whole host.
    #[must_use]
    pub fn of(&self, org: Option<&OrgId>) -> Vec<Trouble> {
        self.board().kept.values().filter(|trouble| trouble.org.as_ref() == org).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(subject: &str, at: u64) -> Trouble {
        Trouble::new("file", subject, "it cannot be read", "look at it", Timestamp::from_millis(at))
    }

    #[test]
    fn what_goes_on_keeps_the_time_when_it_was_first_seen_and_what_is_cured_is_gone() {
        let troubles = Troubles::default();
        troubles.raise(trouble("a", 1));
        troubles.raise(trouble("a", 2));
        troubles.replace("file", [trouble("a", 3), trouble("b", 3)]);
        let since = |trouble: &Trouble| (trouble.subject.clone(), trouble.since.as_millis());
        let listed: Vec<_> = troubles.list().0.iter().map(since).collect();
        assert_eq!(listed, [("a".to_owned(), 1), ("b".to_owned(), 3)]);
        troubles.cure("file", None, "a");
        troubles.replace("other", []);
        assert_eq!(troubles.list().0.len(), 1);
        troubles.replace("file", []);
        assert_eq!(troubles.list(), (Vec::new(), 0));
    }

    #[test]
    fn those_of_an_organization_are_its_own() {
        let (troubles, org) = (Troubles::default(), OrgId::new("acme").unwrap());
        troubles.raise(trouble("a", 1));
        troubles.raise(trouble("a", 1).of(&org));
        assert_eq!((troubles.of(None).len(), troubles.of(Some(&org)).len()), (1, 1));
        troubles.cure("file", Some(&org), "a");
        assert_eq!((troubles.of(None).len(), troubles.of(Some(&org)).len()), (1, 0));
    }

    #[test]
    fn a_kind_that_nothing_bounds_has_a_bound_here_and_the_rest_is_counted_once() {
        let troubles = Troubles::default();
        for _ in 0..2 {
            (0..=MOST).for_each(|number| troubles.raise(trouble(&number.to_string(), 1)));
        }
        assert_eq!((troubles.list().0.len(), troubles.list().1), (MOST + 1, 0), "the configuration bounds these");
        troubles.replace("file", (0..MOST + 5).map(|number| trouble(&number.to_string(), 1)));
        assert_eq!((troubles.list().0.len(), troubles.list().1), (MOST, 5));
        troubles.replace("file", [trouble(&"é".repeat(TEXT_BYTES), 1)]);
        assert_eq!((troubles.list().0[0].subject.len(), troubles.list().1), (TEXT_BYTES, 0));
    }
}
