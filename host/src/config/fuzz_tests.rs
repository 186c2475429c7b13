//! Hands bytes in as `switchyard.toml`.

use toml::Value;

use super::{Config, Error};
use crate::fuzz_tests::REASON;

/// Keys whose values nobody may read in a log.
const SECRET: [&str; 6] = ["secret", "password", "client_secret", "refresh_token", "private_key", "keys"];

/// Below it the keys are the names of plugins, and the values say where they are.
const PLUGINS: &str = "oci";

/// A configuration, if it is a text. Nothing is read that it names.
///
/// # Panics
/// When a reason has no end, names a place outside of the text, or repeats a secret.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let said = words(text);
    let Ok(table) = text.parse::<toml::Table>() else { return };
    for secret in secrets(&Value::Table(table), false) {
        // What stands elsewhere as well may be repeated from there; and what is said of another secret has its words anyway.
        let alone = secret.len() >= 8 && text.matches(&secret).count() == 1;
        let repeated = alone
            && said.contains(&secret)
            && !words(&text.replace(&secret, &"x".repeat(secret.len()))).contains(&secret);
        assert!(!repeated, "the secret {secret} is repeated: {said}");
    }
}

/// What is shown of a configuration, or said of it.
fn words(text: &str) -> String {
    match Config::parse(text, "switchyard.toml") {
        Ok(config) => {
            let checked = config.check_but_mail().and_then(|()| config.check_for_production());
            format!("{config:?} {}", checked.map_or_else(|error| reason(&error), |()| String::new()))
        }
        Err(error) => {
            if let Error::Text { line, column, .. } = error {
                let shown = text.split('\n').nth(line - 1).expect("a line of the text");
                assert!(column <= shown.chars().count() + 1, "column {column} of {shown:?}");
            }
            reason(&error)
        }
    }
}

fn reason(error: &Error) -> String {
    let words = error.to_string();
    assert!(words.len() < REASON, "a reason of {} bytes", words.len());
    words
}

/// Every text and every number below a secret's key. Names of plugins are none.
fn secrets(value: &Value, hidden: bool) -> Vec<String> {
    match value {
        Value::Table(table) => {
            let below = |key: &str| hidden || SECRET.contains(&key);
            table
                .iter()
                .filter(|(key, _)| *key != PLUGINS)
                .flat_map(|(key, value)| secrets(value, below(key)))
                .collect()
        }
        Value::Array(all) => all.iter().flat_map(|one| secrets(one, hidden)).collect(),
        Value::String(text) if hidden => vec![text.clone()],
        Value::Integer(number) if hidden => vec![number.to_string()],
        _ => Vec::new(),
    }
}
