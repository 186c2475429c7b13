//! The mailbox: an SMTP server that keeps what it takes, and a page and an API to read it.

mod page;
mod smtp;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use mail_parser::MessageParser;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::journal::lock;
use crate::web;
pub(crate) use smtp::serve;

/// Mails that are kept; a further one ends the oldest.
const KEPT: usize = 500;

/// A mail, parsed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Mail {
    /// From 1, in the order of arrival; never used again.
    number: u64,
    at_ms: i64,
    /// The envelope's sender and recipients.
    from: String,
    to: Vec<String>,
    subject: String,
    text: Option<String>,
    html: Option<String>,
    /// The lines of its head by their names in small letters, as they came.
    headers: BTreeMap<String, String>,
}

/// What the server refuses, or does not answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mood {
    #[default]
    Accept,
    /// The next mail, for now (451).
    RefuseOnce,
    /// Every mail, for now (451).
    RefuseAll,
    /// Every mail, for good (554).
    RejectAll,
    /// Who connects is never told anything, not even a greeting.
    Mute,
    /// Mails are taken, and then nothing is said any more.
    MuteAfterMail,
}

/// Everything the mailbox knows.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mails: Mutex<VecDeque<Mail>>,
    mood: Mutex<Mood>,
    /// Recipients that are refused, with the code that they get.
    refused: Mutex<BTreeMap<String, u16>>,
    /// How many mails ever came.
    count: watch::Sender<u64>,
    /// How many SMTP clients ever connected.
    clients: watch::Sender<u64>,
}

impl Mailbox {
    /// Its page, its API and its control API.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", get(list))
            .route("/mails/{number}", get(show))
            .route("/api/mails", get(mails).delete(clear))
            .route("/control/mood", put(set_mood))
            .route("/control/recipients", put(set_recipients))
            .route("/control/clients", get(clients))
            .with_state(self)
    }

    /// What to answer to a mail instead of taking it.
    fn refusal(&self) -> Option<&'static str> {
        let mut mood = lock(&self.mood);
        match *mood {
            Mood::Accept | Mood::Mute | Mood::MuteAfterMail => None,
            Mood::RefuseOnce => {
                *mood = Mood::Accept;
                Some("451 4.3.0 Try again later\r\n")
            }
            Mood::RefuseAll => Some("451 4.3.0 Try again later\r\n"),
            Mood::RejectAll => Some("554 5.7.1 Not wanted\r\n"),
        }
    }

    /// What to answer to a recipient who gets no mail.
    fn refused(&self, recipient: &str) -> Option<String> {
        let code = *lock(&self.refused).get(recipient)?;
        let words = if code < 500 { "4.2.1 Try again later" } else { "5.1.1 There is nobody of that name" };
        Some(format!("{code} {words}\r\n"))
    }

    fn is(&self, mood: Mood) -> bool {
        *lock(&self.mood) == mood
    }

    /// Parses and keeps a mail; answers its number, or `None` when it is no mail.
    fn take(&self, from: String, to: Vec<String>, content: &[u8]) -> Option<u64> {
        let message = MessageParser::default().parse(content)?;
        let body = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned);
        let mut mails = lock(&self.mails);
        let number = *self.count.borrow() + 1;
        if mails.len() >= KEPT {
            mails.pop_front();
        }
        mails.push_back(Mail {
            number,
            at_ms: Clock::default().now_ms(),
            from,
            to,
            subject: message.subject().unwrap_or_default().to_owned(),
            // Bodies that are really there: the parser would make the one of the other.
            text: body(
                message
                    .text_bodies()
                    .find(|part| part.is_text() && !part.is_text_html())
                    .and_then(|_| message.body_text(0)),
            ),
            html: body(message.html_bodies().find(|part| part.is_text_html()).and_then(|_| message.body_html(0))),
            headers: message
                .headers_raw()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
        });
        drop(mails);
        self.count.send_replace(number);
        Some(number)
    }
}

/// Returns as soon as there are as many as the query's `at_least` says, or after its `wait_ms`.
async fn until(query: Option<&str>, counted: &watch::Sender<u64>, how_many: impl Fn(u64) -> u64) {
    let query = web::pairs(query.unwrap_or_default());
    let number = |name| web::value(&query, name).and_then(|text| text.parse::<u64>().ok());
    if let Some(at_least) = number("at_least") {
        let mut counted = counted.subscribe();
        let enough = counted.wait_for(|count| how_many(*count) >= at_least);
        let wait = Duration::from_millis(number("wait_ms").unwrap_or(0));
        // Whether or not it came to that, the answer tells.
        let _ = tokio::time::timeout(wait, enough).await;
    }
}

/// All mails. With `at_least=n` it answers as soon as there are n, or after `wait_ms`.
async fn mails(State(mailbox): State<Arc<Mailbox>>, RawQuery(query): RawQuery) -> Json<Vec<Mail>> {
    until(query.as_deref(), &mailbox.count, |_| lock(&mailbox.mails).len() as u64).await;
    Json(lock(&mailbox.mails).iter().cloned().collect())
}

/// How many SMTP clients ever connected; it waits as the list of mails does.
async fn clients(State(mailbox): State<Arc<Mailbox>>, RawQuery(query): RawQuery) -> Json<u64> {
    until(query.as_deref(), &mailbox.clients, |count| count).await;
    Json(*mailbox.clients.borrow())
}

async fn clear(State(mailbox): State<Arc<Mailbox>>) -> StatusCode {
    lock(&mailbox.mails).clear();
    StatusCode::NO_CONTENT
}

async fn set_mood(State(mailbox): State<Arc<Mailbox>>, Json(body): Json<Value>) -> Response {
    match serde_json::from_value::<Mood>(body["mood"].clone()) {
        Ok(mood) => {
            *lock(&mailbox.mood) = mood;
            Json(json!({"mood": mood})).into_response()
        }
        Err(error) => web::json(400, &json!({"error": error.to_string()})),
    }
}

async fn set_recipients(State(mailbox): State<Arc<Mailbox>>, Json(refused): Json<BTreeMap<String, u16>>) -> Response {
    if let Some((recipient, code)) = refused.iter().find(|(_, code)| !(400..600).contains(*code)) {
        return web::json(400, &json!({"error": format!("{recipient}: {code} refuses nobody; 400 to 599 do")}));
    }
    lock(&mailbox.refused).clone_from(&refused);
    Json(json!({"refused": refused})).into_response()
}

async fn list(State(mailbox): State<Arc<Mailbox>>) -> Html<String> {
    Html(page::list(lock(&mailbox.mails).iter()))
}

async fn show(State(mailbox): State<Arc<Mailbox>>, Path(number): Path<u64>) -> Response {
    match lock(&mailbox.mails).iter().find(|mail| mail.number == number) {
        Some(mail) => Html(page::show(mail)).into_response(),
        None => (StatusCode::NOT_FOUND, "There is no such mail.").into_response(),
    }
}
