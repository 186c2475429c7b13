//! What is done with many sync errors at once, from the command line.

use serde_json::{Value, json};

use crate::acme::{acme, ask, hand_in, ids, said};
use crate::switchyard::Host;

fn operation(host: &Host, arguments: &[&str]) -> String {
    said(host, &[&["operation"], arguments].concat())
}

/// The newest one.
fn newest(host: &Host) -> String {
    operation(host, &["list", "--ids", "--limit", "1"]).trim().to_owned()
}

#[test]
fn a_retry_is_planned_begun_and_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=3);
    ids(&host, "pending", 3);
    let plan = operation(&host, &["start", "retry", "--org", "acme", "--dry-run"]);
    assert!(plan.starts_with("MATCHED  ORG   ID") && plan.contains("\n      3  acme  "), "{plan}");
    assert!(plan.contains("retry would be about 3 sync errors; Salesforce may be called "), "{plan}");
    let plan: Value =
        serde_json::from_str(&operation(&host, &["start", "retry", "--class", "policy", "--dry-run", "--json"]))
            .expect("JSON");
    assert_eq!(plan["matched"], 3);
    assert_eq!(operation(&host, &["list"]), "", "a dry run has begun something");
    // Nobody has mapped the team meanwhile.
    let (code, report, errors) = ask(&host, &["operation", "start", "retry", "--code", "TEAM_NOT_MAPPED", "--wait"]);
    assert!(code == Some(4) && errors.is_empty(), "{code:?} {report}{errors}");
    for line in ["task              retry", "by                ops", "matched           3", "failed alike      3"] {
        assert!(report.contains(line), "{line}: {report}");
    }
    let shown = operation(&host, &["show", &newest(&host)]);
    assert_eq!(shown, report);
    let (code, _, errors) = ask(&host, &["operation", "pause", &newest(&host)]);
    assert!(code == Some(3) && errors.contains("The operation's status does not allow this"), "{errors}");
}

#[test]
fn what_is_ignored_with_a_reason_is_undone_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=3);
    ids(&host, "pending", 3);
    let ignore = ["start", "ignore", "--reason", "test customers", "--conversation", "shop:1,shop:2"];
    let (code, _, errors) = ask(&host, &[&["operation"], &ignore[..]].concat());
    assert!(code == Some(3) && errors.contains("conversation"), "one conversation at most: {errors}");
    let one = &ids(&host, "pending", 3)[0];
    let report = operation(&host, &["start", "ignore", "--reason", "a test", "--id", one, "--wait"]);
    assert!(report.contains("done              1\n"), "one by its id is not everything: {report}");
    assert_eq!(&ids(&host, "ignored", 1)[0], one);
    assert_eq!(said(&host, &["sync-error", "list", "--all-states", "--id", one, "--ids"]), format!("{one}\n"));
    said(&host, &["sync-error", "reopen", one]);
    let report = operation(&host, &["start", "ignore", "--reason", "test customers", "--team", "nowhere", "--wait"]);
    assert!(
        report.contains("reason            test customers\n") && report.contains("done              3\n"),
        "{report}"
    );
    ids(&host, "ignored", 3);
    let begun = operation(&host, &["undo", &newest(&host)]);
    let (undo, rest) = begun.split_once(' ').expect("an id");
    assert!(rest.starts_with("has begun: reopen"), "{begun}");
    assert!(operation(&host, &["wait", undo]).contains("done              3\n"));
    ids(&host, "pending", 3);
    let table = operation(&host, &["list", "--org", "acme"]);
    assert!(table.starts_with("ID ") && table.lines().count() == 4 && table.contains("  ignore  done "), "{table}");
    let lines = operation(&host, &["list", "--json"]);
    let tasks: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&tasks[0]["task"], &tasks[1]["reason"]), (&json!("reopen"), &json!("test customers")));
}

#[test]
fn causes_are_assigned_and_nobody_is_taken_away_by_forgetting_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=1);
    ids(&host, "pending", 1);
    let assignee = || {
        let line = said(&host, &["sync-error", "groups", "--json"]);
        serde_json::from_str::<Value>(&line).expect("one line")["assignee"].clone()
    };
    operation(&host, &["start", "assign", "--assignee", "ann", "--class", "policy", "--wait"]);
    assert_eq!(assignee(), "ann");
    assert_eq!(ask(&host, &["operation", "start", "assign", "--class", "policy"]).0, Some(2));
    assert_eq!(assignee(), "ann");
    operation(&host, &["start", "assign", "--no-assignee", "--class", "policy", "--wait"]);
    assert_eq!(assignee(), json!(null));
}
