//! What is only for a terminal: that something goes on which takes long.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::acme::PATIENCE;

/// A command on a terminal of its own, whose words come by a pipe; nothing where this machine has no `script`.
fn on_a_terminal(arguments: &str) -> Option<Child> {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_switchyard"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::null()).stdout(Stdio::piped());
    match script.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: this machine has no `script`, which makes a terminal");
            None
        }
        child => Some(child.expect("it starts")),
    }
}

/// What is shown, as it comes, until it ends.
fn pieces(mut shown: ChildStdout) -> Receiver<String> {
    let (sender, pieces) = channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count) = shown.read(&mut bytes)
            && count > 0
            && sender.send(String::from_utf8_lossy(&bytes[..count]).into_owned()).is_ok()
        {}
    });
    pieces
}

#[test]
fn a_host_that_takes_its_time_is_said_to_be_asked_and_that_is_taken_away_again() {
    let host = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = host.local_addr().expect("an address");
    let Some(mut terminal) = on_a_terminal(&format!("org list --url http://{address}")) else { return };
    let (mut asked, _) = host.accept().expect("a connection");
    let shown = pieces(terminal.stdout.take().expect("what it shows"));
    let (words, mut seen) = (format!("http://{address} is asked"), String::new());
    while !seen.contains(&words) {
        seen += &shown.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("only this is shown: {seen:?}"));
    }
    let mut lines = BufReader::new(asked.try_clone().expect("the connection")).lines();
    while !lines.next().expect("a request").expect("a line").is_empty() {}
    let body = r#"{"orgs":[]}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    asked.write_all(answer.as_bytes()).expect("it is sent");
    let rest: String = shown.iter().collect();
    // The line is cleared at the end.
    assert!(rest.trim_end_matches(['\r', '\n']).ends_with("\u{1b}[2K"), "{rest:?}");
    assert!(terminal.wait().expect("an end").success());
}
