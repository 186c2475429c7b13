//! The interface that plugins are built against: its released versions, the parts that a plugin answers, and its imports.

use crate::domain::Question;

/// The versions that this host supports, oldest first, each with its text.
pub const VERSIONS: [(&str, &str); 2] = [
    ("0.1.0", include_str!("../../../../wit/v0.1/policy.wit")),
    ("0.2.0", include_str!("../../../../wit/v0.2/policy.wit")),
];

/// The package of the interface's own names, with the slash behind it.
pub(super) const PACKAGE: &str = "switchyard:policy/";

/// How the names begin that a component may import. Behind most of WASI it finds nothing, but compilers put it in.
pub(crate) const IMPORTS: [&str; 8] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
    "switchyard:policy/log@",
    "switchyard:policy/types@",
];

/// Questions that are answered by one plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Routing,
    Contacts,
    Errors,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Routing, Self::Contacts, Self::Errors];

    pub(crate) fn of(question: Question) -> Self {
        match question {
            Question::Route => Self::Routing,
            Question::Search | Question::Choose => Self::Contacts,
            Question::Judge => Self::Errors,
        }
    }

    /// The interface that a plugin exports to answer it.
    pub(crate) fn interface(self) -> &'static str {
        match self {
            Self::Routing => "routing",
            Self::Contacts => "contacts",
            Self::Errors => "errors",
        }
    }

    pub(crate) fn questions(self) -> &'static [Question] {
        match self {
            Self::Routing => &[Question::Route],
            Self::Contacts => &[Question::Search, Question::Choose],
            Self::Errors => &[Question::Judge],
        }
    }
}

/// The interface and the version in a name of this package.
pub(super) fn own(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

/// The text of a version.
pub(super) fn text(version: &str) -> Option<&'static str> {
    VERSIONS.into_iter().find(|(known, _)| *known == version).map(|(_, text)| text)
}

/// The newest version.
pub(super) fn newest() -> &'static str {
    VERSIONS[VERSIONS.len() - 1].0
}

/// The versions for a person to read.
pub(super) fn known() -> String {
    VERSIONS.map(|(version, _)| version).join(" or ")
}
