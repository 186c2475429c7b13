//! With `--json` the standard output has objects, and nothing else.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::acme::{acme, ask, asking, hand_in, ids};
use crate::switchyard::{printed, switchyard};

/// The exit code and the objects, one of each line or one of many lines.
fn objects(command: &mut Command) -> (Option<i32>, Vec<Value>) {
    let output = command.output().expect("it runs");
    let (said, errors) = printed(&output);
    let objects = serde_json::Deserializer::from_str(&said).into_iter().collect::<Result<Vec<Value>, _>>();
    let objects = objects.unwrap_or_else(|error| panic!("{command:?}: {error}: {said}{errors}"));
    assert!(objects.iter().all(Value::is_object), "{command:?}: {said}{errors}");
    (output.status.code(), objects)
}

fn local(folder: &Path, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    objects(switchyard([]).args(arguments).current_dir(folder))
}

#[test]
fn commands_that_need_no_host_answer_in_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = |arguments: &[&str]| local(folder.path(), arguments);
    let (code, refusals) = here(&["classify", "--json", "UNABLE_TO_LOCK_ROW: unable to obtain exclusive access"]);
    assert_eq!((code, &refusals[0]["class"]), (Some(0), &json!("transient")));
    let (code, made) = here(&["plugin", "new", "mine", "--lang", "script", "--json"]);
    assert_eq!((code, &made[0]["folder"]), (Some(0), &json!("mine")));
    assert!(made[0]["files"].as_array().is_some_and(|files| files.contains(&json!("mine/mine.toml"))), "{made:?}");
    let (code, cases) = here(&["plugin", "test", "mine/mine.toml", "mine/cases", "--json"]);
    assert_eq!((code, cases.len(), &cases[0]["same"]), (Some(0), 2, &json!(true)), "{cases:?}");
    std::fs::write(folder.path().join("mine/cases/bad.json"), "{}").expect("a file");
    let (code, cases) = here(&["plugin", "test", "mine/mine.toml", "mine/cases", "--json"]);
    assert_eq!((code, cases.len()), (Some(1), 3));
    assert!(cases[0]["case"] == "bad.json" && cases[0]["error"].is_string(), "{cases:?}");
}

#[test]
fn what_a_host_has_nothing_to_answer_to_is_an_object_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=2);
    ids(&host, "pending", 2);
    let there = |arguments: &[&str]| objects(asking(&host, arguments).current_dir(folder.path()));
    let (code, checked) = there(&["check-config", "--json"]);
    assert_eq!((code, &checked[0]["organizations"]), (Some(0), &json!(1)));
    let (code, settings) = there(&["org", "mute", "acme", "--for", "1", "--json"]);
    assert!(code == Some(0) && settings[0]["muted"]["until"].is_string(), "{settings:?}");
    let (code, lines) = there(&["sync-error", "export", "--json"]);
    assert_eq!((code, lines.len()), (Some(0), 2));
    let (code, count) = there(&["sync-error", "export", "--json", "--format", "csv", "--to", "errors.csv"]);
    assert_eq!((code, count), (Some(0), vec![json!({ "lines": 3 })]));
    let (code, said, errors) = ask(&host, &["sync-error", "export", "--json", "--format", "csv"]);
    assert!(code == Some(2) && said.is_empty() && errors.contains("is no JSON"), "{said}{errors}");
    let (code, said, errors) = ask(&host, &["plugin", "delete", "nobody", "--json"]);
    assert!(code == Some(3) && said.is_empty() && errors.contains("lacks the scope"), "{said}{errors}");

    let (status, log) = host.end("TERM");
    assert!(status.success(), "{log}");
    let here = |arguments: &[&str]| local(folder.path(), arguments);
    let (code, exported) = here(&["store", "export", "--path", "data", "--to", "all.jsonl", "--json"]);
    assert!(code == Some(0) && exported[0]["records"].as_u64() > Some(2), "{exported:?}");
    let (code, imported) = here(&["store", "import", "--path", "other", "--from", "all.jsonl", "--json"]);
    assert_eq!((code, imported), (Some(0), exported));
}
