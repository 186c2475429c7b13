//! Hands bytes in as a case in JSON, whose settings go into a policy's file.

use serde_json::Value;

use super::workbench::{to_toml, with_settings};
use crate::domain::Question;
use crate::policy::case::Case;

const POLICY: &str = "plugin = 'script'\n[contacts]\nplugin = 'script'\n";

/// A case, or a conversation alone.
///
/// # Panics
/// When a case reads back as another one, or a plugin is told other settings than those of the case.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(case) = Case::read_input(text) else { return };
    let written = serde_json::to_string(&case).expect("JSON");
    let again = Case::read(&written).expect("a case that was read can be read again");
    let shown = |case: &Case| rounded(serde_json::to_value(case).expect("JSON"));
    assert_eq!(shown(&again), shown(&case), "it reads back as another case");
    let Ok(table) = to_toml(&case.settings) else { return };
    let told = Value::Object(case.settings.clone());
    assert_eq!(serde_json::to_value(&table).expect("JSON"), told, "TOML says something else");
    for (question, part) in [(Question::Route, None), (Question::Search, Some("contacts"))] {
        let Ok(policy) = with_settings(POLICY, question, table.clone()) else { continue };
        let policy: toml::Table = policy.parse().expect("a policy's file is TOML");
        let asked = part.map_or(&policy, |part| policy[part].as_table().expect("a table"));
        let found = asked.get("settings").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        assert_eq!(found, table, "the plugin is told something else");
    }
}

/// What is read of a number with a point may differ from what was written in its last digit.
fn rounded(json: Value) -> Value {
    match json {
        Value::Number(number) if number.is_f64() => format!("{:.12e}", number.as_f64().unwrap_or_default()).into(),
        Value::Array(all) => all.into_iter().map(rounded).collect(),
        Value::Object(all) => all.into_iter().map(|(key, value)| (key, rounded(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    fn setting() -> impl Strategy<Value = super::Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(super::Value::from),
            any::<i64>().prop_map(super::Value::from),
            any::<u64>().prop_map(super::Value::from),
            any::<f64>().prop_map(super::Value::from),
            any::<String>().prop_map(super::Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(super::Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4).prop_map(|all| all.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_plugin_is_told_the_settings_of_a_case_or_they_are_refused(x in setting(), y in setting()) {
            let conversation = json!({"id": "1", "channel": "whatsapp", "closed": true, "messages": []});
            super::settings(json!({"conversation": conversation, "settings": {"x": x, "y": y}}).to_string().as_bytes());
        }
    }
}
