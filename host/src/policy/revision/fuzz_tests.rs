//! Hands bytes in as a policy's file.

use serde_json::Value;

use super::manifest::{Manifest, is_script_file, scripts_named};
use crate::domain::{Origin, PolicyName, PolicySource, Timestamp};
use crate::fuzz_tests::REASON;
use crate::policy::component::Part;

/// A policy's file, if it is a text, with the script `a.rhai` beside it.
///
/// # Panics
/// When a problem has no end or lies outside of the text, or a plugin is told what is no JSON.
pub fn policies(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(scripts_named(text).iter().all(|file| is_script_file(file)));
    let scripts = [("a.rhai".to_owned(), "fn route(c) { queue(\"General\") }".to_owned())].into();
    let source =
        PolicySource { toml: text.to_owned(), scripts, origin: Origin::Embedded, at: Timestamp::from_millis(0) };
    match Manifest::read(&PolicyName::new("fuzzed").expect("a name"), &source) {
        Ok(manifest) => {
            let mut all = manifest.assignments().peekable();
            assert!(all.peek().is_some(), "nobody answers");
            for assignment in all {
                let told: Value = serde_json::from_str(&assignment.configuration).expect("JSON");
                assert!(told["settings"].is_object(), "{told}");
                assert_eq!(told.get("script").is_some(), assignment.script.is_some());
                assert!(assignment.digest.as_ref().is_none_or(|digest| digest.len() == 64));
            }
            let _ = [Part::Routing, Part::Contacts, Part::Errors].map(|part| manifest.assignment(part).is_some());
        }
        Err(problems) => {
            let lines = text.split('\n').count();
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems {
                assert!(problem.message.len() < REASON, "a problem of {} bytes", problem.message.len());
                assert!(problem.line.is_none_or(|line| (1..=lines).contains(&(line as usize))), "{problem}");
            }
        }
    }
}
