//! What is known of a value before a script runs.

use rhai::ImmutableString;

use crate::records::{Field, Record};

/// What a value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing gave it a value yet.
    #[default]
    Unseen,
    Record(Record),
    /// A list of these.
    List(Record),
    /// A text, a number, a list of anything: nothing that has fields of its own.
    Simple,
    /// It is not known.
    Any,
}

impl Kind {
    /// What a value is that may be either.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unseen, kind) | (kind, Self::Unseen) => kind,
            (one, other) if one == other => one,
            _ => Self::Any,
        }
    }

    /// What an element of it is.
    pub(super) fn element(self) -> Self {
        match self {
            Self::List(of) => Self::Record(of),
            _ => Self::Any,
        }
    }
}

impl From<Field> for Kind {
    fn from(field: Field) -> Self {
        match field {
            Field::One(record) => Self::Record(record),
            Field::Many(record) => Self::List(record),
            Field::Plain => Self::Any,
        }
    }
}

/// The parameters of a question, as the host gives them.
pub(super) fn of_question(name: &str) -> &'static [Kind] {
    match name {
        "route" | "search" => &[Kind::Record(Record::Conversation)],
        "choose" => &[Kind::Record(Record::Conversation), Kind::List(Record::Contact)],
        "judge" => &[Kind::Record(Record::SyncError)],
        _ => &[],
    }
}

/// What the parameters of a closure are that a list's function is given; those that it has captured come first.
pub(super) fn of_closure(function: &str, element: Kind, own_params: usize) -> Option<Vec<Kind>> {
    let kinds = match function {
        "map" | "filter" | "find" | "find_map" | "some" | "all" | "index_of" | "retain" | "drain" => {
            vec![element, Kind::Any]
        }
        "sort" => vec![element, element],
        "reduce" | "reduce_rev" => vec![Kind::Any, element, Kind::Any],
        _ => return None,
    };
    (own_params <= kinds.len()).then(|| kinds[..own_params].to_vec())
}

/// What a list's function gives.
pub(super) fn of_list_function(function: &str, of: Record) -> Kind {
    match function {
        "filter" => Kind::List(of),
        "find" => Kind::Record(of),
        _ => Kind::Any,
    }
}

/// What the variables of a place are, the innermost last.
#[derive(Default)]
pub(super) struct Variables(Vec<(ImmutableString, Kind)>);

impl Variables {
    pub(super) fn push(&mut self, name: ImmutableString, kind: Kind) {
        self.0.push((name, kind));
    }

    pub(super) fn get(&self, name: &str) -> Option<Kind> {
        self.0.iter().rev().find(|(own, _)| own == name).map(|(_, kind)| *kind)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Leaves a block.
    pub(super) fn back_to(&mut self, len: usize) {
        self.0.truncate(len);
    }
}
