//! What the console is asked, by an address or by a form, as the API would be asked it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::Timestamp;
use crate::http::api::OperationRequest;
use crate::http::console::parts::Back;
use crate::http::problem::Problem;

/// The fields of an address or of a form.
pub(crate) type Fields = Vec<(String, String)>;

/// Says that sync errors are meant by their ids alone: a form of which no line is ticked means none, and not all.
pub(crate) const SELECTED: &str = "selected";

/// Refuses a selection without a line.
pub(crate) fn has_selection(fields: &Fields) -> Result<(), Problem> {
    let has = |wanted: &str| fields.iter().any(|(name, value)| name == wanted && !value.is_empty());
    match has(SELECTED) && !has("id") {
        true => Err(Problem::bad_request("nothing is selected: go back, and tick the lines that are meant")),
        false => Ok(()),
    }
}

/// What is asked, as the API would be asked it.
pub(crate) fn request(fields: &Fields, dry_run: bool) -> OperationRequest {
    let one = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let mut query = BTreeMap::<&str, Vec<Value>>::new();
    for (name, value) in fields {
        if matches!(
            name.as_str(),
            "task" | "reason" | "assignee" | "key" | "done" | "back" | "cursor" | "sort" | "limit" | SELECTED
        ) || value.is_empty()
        {
            continue;
        }
        let value = match name.as_str() {
            "attempts_min" | "attempts_max" | "revision" => {
                value.parse::<u64>().map_or_else(|_| value.as_str().into(), Value::from)
            }
            "delivered_from" | "delivered_before" => moment(value).into(),
            _ => value.as_str().into(),
        };
        query.entry(name).or_default().push(value);
    }
    let member = |(name, mut values): (&str, Vec<Value>)| match values.len() {
        1 => (name.to_owned(), values.remove(0)),
        _ => (name.to_owned(), Value::Array(values)),
    };
    let query: Map<_, _> = query.into_iter().map(member).collect();
    let query = if query.is_empty() { Value::Null } else { Value::Object(query) };
    let given = |wanted: &str| one(wanted).filter(|text| !dry_run || !text.is_empty());
    OperationRequest {
        task: one("task").unwrap_or_default(),
        query,
        reason: given("reason"),
        assignee: given("assignee"),
        dry_run,
    }
}

/// A time as a browser's field has it, which knows no zone, is one of UTC.
pub(crate) fn moment(text: &str) -> String {
    match text.len() {
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

/// A time as a browser's field has it, in UTC.
pub(crate) fn for_field(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_string().chars().take(16).collect()).unwrap_or_default()
}

/// The list that these fields lead back to.
pub(crate) fn back_of(fields: &Fields) -> Back {
    let given = fields.iter().find(|(name, _)| name == "back");
    Back::to(given.map(|(_, address)| address.clone()).unwrap_or_default())
}

/// The fields of an address.
pub(crate) fn fields_of(text: &str) -> Fields {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_fields_of_an_address_ask_what_the_api_is_asked() {
        let asked = request(
            &fields_of(
                "task=retry&org=a&state=pending&state=retrying&attempts_min=2&q=&done=looked&back=%2Fsync-errors",
            ),
            true,
        );
        assert_eq!(asked.query, json!({ "org": "a", "state": ["pending", "retrying"], "attempts_min": 2 }));
        assert_eq!((asked.task.as_str(), asked.dry_run, asked.reason), ("retry", true, None));
        let asked = request(&fields_of("task=ignore&reason=&attempts_min=x"), false);
        assert_eq!(
            (asked.reason.as_deref(), &asked.query["attempts_min"]),
            (Some(""), &json!("x")),
            "it is refused, and not passed over"
        );
        let asked = request(&fields_of("task=resync&delivered_from=2026-01-15T09:30"), true);
        assert_eq!(asked.query["delivered_from"], "2026-01-15T09:30:00Z");
        assert_eq!(for_field("2026-01-15T09:30:00Z".parse().ok()), "2026-01-15T09:30");
        assert_eq!(request(&Fields::new(), true).query, Value::Null);
    }
}
