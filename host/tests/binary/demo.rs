//! The demo as a measurement: nothing is lost or doubled, whatever happens to the process.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::switchyard::{printed, switchyard};

const CONVERSATIONS: usize = 240;
const MESSAGES: usize = 6;
const README: &str = include_str!("../../../README.md");
/// The causes of the samples by words of their row in the README, each with its code.
const CAUSES: [(&str, &str); 4] = [
    ("renamed the queue Returns", "QUEUE_NOT_FOUND"),
    ("the team `store-events`", "TEAM_NOT_MAPPED"),
    ("has left Twitter", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
    ("two contacts have one address", "CONTACT_AMBIGUOUS"),
];

fn summary(output: &std::process::Output) -> Value {
    let (said, errors) = printed(output);
    assert!(output.status.success(), "{said}{errors}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{errors}"))
}

/// A file as an export gives it.
fn export(path: &Path) {
    let mut text = "conversationId\tturnNumber\tutteranceId\tutterance\tslot-labels\tintent\n".to_owned();
    for conversation in 0..CONVERSATIONS {
        for turn in 0..MESSAGES {
            writeln!(text, "c{conversation}\t{turn}\tu\tline {turn} of {conversation}\tO\tasking").expect("text");
        }
    }
    std::fs::write(path, text).expect("a file");
}

/// Bytes of a file; 0 while it is not there.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

#[test]
fn the_samples_end_in_salesforce_or_in_the_registry() {
    let summary = summary(&switchyard(["demo", "--once", "--json"]).output().expect("it runs"));
    assert_eq!((&summary["lost"], &summary["duplicates"]), (&0.into(), &0.into()), "{summary}");
    let errors = &summary["sync_errors"];
    assert!(errors["pending"].as_u64() > Some(0) && errors["resolved"].as_u64() > Some(0), "{summary}");
    assert!(summary["parked"].as_u64() > Some(0), "the bank has an incident: {summary}");
}

#[test]
fn the_readme_has_the_figures_of_the_demo() {
    let summary = summary(&switchyard(["demo", "--once", "--json"]).output().expect("it runs"));
    let told = |words: &str| {
        let row = README.lines().find(|line| line.starts_with('|') && line.contains(words)).expect("a row");
        row.split('|').nth(3).expect("a column").trim().to_owned()
    };
    let codes = summary["sync_errors"]["codes"].as_object().expect("codes");
    assert_eq!(codes.len(), CAUSES.len(), "{summary}");
    for (words, code) in CAUSES {
        assert_eq!(told(words), codes[code].to_string(), "{words}: {summary}");
    }
    assert_eq!(told("the refresh token was revoked"), summary["parked"].to_string());
    let conversations = format!("{} sample conversations", summary["source"]["conversations"]);
    assert!(README.contains(&conversations), "{conversations}");
}

#[test]
fn the_terminal_tells_of_five_causes_and_of_as_many_conversations_as_the_registry() {
    let mut process = switchyard(["demo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(process.stderr.take().expect("what it says")).lines().map(|line| line.expect("a line"));
    let told: Vec<_> = lines.skip_while(|line| !line.starts_with("What went wrong")).skip(1).take(10).collect();
    process.kill().expect("a kill");
    process.wait().expect("an end");
    for (words, row) in [
        ("the refresh token was revoked", "the refresh token was revoked"),
        ("renamed the queue", "renamed the queue"),
        ("store-events", "the team `store-events`"),
        ("has left Twitter", "has left Twitter"),
        ("two contacts share an address", "two contacts have one address"),
    ] {
        let row = README.lines().find(|line| line.starts_with('|') && line.contains(row)).expect("a row");
        let count = format!("({} conversations)", row.split('|').nth(3).expect("a column").trim());
        assert!(told.iter().any(|line| line.contains(words) && line.ends_with(&count)), "{words}, {count}: {told:#?}");
    }
}

#[test]
fn a_demo_that_is_killed_three_times_ends_with_the_same_figures() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, data) = (folder.path().join("finance.tsv"), folder.path().join("data"));
    export(&file);
    let demo = |data: &Path| {
        let mut command = switchyard(["demo", "--once", "--json", "--data"]);
        command.arg(&file).arg("--data-dir").arg(data);
        command
    };
    let whole = summary(&demo(&folder.path().join("whole")).output().expect("it runs"));
    let written = size(&folder.path().join("whole/simulator/salesforce.jsonl"));
    // Salesforce's journal grows with every record that is written: the process is killed when it has grown so far.
    let journal = data.join("simulator/salesforce.jsonl");
    let mut moments: Vec<_> = (0..3).map(|_| fastrand::u64(written / 20..written * 9 / 10)).collect();
    moments.sort_unstable();
    for moment in &moments {
        let mut process = demo(&data).spawn().expect("it starts");
        while size(&journal) < *moment && process.try_wait().expect("its state").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        process.kill().expect("a kill");
        process.wait().expect("an end");
    }
    let after = summary(&demo(&data).output().expect("it runs"));
    assert_eq!((&after["lost"], &after["duplicates"]), (&0.into(), &0.into()), "killed at {moments:?} bytes: {after}");
    assert_eq!(after["source"], whole["source"]);
    for what in ["conversations", "cases", "contacts"] {
        assert_eq!(after["salesforce"][what], whole["salesforce"][what], "{what}, killed at {moments:?} bytes");
    }
    assert_eq!(after["sync_errors"]["pending"], whole["sync_errors"]["pending"], "{after}");
}
