//! What a form did, as the address of the page that it leads back to says it. What became of it is looked up when that page is
//! made, so that a notice stays true in a bookmark.

use axum::response::Redirect;
use serde::Deserialize;

use super::frame::local;
use crate::domain::{OperationId, SyncErrorId};

/// What a form did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Done {
    Retried(SyncErrorId),
    Ignored(SyncErrorId),
    Reopened(SyncErrorId),
    /// Nothing: the sync error had changed meanwhile.
    Late(SyncErrorId),
    /// An operation has begun.
    Began(OperationId),
    Looked,
    PutBack,
    Forgotten,
    /// Settings were saved.
    Saved,
    /// Test mails were sent.
    Tested,
}

impl Done {
    /// Anybody can write an address: what is none of our notices is nothing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (word, id) = text.split_once('-').unwrap_or((text, ""));
        match (word, id) {
            ("looked", "") => Some(Self::Looked),
            ("put", "back") => Some(Self::PutBack),
            ("forgotten", "") => Some(Self::Forgotten),
            ("saved", "") => Some(Self::Saved),
            ("tested", "") => Some(Self::Tested),
            ("retried", id) => id.parse().ok().map(Self::Retried),
            ("ignored", id) => id.parse().ok().map(Self::Ignored),
            ("reopened", id) => id.parse().ok().map(Self::Reopened),
            ("late", id) => id.parse().ok().map(Self::Late),
            ("began", id) => id.parse().ok().map(Self::Began),
            _ => None,
        }
    }

    fn as_text(&self) -> String {
        match self {
            Self::Retried(id) => format!("retried-{id}"),
            Self::Ignored(id) => format!("ignored-{id}"),
            Self::Reopened(id) => format!("reopened-{id}"),
            Self::Late(id) => format!("late-{id}"),
            Self::Began(id) => format!("began-{id}"),
            Self::Looked => "looked".to_owned(),
            Self::PutBack => "put-back".to_owned(),
            Self::Forgotten => "forgotten".to_owned(),
            Self::Saved => "saved".to_owned(),
            Self::Tested => "tested".to_owned(),
        }
    }
}

/// The field of a form that says where it stood.
#[derive(Debug, Deserialize)]
pub(crate) struct Back {
    back: Option<String>,
}

impl Back {
    /// To this page.
    pub(crate) fn to(page: String) -> Self {
        Self { back: Some(page) }
    }

    /// Back to where the form stood, with a notice.
    pub(crate) fn with(&self, done: &Done) -> Redirect {
        let back = without_notice(local(self.back.as_deref()));
        let mark = if back.contains('?') { '&' } else { '?' };
        Redirect::to(&format!("{back}{mark}done={}", done.as_text()))
    }
}

pub(super) fn without_notice(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else { return address.to_owned() };
    let rest: Vec<_> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("done=")).collect();
    if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_as_it_was_written_and_only_our_own_are_known() {
        let error = SyncErrorId::of(&"shop".parse().unwrap(), &"main:1".parse().unwrap(), 1);
        let operation = OperationId::begun(crate::domain::Timestamp::from_millis(1_768_469_500_000), 7);
        for done in [
            Done::Retried(error.clone()),
            Done::Ignored(error.clone()),
            Done::Reopened(error.clone()),
            Done::Late(error),
            Done::Began(operation),
            Done::Looked,
            Done::PutBack,
            Done::Forgotten,
            Done::Saved,
            Done::Tested,
        ] {
            assert_eq!(Done::parse(&done.as_text()), Some(done));
        }
        for foreign in ["%3Cscript%3E", "", "retried-", "looked-1", "put-", "began-%00"] {
            assert_eq!(Done::parse(foreign), None, "{foreign}");
        }
        assert_eq!(without_notice("/sync-errors?org=a&done=looked"), "/sync-errors?org=a");
        assert_eq!(without_notice("/?done=looked"), "/");
    }
}
