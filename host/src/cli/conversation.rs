//! For those who have to explain what became of a conversation: its story, as a timeline.

use std::fmt::Write;

use clap::Subcommand;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value;

use super::out::{self, say};
use super::remote::{Remote, known};
use crate::domain::{ConversationId, OrgId};
use crate::http::api::{
    AuditEntry, Conversation, ConversationInOrg, Details, ErrorLine, Message, Record, RequestOrigin,
};

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
    let answer = remote.call(Method::GET, &format!("{path}{of_org}"), None).await?;
    if json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    let Conversation { orgs, .. } = known(&answer)?;
    for mut of in orgs {
        let mut cursor = of.older_cursor.take();
        while let Some(older) = cursor {
            let older = utf8_percent_encode(&older, NON_ALPHANUMERIC);
            let path = format!("{path}&org={}&cursor={older}", of.org);
            let page: Conversation = known(&remote.call(Method::GET, &path, None).await?)?;
            let Some(before) = page.orgs.into_iter().next() else { break };
            of.timeline.splice(..0, before.timeline);
            cursor = before.older_cursor;
        }
        out::text(&story(&of)?);
    }
    Ok(())
}

/// A conversation in one organization, as lines.
fn story(of: &ConversationInOrg) -> anyhow::Result<String> {
    let mut lines = String::new();
    // A string takes every line.
    let mut line = |words: String| {
        let _ = writeln!(lines, "{}", words.trim_end());
    };
    let since = of.since.map(|at| format!(" since {at}")).unwrap_or_default();
    let again = of.next_attempt_at.map(|at| format!(", tried again at {at}")).unwrap_or_default();
    line(format!("{}: {}{since}{again}", of.org, of.state));
    if let Some(until) = of.erased_until {
        line(format!("  forgotten as its source asked: what was sent until {until}"));
    }
    if let Some(Details { channel, team, agent, customer, .. }) = &of.details {
        let named =
            [("customer", &customer.name), ("channel", &Some(channel.clone())), ("team", team), ("agent", agent)];
        for (name, value) in named.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            line(format!("  {name:<9} {}", short(value)));
        }
    }
    if let Some(url) = &of.url {
        line(format!("  source    {}", short(url)));
    }
    for Record { object, id, url } in &of.records {
        line(format!("  {} {id}  {}", short(object), short(url.as_deref().unwrap_or_default())));
    }
    for ErrorLine { id, state, class, code, title, last_seen, .. } in &of.sync_errors {
        line(format!("  sync error {id}  {state}  {class} {}: {} (last seen {last_seen})", short(code), short(title)));
    }
    line("Messages".to_owned());
    for Message { id, sent_at, author, text, erased, .. } in &of.messages {
        let words = if *erased { "(erased)".to_owned() } else { short(text) };
        let at = sent_at.map(|at| at.to_string()).unwrap_or_default();
        line(format!("  {at}  {author:<8}  {id}: {words}"));
    }
    line("Timeline".to_owned());
    for AuditEntry { at, message, fact, request, .. } in &of.timeline {
        let asked = request.as_ref().map(|RequestOrigin { token, address, request_id }| {
            let (token, address) =
                (token.as_ref().map(ToString::to_string), address.map(|address| address.to_string()));
            [token, address, request_id.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ")
        });
        let asked = asked.filter(|asked| !asked.is_empty()).map(|asked| format!("  [{asked}]")).unwrap_or_default();
        line(format!("  {at}  {:<12}  {}{asked}", message.as_str(), happened(&serde_json::to_value(fact)?)));
    }
    Ok(lines)
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

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_story_is_told_in_lines_and_nothing_moves_the_terminal() {
        let (t0, t1) = ("2026-01-05T09:30:00.000Z", "2026-01-05T09:31:00.000Z");
        let of = json!({
            "org": "acme", "connected": true, "state": "retrying", "since": t1, "next_attempt_at": t1,
            "details": { "channel": "email", "account": "web", "closed": false, "tags": [],
                "customer": { "id": "1", "name": "Ann\u{1b}[31m" } },
            "records": [{ "object": "Case", "id": "500Wd00000AbCdEIAV", "url": "https://acme/500" }],
            "sync_errors": [{ "id": "se-1", "state": "pending", "class": "policy", "code": "X", "title": "No queue",
                "first_seen": t0, "last_seen": t1 }],
            "messages": [
                { "id": "m:1", "sent_at": t0, "author": "customer", "name": "", "text": "two\nlines", "erased": false },
                { "id": "m:2", "sent_at": t0, "author": "agent", "name": "", "text": "", "erased": true },
            ],
            "timeline": [
                { "at": t0, "message": "m:1", "order": 0, "fact": { "what": "RESOLVED", "sync_error": "se-1", "how": "delivered" } },
                { "at": t1, "message": "m:1", "order": 1, "fact": { "what": "REOPENED", "sync_error": "se-1", "by": "ann" },
                    "request": { "token": "tok-1", "request_id": "req-1" } },
            ],
        });
        let told = story(&known(&of).unwrap()).unwrap();
        let wanted = [
            format!("acme: retrying since {t1}, tried again at {t1}"),
            "  customer  Ann[31m".to_owned(),
            "  channel   email".to_owned(),
            "  Case 500Wd00000AbCdEIAV  https://acme/500".to_owned(),
            format!("  sync error se-1  pending  policy X: No queue (last seen {t1})"),
            "Messages".to_owned(),
            format!("  {t0}  customer  m:1: two lines"),
            format!("  {t0}  agent     m:2: (erased)"),
            "Timeline".to_owned(),
            format!("  {t0}  m:1           RESOLVED  sync_error: se-1  how: delivered"),
            format!("  {t1}  m:1           REOPENED  sync_error: se-1  by: ann  [tok-1 req-1]"),
        ];
        assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
    }
}
