//! A policy's answer in words, as it is compared and as a case has it.

use serde_json::Value;

/// An answer in words: `queue Orders`, `search Email = jane@example.com`, `no answer: there is no such team (NO_QUEUE)`.
pub(super) fn in_words(answer: &Value) -> String {
    match answer {
        Value::String(word) => spaced(word),
        Value::Object(members) => match (members.get("fault"), members.get("says")) {
            (Some(code), says) => {
                let says = says.map(value).unwrap_or_default();
                format!("no answer: {says} ({})", value(code)).replace(":  (", " (")
            }
            _ => members.iter().map(|(name, of)| member(name, of)).collect::<Vec<_>>().join(", "),
        },
        Value::Array(searches) if searches.is_empty() => "no search".to_owned(),
        Value::Array(searches) => format!("search {}", value(&Value::Array(searches.clone()))),
        other => other.to_string(),
    }
}

fn member(name: &str, of: &Value) -> String {
    match (name, of) {
        (_, Value::Bool(true)) => spaced(name),
        ("not-eligible" | "ignore", of) => format!("{}: {}", spaced(name), value(of)),
        ("retry-after", of) => format!("retry after {} s", value(of)),
        ("searches", Value::Array(searches)) if searches.is_empty() => "no search".to_owned(),
        ("searches", of) => format!("search {}", value(of)),
        (name, of) => format!("{} {}", spaced(name), value(of)),
    }
}

/// What an answer names: one text, several, or fields with their values.
fn value(of: &Value) -> String {
    match of {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(value).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).map(value);
            match text("field").or_else(|| text("name")).zip(text("value")) {
                Some((field, value)) => format!("{field} = {value}"),
                None => {
                    fields.iter().map(|(name, of)| format!("{name} = {}", value(of))).collect::<Vec<_>>().join(", ")
                }
            }
        }
        other => other.to_string(),
    }
}

fn spaced(word: &str) -> String {
    word.replace('-', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Attribute, ContactSearch, Destination, Fault, Link, Verdict};
    use crate::policy::case::{CaseAnswer, Yes};
    use crate::policy::shown;

    #[test]
    fn answers_to_every_question_are_words_as_they_are_compared_and_as_a_case_has_them() {
        let id = |text: &str| text.parse().unwrap();
        let search = ContactSearch { field: "Email".into(), value: "jane@example.com".into() };
        let create = Link::Create(vec![Attribute { name: "LastName".into(), value: "Doe".into() }]);
        let contacts = ["003000000000001AAA", "003000000000002AAA"];
        let all = [
            (json!(Destination::Queue("Orders".into())), "queue Orders"),
            (json!(Destination::TrackOnly), "track only"),
            (json!(Destination::NotEligible("a test account".into())), "not eligible: a test account"),
            (json!([&search]), "search Email = jane@example.com"),
            (json!([] as [ContactSearch; 0]), "no search"),
            (json!(create), "create LastName = Doe"),
            (json!(Link::Ambiguous(contacts.map(id).to_vec())), "ambiguous 003000000000001AAA, 003000000000002AAA"),
            (json!(Verdict::AsUsual), "as usual"),
            (json!(Verdict::RetryAfter(60)), "retry after 60 s"),
            (json!(Verdict::Ignore("spam".into())), "ignore: spam"),
            (
                shown::<Link>(&Err(Fault::TooLarge { message: "17 MB".into() })),
                "no answer: too large: 17 MB (POLICY_TOO_LARGE)",
            ),
            (json!({ "fault": "NO_QUEUE" }), "no answer (NO_QUEUE)"),
            (json!(CaseAnswer::from(vec![search])), "search Email = jane@example.com"),
            (json!(CaseAnswer::from(create)), "create LastName = Doe"),
            (json!(CaseAnswer::Hold(Yes)), "hold"),
            (json!(CaseAnswer::Refused("NO_QUEUE".into())), "refused NO_QUEUE"),
        ];
        for (answer, words) in all {
            assert_eq!(in_words(&answer), words, "{answer}");
        }
    }
}
