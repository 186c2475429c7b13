//! Pages of a conversation's timeline, the newest first and each in the order of time.

use crate::domain::{AuditEntry, Timestamp};

/// The place of an entry in a timeline; what one event did to several messages is at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Timestamp, u64);

impl Place {
    const fn of(entry: &AuditEntry) -> Self {
        Self(entry.at, entry.order)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (at, order) = text.split_once('~')?;
        Some(Self(Timestamp::from_millis(at.parse().ok()?), order.parse().ok()?))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}", self.0.as_millis(), self.1)
    }
}

/// The newest entries before a place, about so many, oldest first, and the place to ask for older ones with.
pub(super) fn page(
    mut audit: Vec<AuditEntry>,
    before: Option<Place>,
    limit: usize,
) -> (Vec<AuditEntry>, Option<Place>) {
    audit.truncate(before.map_or(audit.len(), |place| audit.partition_point(|entry| Place::of(entry) < place)));
    let mut begin = audit.len().saturating_sub(limit);
    // What is at one place stays on one page.
    while begin > 0 && Place::of(&audit[begin - 1]) == Place::of(&audit[begin]) {
        begin -= 1;
    }
    let newest = audit.split_off(begin);
    let older = newest.first().map(Place::of).filter(|_| begin > 0);
    (newest, older)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_timeline_comes_in_pages_each_entry_once_and_what_is_at_one_place_together() {
        let entry = |(number, place): (usize, u64)| -> AuditEntry {
            let fact = json!({ "what": "ERASED", "event": 1 });
            let message = format!("m:{number}");
            serde_json::from_value(
                json!({ "message": message, "at": "2026-09-21T10:00:00.000Z", "order": place, "fact": fact }),
            )
            .unwrap()
        };
        let all: Vec<_> = [1, 2, 2, 2, 3, 4, 5].into_iter().enumerate().map(entry).collect();
        let (mut before, mut seen, mut sizes) = (None, Vec::new(), Vec::new());
        loop {
            let (entries, older) = page(all.clone(), before, 2);
            sizes.push(entries.len());
            seen.splice(0..0, entries);
            let Some(older) = older else { break };
            before = Place::parse(&older.to_string());
        }
        assert_eq!((sizes, seen), (vec![2, 4, 1], all));
        assert_eq!(Place::parse("x~1"), None);
    }
}
