//! For those who have to explain what became of a conversation: its story, as a timeline.

use std::fmt::Write;

use clap::Subcommand;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value;

use super::out::{self, say};
use super::remote::Remote;
use crate::domain::{ConversationId, OrgId};

/// Of a text, in characters, in a line.
const WORDS: usize = 120;

const EXAMPLES: &str = "\
Examples:
  switchyard conversation show main:4711
  switchyard conversation show main:4711 --mask            without personal data
  switchyard conversation show main:4711 --json | jq .";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// Show where a conversation stands, what was said, what it became in Salesforce, and all that happened.
    Show {
        /// Its id.
        id: ConversationId,
        /// In this organization only.
        #[arg(long)]
        org: Option<OrgId>,
        /// Leave personal data out.
        #[arg(long)]
        mask: bool,
        /// Print the host's answer as JSON, with the newest entries of the timeline.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    let Command::Show { id, org, mask, json, remote } = command;
    let id = utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC);
    let path = format!("/v1/conversations/{id}?mask={mask}");
    let of_org = org.map(|org| format!("&org={org}")).unwrap_or_default();
    let mut answer = remote.call(Method::GET, &format!("{path}{of_org}"), None).await?;
    if json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    for of in answer["orgs"].as_array_mut().into_iter().flatten() {
        let mut cursor = of["older_cursor"].as_str().map(str::to_owned);
        while let Some(older) = cursor {
            let older = utf8_percent_encode(&older, NON_ALPHANUMERIC);
            let path = format!("{path}&org={}&cursor={older}", text(&of["org"]));
            let before = remote.call(Method::GET, &path, None).await?["orgs"][0].take();
            let mut entries = before["timeline"].as_array().cloned().unwrap_or_default();
            entries.extend(of["timeline"].as_array().cloned().unwrap_or_default());
            of["timeline"] = Value::Array(entries);
            cursor = before["older_cursor"].as_str().map(str::to_owned);
        }
        out::text(&story(of));
    }
    Ok(())
}

/// A conversation in one organization, as lines.
fn story(of: &Value) -> String {
    let mut lines = String::new();
    // A string takes every line.
    let mut line = |words: String| {
        let _ = writeln!(lines, "{}", words.trim_end());
    };
    let details = &of["details"];
    let since = of["since"].as_str().map(|at| format!(" since {at}")).unwrap_or_default();
    let again = of["next_attempt_at"].as_str().map(|at| format!(", tried again at {at}")).unwrap_or_default();
    line(format!("{}: {}{since}{again}", text(&of["org"]), text(&of["state"])));
    if let Some(until) = of["erased_until"].as_str() {
        line(format!("  forgotten as its source asked: what was sent until {until}"));
    }
    let named = [("customer", &details["customer"]["name"]), ("channel", &details["channel"])];
    for (name, value) in named.into_iter().chain([("team", &details["team"]), ("agent", &details["agent"])]) {
        if let Some(value) = value.as_str() {
            line(format!("  {name:<9} {}", short(value)));
        }
    }
    if let Some(url) = of["url"].as_str() {
        line(format!("  source    {url}"));
    }
    for record in list(&of["records"]) {
        line(format!("  {} {}  {}", text(&record["object"]), text(&record["id"]), text(&record["url"])));
    }
    for error in list(&of["sync_errors"]) {
        let [id, state, title] = ["id", "state", "title"].map(|name| text(&error[name]));
        let [class, code, last] = ["class", "code", "last_seen"].map(|name| text(&error[name]));
        line(format!("  sync error {id}  {state}  {class} {code}: {} (last seen {last})", short(title)));
    }
    line("Messages".to_owned());
    for message in list(&of["messages"]) {
        let words = if message["erased"] == true { "(erased)".to_owned() } else { short(text(&message["text"])) };
        let [id, at, author] = ["id", "sent_at", "author"].map(|name| text(&message[name]));
        line(format!("  {at}  {author:<8}  {id}: {words}"));
    }
    line("Timeline".to_owned());
    for entry in list(&of["timeline"]) {
        let [at, message] = ["at", "message"].map(|name| text(&entry[name]));
        let asked = ["token", "address", "request_id"].map(|name| text(&entry["request"][name]));
        let asked: Vec<_> = asked.into_iter().filter(|it| !it.is_empty()).collect();
        let asked = if asked.is_empty() { String::new() } else { format!("  [{}]", asked.join(" ")) };
        line(format!("  {at}  {message:<12}  {}{asked}", happened(&entry["fact"])));
    }
    lines
}

/// What happened, in one line: the fact's name, and whatever it says.
fn happened(fact: &Value) -> String {
    let mut words = text(&fact["what"]).to_owned();
    for (name, value) in fact.as_object().into_iter().flatten().filter(|(name, _)| *name != "what") {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => short(text),
            // A policy and its revision.
            Value::Object(_) if value["name"].is_string() && value["revision"].is_u64() => {
                format!("{} revision {}", text(&value["name"]), value["revision"])
            }
            other => short(&other.to_string()),
        };
        let _ = write!(words, "  {name}: {value}");
    }
    words
}

/// A text as one line.
fn short(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: String = words.chars().filter(|character| !crate::domain::is_hidden(*character)).collect();
    let cut: String = words.chars().take(WORDS).collect();
    if cut.len() < words.len() { format!("{cut} ...") } else { cut }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_story_is_told_in_lines_and_nothing_moves_the_terminal() {
        let told = story(&json!({
            "org": "acme", "state": "retrying", "since": "T1", "next_attempt_at": "T2",
            "details": { "channel": "email", "team": null, "customer": { "name": "Ann\u{1b}[31m" } },
            "records": [{ "object": "Case", "id": "500", "url": "https://acme/500" }],
            "sync_errors": [{ "id": "se-1", "state": "pending", "class": "policy", "code": "X", "title": "No queue", "last_seen": "T1" }],
            "messages": [
                { "id": "m:1", "sent_at": "T0", "author": "customer", "text": "two\nlines", "erased": false },
                { "id": "m:2", "sent_at": "T0", "author": "agent", "text": "", "erased": true },
            ],
            "timeline": [
                { "at": "T0", "message": "m:1", "fact": { "what": "ROUTED", "policy": { "name": "p", "revision": 3 }, "cost": 7 } },
                { "at": "T1", "message": "m:1", "fact": { "what": "REOPENED", "by": "ann" }, "request": { "token": "tok-1", "request_id": "req-1" } },
            ],
        }));
        let wanted = [
            "acme: retrying since T1, tried again at T2",
            "  customer  Ann[31m",
            "  channel   email",
            "  Case 500  https://acme/500",
            "  sync error se-1  pending  policy X: No queue (last seen T1)",
            "Messages",
            "  T0  customer  m:1: two lines",
            "  T0  agent     m:2: (erased)",
            "Timeline",
            "  T0  m:1           ROUTED  policy: p revision 3  cost: 7",
            "  T1  m:1           REOPENED  by: ann  [tok-1 req-1]",
        ];
        assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
    }
}
