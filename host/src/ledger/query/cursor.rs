//! A place in a list, as a text that is given back to ask for the page behind or before it.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::domain::{ErrorPlace, ErrorQuery, SyncErrorId, Timestamp};

/// The version of what a cursor says. Another release may order lists in another way: its cursors are refused.
const VERSION: &str = "1";

/// A place in the list of one query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When the sync error at this place failed first.
    pub(super) at: Timestamp,
    /// Its id.
    pub(super) id: SyncErrorId,
    /// Whether the page before it is asked for, and not the one behind.
    pub(super) backward: bool,
    /// Of which query it is.
    pub(super) of: String,
}

impl Cursor {
    /// The place behind a sync error of a list.
    #[must_use]
    pub fn behind((at, id): ErrorPlace, query: &ErrorQuery, newest_first: bool) -> Self {
        Self { at, id, backward: false, of: Self::digest(query, newest_first) }
    }

    /// The place before a sync error of a list.
    #[must_use]
    pub fn before(place: ErrorPlace, query: &ErrorQuery, newest_first: bool) -> Self {
        Self { backward: true, ..Self::behind(place, query, newest_first) }
    }

    /// Reads a cursor that a list of this query, in this order, gave; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str, query: &ErrorQuery, newest_first: bool) -> Option<Self> {
        let mut parts = text.split('~');
        let mut next = || parts.next().unwrap_or_default();
        let version = next();
        let backward = match next() {
            "next" => false,
            "previous" => true,
            _ => return None,
        };
        let at = Timestamp::from_millis(next().parse().ok()?);
        let (id, of) = (next().parse().ok()?, next().to_owned());
        let fits = version == VERSION && of == Self::digest(query, newest_first) && parts.next().is_none();
        fits.then_some(Self { at, id, backward, of })
    }

    /// What tells lists of other queries apart.
    pub(super) fn digest(query: &ErrorQuery, newest_first: bool) -> String {
        let said = serde_json::to_vec(&(query, newest_first)).unwrap_or_default();
        hex::encode(&Sha256::digest(said)[..6])
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, id, backward, of } = self;
        let way = if *backward { "previous" } else { "next" };
        write!(f, "{VERSION}~{way}~{}~{id}~{of}", at.as_millis())
    }
}
