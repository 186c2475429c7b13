//! A client that listens to a host which is killed misses nothing and hears nothing twice.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::acme::{PATIENCE, TOKEN, acme, hand_in, ids};
use crate::switchyard::Host;

/// Somebody who listens; answers the data of events with their ids.
struct Listening(BufReader<TcpStream>);

impl Listening {
    fn to(host: &Host, after: &str) -> Self {
        let mut connection = TcpStream::connect(&host.address).expect("a connection");
        connection.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let head = format!(
            "GET /v1/events?type=sync_error.opened HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {TOKEN}\r\n{after}\r\n",
            host.address
        );
        connection.write_all(head.as_bytes()).expect("sent");
        Self(BufReader::new(connection))
    }

    /// The next event. (The lines between, which frame the pieces, begin like no field.)
    fn next(&mut self) -> Value {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).expect("a line") > 0, "the stream ended");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).expect("JSON");
            }
        }
    }
}

fn of(event: &Value, name: &str) -> String {
    event[name].as_str().unwrap_or_else(|| panic!("{name}: {event}")).to_owned()
}

#[test]
fn after_a_kill_a_client_goes_on_with_its_last_id_and_hears_of_each_sync_error_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut host = acme(folder.path());
    let mut listening = Listening::to(&host, "");
    hand_in(&host, 1..=1);
    let first = listening.next();
    let (mut last, mut told) = (of(&first, "id"), vec![of(&first, "sync_error")]);
    for round in 0..3 {
        // Nobody reads what is told of these; the next of them may be in the middle of anything when the host is killed.
        hand_in(&host, round * 10 + 2..=round * 10 + 11);
        drop(listening);
        drop(host);
        host = acme(folder.path());
        let known = ids(&host, "pending", round * 10 + 11);
        listening = Listening::to(&host, &format!("last-event-id: {last}\r\n"));
        for _ in 0..10 {
            let event = listening.next();
            (last, _) = (of(&event, "id"), told.push(of(&event, "sync_error")));
        }
        let mut all = (known, told.clone());
        all.0.sort_unstable();
        all.1.sort_unstable();
        assert_eq!(all.1, all.0, "round {round}");
    }
}
