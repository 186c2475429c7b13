//! Sync errors are found, looked at and cleared from the command line, one by one and all of a kind; who did it is listed there too.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::acme::{acme, ask, asking, hand_in, ids, said};
use crate::switchyard::Host;

fn sync_error(host: &Host, arguments: &[&str]) -> (Option<i32>, String, String) {
    ask(host, &[&["sync-error"], arguments].concat())
}

#[test]
fn sync_errors_are_listed_shown_ignored_reopened_and_retried_and_their_conversation_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=3);
    let pending = ids(&host, "pending", 3);
    let (_, listed, counted) = sync_error(&host, &["list", "--org", "acme", "--class", "policy"]);
    assert_eq!(counted.trim(), "3  policy TEAM_NOT_MAPPED");
    assert!(listed.lines().count() == 3 && pending.iter().all(|id| listed.contains(id)), "{listed}");
    assert_eq!(sync_error(&host, &["list", "--class", "limit"]).1, "");
    let (_, shown, _) = sync_error(&host, &["show", &pending[0]]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!((&shown["id"], shown["advice"]["check"].is_string()), (&json!(pending[0]), true), "{shown}");
    let (_, bundle, _) = sync_error(&host, &["repro", &pending[0]]);
    let bundle: Value = serde_json::from_str(&bundle).expect("JSON");
    assert_eq!(bundle["question"], "route", "{bundle}");

    let conversation = |more: &[&str]| said(&host, &[&["conversation", "show", "shop:1"], more].concat());
    let told = conversation(&[]);
    assert!(told.starts_with("acme: pending since ") && told.contains("shop:1:1-1: Where is my order?"), "{told}");
    assert!(told.contains("Team nowhere has no queue") && told.contains("CRM_SYNCHRO_ERROR"), "{told}");
    let told: Value = serde_json::from_str(&conversation(&["--json", "--mask"])).expect("JSON");
    assert_eq!((&told["masked"], &told["orgs"][0]["state"]), (&json!(true), &json!("pending")), "{told}");

    let (code, said, errors) = sync_error(&host, &["ignore", "--reason", "tests", &pending[0], "se-none", &pending[1]]);
    assert_eq!((code, said.lines().count()), (Some(1), 2), "{said}{errors}");
    assert!(errors.contains("se-none: ") && errors.contains("1 of 3 were refused"), "{errors}");
    ids(&host, "ignored", 2);
    assert_eq!(ids(&host, "pending", 1), [pending[2].clone()]);
    let (code, said, _) = sync_error(&host, &["reopen", &pending[0]]);
    assert_eq!((code, said.trim()), (Some(0), format!("{} is pending again", pending[0]).as_str()));
    let (code, said, _) = sync_error(&host, &["retry", &pending[2]]);
    assert_eq!((code, said.trim()), (Some(0), format!("{} is tried again", pending[2]).as_str()));
    ids(&host, "pending", 2);
    let (code, said, _) = sync_error(&host, &["retry-all", "acme"]);
    let (first, second) = said.trim().split_once('\n').expect("two lines");
    assert_eq!((code, first), (Some(0), "2 sync errors of acme are tried again"));
    let operation = second.split(' ').next().expect("an id");
    let (code, report, _) = ask(&host, &["operation", "wait", operation]);
    assert!(code == Some(4) && report.contains("failed alike      2"), "{report}");
    let (code, _, errors) = sync_error(&host, &["retry-all", "nobody"]);
    assert!(code == Some(3) && errors.contains("there is no organization nobody"), "{errors}");
    let (code, said, errors) = ask(&host, &["action", "list", "--org", "acme", "--what", "ignore"]);
    assert_eq!((code, said.lines().count()), (Some(0), 2), "{said}{errors}");
    assert!(said.lines().all(|line| line.contains("  ops ") && line.contains("\"tests\"  [file-")), "{said}");
    let (_, said, _) = ask(&host, &["action", "list", "--limit", "1", "--json"]);
    let newest: Value = serde_json::from_str(&said).expect("one JSON object");
    assert_eq!((&newest["what"], &newest["count"], &newest["by"]), (&json!("retry-all"), &json!(2), &json!("ops")));
    let (code, _, errors) = ask(&host, &["action", "list", "--what", "nothing"]);
    assert!(code == Some(2) && errors.contains("none of retry, ignore, reopen"), "{errors}");
    let (code, _, errors) = sync_error(&host, &["list", "--state", "open"]);
    assert!(code == Some(2) && errors.contains("pending, retrying, ignored, resolved"), "{errors}");
}

/// The only cause of the host.
fn cause(host: &Host) -> String {
    said(host, &["sync-error", "groups", "--ids"]).trim().to_owned()
}

#[test]
fn sync_errors_are_found_by_every_filter_in_both_orders_and_so_many() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=3);
    let newest_first = ids(&host, "pending", 3);
    let cause = cause(&host);
    let list = |arguments: &[&str]| {
        let said = said(&host, &[&["sync-error", "list", "--ids"], arguments].concat());
        said.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = [
        "--org",
        "acme",
        "--state",
        "pending,retrying",
        "--class",
        "limit",
        "--class",
        "policy",
        "--code",
        "TEAM_NOT_MAPPED",
        "--group",
        &cause,
        "--team",
        "nowhere",
        "--channel",
        "email,chat",
        "--policy",
        "default",
        "--first-seen-from",
        "2026-01-05T09:30:00Z",
        "--first-seen-before",
        "2999-01-05T09:30:00Z",
        "--last-seen-from",
        "2026-01-05T09:30:00Z",
        "--last-seen-before",
        "2999-01-05T09:30:00Z",
        "--attempts-min",
        "1",
        "--attempts-max",
        "9",
        "--text",
        "nowhere",
    ];
    assert_eq!(list(&all), newest_first);
    let mut oldest_first = newest_first.clone();
    oldest_first.reverse();
    assert_eq!(list(&["--sort", "first_seen", "--limit", "2"]), oldest_first[..2]);
    assert_eq!(list(&["--limit", "1", "--sort=-first_seen"]), newest_first[..1]);
    let oldest: Value = serde_json::from_str(&said(&host, &["sync-error", "show", &oldest_first[0]])).expect("JSON");
    let [conversation, message] = ["conversation", "message"].map(|name| oldest[name].as_str().expect("an id"));
    assert_eq!(list(&["--conversation", conversation, "--message", message]), oldest_first[..1]);
    assert!(list(&["--attempts-min", "99"]).is_empty() && list(&["--customer", "jane"]).is_empty());
    said(&host, &["sync-error", "ignore", &newest_first[0], "--reason", "tests"]);
    assert_eq!((list(&[]).len(), list(&["--all-states"]).len()), (2, 3));
    let found = said(&host, &["sync-error", "search", conversation, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&found).expect("JSON")["id"], oldest_first[0]);
    let whole = said(&host, &["sync-error", "search", "nowhere"]);
    assert!(whole.lines().count() == 3 && !whole.contains('…'), "{whole}");
}

#[test]
fn what_the_host_refuses_and_what_is_misused_have_codes_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    let refused = |arguments: &[&str], words: &str| {
        let (code, said, errors) = ask(&host, arguments);
        assert!(code == Some(3) && errors.contains(words) && said.is_empty(), "{arguments:?}: {code:?} {said}{errors}");
    };
    for command in ["list", "groups", "watch"] {
        refused(&["sync-error", command, "--org", "nobody"], "there is no organization nobody");
    }
    refused(&["sync-error", "show", "se-none"], "there is no sync error se-none");
    refused(&["operation", "show", "op-none"], "there is no operation op-none");
    refused(&["operation", "start", "retry"], "nothing matches");
    refused(&["operation", "start", "retry", "--state", "ignored"], "`retry` is for sync errors that are");
    refused(&["sync-error", "list", "--token", "wrong"], "Not authorized");
    for arguments in [
        &["sync-error", "list", "--customer", ""][..],
        &["sync-error", "list", "--limit", "0"],
        &["sync-error", "group", "edit", "g"],
        &["operation", "start", "ignore"],
        &["operation", "start", "assign"],
        &["operation", "start", "retry", "--no-assignee"],
        &["operation", "start", "retry", "--wait", "--dry-run"],
    ] {
        let (code, said, errors) = ask(&host, arguments);
        assert!(code == Some(2) && said.is_empty(), "{arguments:?}: {code:?} {said}{errors}");
    }
    let (code, _, errors) = ask(&host, &["sync-error", "list", "--url", "http://127.0.0.1:9"]);
    assert!(code == Some(1) && errors.contains("does not answer"), "{errors}");
    for arguments in [&["--help"][..], &["sync-error", "--help"], &["operation", "--help"]] {
        let help = said(&host, arguments);
        assert!(help.contains("Exit codes:\n  0  done") && help.contains("\n  3  the host refused it"), "{help}");
    }
}

#[test]
fn causes_are_listed_and_people_say_who_looks_after_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=3);
    ids(&host, "pending", 3);
    let table = said(&host, &["sync-error", "groups", "--sort", "-pending", "--condition", "new,escalating"]);
    let (head, row) = table.trim().split_once('\n').expect("a heading and a row");
    assert_eq!(head.split_whitespace().collect::<Vec<_>>().join(" "), "OPEN PENDING 24 H CONDITION ORG ID TITLE");
    let cause = cause(&host);
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells[..6], ["3", "3", "3", "new", "acme", &cause], "{row}");
    assert_eq!(said(&host, &["sync-error", "groups", "--condition", "quiet"]), "");
    let group = |arguments: &[&str]| said(&host, &[&["sync-error", "group"], arguments].concat());
    let edit =
        ["edit", &cause, "--org", "acme", "--assignee", "ann", "--note", "asked", "--ticket", "https://t.example/1"];
    let edited = group(&edit);
    for line in ["assignee   ann", "note       asked", "ticket     https://t.example/1", "counts     3 pending"] {
        assert!(edited.contains(line), "{edited}");
    }
    assert_eq!(group(&["show", &cause]), edited);
    assert_eq!(said(&host, &["sync-error", "groups", "--assignee", "ann", "--ids"]).trim(), cause);
    let bare: Value =
        serde_json::from_str(&group(&["edit", &cause, "--no-assignee", "--no-ticket", "--json"])).expect("JSON");
    assert_eq!((&bare["assignee"], &bare["ticket"], &bare["note"]), (&json!(null), &json!(null), &json!("asked")));
    let listed: Value = serde_json::from_str(&said(&host, &["sync-error", "groups", "--json"])).expect("one line");
    assert_eq!(listed["id"], cause);
}

#[test]
fn a_watch_says_what_changes_and_ends_with_its_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=3);
    let pending = ids(&host, "pending", 3);
    let cause = cause(&host);
    let mut watch = asking(&host, &["sync-error", "watch", "--every", "1"]).spawn().expect("it starts");
    let mut lines = BufReader::new(watch.stdout.take().expect("its lines")).lines().map(|line| line.expect("a line"));
    let line = lines.next().expect("counts");
    assert!(line.ends_with("Z  acme  3 pending, 0 retrying, 0 ignored, 0 parked"), "{line}");
    let line = lines.next().expect("a cause");
    assert!(line.contains(&format!("  acme  {cause}  new: 3 open, 3 pending: ")), "{line}");
    said(&host, &["sync-error", "ignore", &pending[0], "--reason", "tests"]);
    let line = lines.next().expect("what has changed");
    assert!(line.ends_with("acme  2 pending, 0 retrying, 1 ignored, 0 parked"), "{line}");
    let line = lines.next().expect("the cause");
    assert!(line.contains("new: 2 open (-1), 2 pending: "), "{line}");
    // It has nothing to say any more, and notices all the same.
    drop(lines);
    assert!(watch.wait().expect("an end").success());
    let said = said(&host, &["sync-error", "watch", "--looks", "1", "--json", "--org", "acme"]);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&lines[0]["counts"]["ignored"], &lines[1]["group"]["id"]), (&json!(1), &json!(cause)), "{said}");
}

#[test]
fn what_matches_is_exported_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=3);
    let pending = ids(&host, "pending", 3);
    said(&host, &["sync-error", "ignore", &pending[0], "--reason", "tests"]);
    let lines = said(&host, &["sync-error", "export"]);
    let ids: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(ids.iter().map(|error| &error["id"]).collect::<Vec<_>>(), pending.iter().collect::<Vec<_>>());
    let to = folder.path().join("table.csv");
    let export = ["sync-error", "export", "--format", "csv", "--to", to.to_str().expect("text")];
    let (code, _, errors) = ask(&host, &[&export[..], &["--state", "ignored"]].concat());
    assert_eq!((code, errors.trim()), (Some(0), "2 lines exported"));
    let table = std::fs::read_to_string(&to).expect("a table");
    assert!(table.starts_with("id,") && table.contains(&pending[0]) && !table.contains(&pending[1]), "{table}");
    let (code, _, errors) = ask(&host, &[&export[..], &["--org", "nobody"]].concat());
    assert!(code == Some(3) && errors.contains("there is no organization nobody"), "{errors}");
    assert_eq!(std::fs::read_to_string(&to).expect("a table"), table, "what was there is gone");
}
