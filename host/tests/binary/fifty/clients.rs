//! Those who ask: one about sync errors, one by one, another about many at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::Sender;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{OPERATORS, name, token};

/// What a client asked, and what it was told.
pub(super) struct Asked {
    pub(super) by: String,
    /// retry, ignore, reopen or undo.
    pub(super) what: &'static str,
    /// The sync error; `None` where it was asked of many at once.
    pub(super) error: Option<String>,
    /// Given once in all.
    pub(super) reason: Option<String>,
    pub(super) answer: Answer,
}

#[derive(Debug)]
pub(super) enum Answer {
    /// It was done, and this is how it stands.
    Done(Value),
    Refused,
    /// Nobody knows whether it was done.
    None,
}

impl Asked {
    pub(super) const fn done(&self) -> Option<&Value> {
        match &self.answer {
            Answer::Done(value) => Some(value),
            Answer::Refused | Answer::None => None,
        }
    }

    /// The operation that was begun.
    pub(super) fn begun(&self) -> Option<String> {
        let id = self.done().filter(|_| self.error.is_none())?["id"].as_str();
        Some(id.expect("an operation has an id").to_owned())
    }
}

/// Asks until the host is gone; tells of each answer.
pub(super) fn client(
    address: &str,
    number: usize,
    seed: u64,
    errors: &[String],
    begun: &[String],
    told: &Sender<()>,
) -> Vec<Asked> {
    let mut random = Rng::with_seed(seed * 1_000 + number as u64);
    let (mut all, mut begun) = (Vec::<Asked>::new(), begun.to_vec());
    loop {
        let once = format!("{} says so, {seed}-{}", name(number), all.len());
        let error = (!OPERATORS.contains(&number)).then(|| errors[random.usize(..errors.len())].clone());
        let (what, path, body) = match &error {
            Some(error) => about_one(&mut random, error, &once),
            None => about_many(&mut random, &begun, &once),
        };
        let reason = (what == "ignore").then_some(once);
        let answer = match ask(address, &token(number), "POST", &path, Some(&body)) {
            Some((200..300, told)) => Answer::Done(told),
            Some((404 | 409 | 422, _)) => Answer::Refused,
            None | Some((503, _)) => Answer::None,
            Some((status, told)) => panic!("{path} is answered with {status}: {told}"),
        };
        let asked = Asked { by: name(number), what, error, reason, answer };
        begun.extend(asked.begun());
        let is_gone = matches!(asked.answer, Answer::None);
        all.push(asked);
        if is_gone {
            return all;
        }
        // Whoever counts the answers may have enough of them.
        let _ = told.send(());
    }
}

fn about_one(random: &mut Rng, error: &str, reason: &str) -> (&'static str, String, Value) {
    let (what, body) = match random.u8(..3) {
        0 => ("retry", json!({})),
        1 => ("ignore", json!({ "reason": reason })),
        _ => ("reopen", json!({})),
    };
    (what, format!("/v1/sync-errors/{error}/{what}"), body)
}

fn about_many(random: &mut Rng, begun: &[String], reason: &str) -> (&'static str, String, Value) {
    let begin = "/v1/operations".to_owned();
    match random.u8(..4) {
        0 => ("retry", begin, json!({ "task": "retry" })),
        1 | 2 if !begun.is_empty() => {
            // Often one of the newest: others may not be over, or have ignored nothing.
            let back = random.usize(1..=begun.len().min(4));
            ("undo", format!("/v1/operations/{}/undo", begun[begun.len() - back]), json!({}))
        }
        _ => ("ignore", begin, json!({ "task": "ignore", "reason": reason, "query": { "org": "acme" } })),
    }
}

/// The status and the body of an answer; `None` where it did not come whole.
pub(super) fn ask(address: &str, token: &str, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
    let mut connection = TcpStream::connect(address).ok()?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let whole = length.parse() == Ok(body.len());
    let status = head.split(' ').nth(1)?.parse().ok()?;
    whole.then(|| (status, serde_json::from_str(body).expect("JSON")))
}
