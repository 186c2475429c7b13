//! The simulator as a program of its own.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::world::{client, reply};

const PROGRAM: &str = env!("CARGO_BIN_EXE_switchyard-simulator");

#[tokio::test]
async fn the_program_prints_its_addresses_and_serves() {
    let mut program = Command::new(PROGRAM).stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("it starts");
    let mut lines = BufReader::new(program.stdout.take().expect("its output")).lines();
    let line = lines.next_line().await.expect("read").expect("a line");
    let addresses: Value = serde_json::from_str(&line).expect("JSON");
    let salesforce = addresses["salesforce"].as_str().expect("an address");
    let made = reply(client().put(format!("{salesforce}/control/orgs/acme")).json(&json!({}))).await;
    assert_eq!(made.status, 200);
    for server in ["alcmeon", "mailbox", "smtp"] {
        assert!(addresses[server].is_string(), "{server}");
    }
}

#[tokio::test]
async fn its_help_teaches_how_to_make_an_organization() {
    let help = Command::new(PROGRAM).arg("--help").output().await.expect("it runs");
    let text = String::from_utf8(help.stdout).expect("text");
    assert!(text.contains("/control/orgs/acme"), "{text}");
}
