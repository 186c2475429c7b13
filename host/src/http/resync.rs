//! Which conversations that got through a `resync` is about.

use std::collections::BTreeSet;

use serde_json::Value;

use super::error_query::{each, once, text, values_of};
use super::filters::FILTERS;
use super::parameters::{Form, Known, known, named, names, number, text as any_text};
use super::problem::Problem;
use crate::domain::{OrgId, ResyncQuery, Timestamp};

/// The filters of conversations that got through, beside `org` and `policy`, which lists of sync errors have too.
pub(super) const OF_RESYNC: [Known; 4] = [
    known("delivered_from", Form::One(named::<Timestamp>), "Of a `resync`: what got through at this moment or later."),
    known("delivered_before", Form::One(named::<Timestamp>), "Of a `resync`: what got through before this moment."),
    known("revision", Form::Several(number), "Of a `resync`: by these revisions of the policy."),
    known("queue", Form::Repeated(any_text), "Of a `resync`: into these queues."),
];

/// Reads them.
pub(super) fn resync_query(object: &Value) -> Result<(BTreeSet<OrgId>, ResyncQuery), Problem> {
    let (mut orgs, mut query) = (BTreeSet::new(), ResyncQuery::default());
    let members = match object {
        Value::Null => return Ok((orgs, query)),
        Value::Object(members) => members,
        _ => return Err(Problem::bad_request("query: not an object of filters")),
    };
    let in_lists = FILTERS.iter().filter(|known| matches!(known.name, "org" | "policy"));
    let all: Vec<_> = in_lists.chain(&OF_RESYNC).collect();
    for (name, value) in members {
        let no_such = || {
            let (name, known) = (name.chars().take(80).collect::<String>(), names(all.iter().copied()));
            Problem::bad_request(format!("`{name}` is no filter of a resync; known are {known}"))
        };
        let known = all.iter().find(|known| known.name == name).ok_or_else(no_such)?;
        for value in values_of(known, value)? {
            match name.as_str() {
                "org" => each(name, &value, &mut orgs)?,
                "delivered_from" => once(name, &value, &mut query.delivered.from)?,
                "delivered_before" => once(name, &value, &mut query.delivered.before)?,
                "policy" => each(name, &value, &mut query.policies)?,
                "revision" => each(name, &value, &mut query.revisions)?,
                // A queue may have a comma in its name.
                _ => drop(query.queues.insert(text(name, &value)?)),
            }
        }
    }
    Ok((orgs, query))
}
