//! For those who want to know who did what on a host that runs, when and why.

use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;

use super::out::{self, say};
use super::remote::{Remote, known, list};
use super::table::fitted;
use crate::domain::{Deed, OrgId, Timestamp, is_hidden};
use crate::http::api::Action;

/// Actions of one call.
const PAGE: usize = 500;

const EXAMPLES: &str = "\
Examples:
  switchyard action list                                       the newest first
  switchyard action list --what policy-put --since 2026-01-05T09:00:00Z
  switchyard action list --org acme --by operations --json";

/// Which actions.
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// About this organization only.
    #[arg(long)]
    org: Option<OrgId>,
    /// By this token only.
    #[arg(long)]
    by: Option<String>,
    /// Of this kind only, such as retry, ignore, policy-put or sign-in.
    #[arg(long)]
    what: Option<Deed>,
    /// From this time on, such as 2026-01-05T09:00:00Z.
    #[arg(long)]
    since: Option<Timestamp>,
    /// Before this time.
    #[arg(long)]
    before: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// List what was done, the newest first.
    List {
        #[command(flatten)]
        filter: Filter,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Print one JSON object for each line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    let Command::List { filter, limit, json, remote } = command;
    let (path, mut next, mut left) = (filter.path(), String::new(), limit);
    while left > 0 && out::is_open() {
        let page = remote.call(Method::GET, &format!("{path}limit={}{next}", left.min(PAGE)), None).await?;
        for action in list(&page, "actions") {
            left = left.saturating_sub(1);
            if json { say!("{action}") } else { fitted(&line(known(action)?)) }
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    Ok(())
}

impl Filter {
    fn path(&self) -> String {
        let quoted = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let given = [
            ("org", self.org.as_ref().map(ToString::to_string)),
            ("by", self.by.clone()),
            ("what", self.what.map(|what| what.to_string())),
            ("since", self.since.map(|since| since.to_string())),
            ("before", self.before.map(|before| before.to_string())),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some(format!("{name}={}&", quoted(&value?))));
        format!("/v1/actions?{}", given.collect::<String>())
    }
}

/// When, who, what, and whatever is known beside; at the end by which token, from where and by which request.
fn line(action: Action) -> String {
    let Action { at, by, what, org, subject, count, reason, token, address, request_id, .. } = action;
    let mut line = format!("{at}  {by:<12} {:<18}", what.as_str());
    for name in [org.map(|org| org.to_string()), subject].into_iter().flatten() {
        line += &format!("  {name}");
    }
    if count != 1 {
        line += &format!("  ({count})");
    }
    if let Some(reason) = reason {
        line += &format!("  \"{reason}\"");
    }
    let (token, address) = (token.map(|token| token.to_string()), address.map(|address| address.to_string()));
    let request: Vec<_> = [token, address, request_id].into_iter().flatten().collect();
    if !request.is_empty() {
        line += &format!("  [{}]", request.join(" "));
    }
    let shown = |character: char| if is_hidden(character) { char::REPLACEMENT_CHARACTER } else { character };
    line.trim_end().chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_when_who_what_about_what_and_why() {
        let action = json!({ "id": "1", "at": "2026-01-05T09:30:00.000Z", "by": "ann", "via": "api", "what": "ignore",
            "org": "acme", "subject": "se-1", "count": 1, "reason": "a test" });
        let line = |action: &serde_json::Value| line(known(action).unwrap());
        let told = "2026-01-05T09:30:00.000Z  ann          ignore              acme  se-1  \"a test\"";
        assert_eq!(line(&action), told);
        let mut asked = action;
        let token = "tok-019c3e2b4f7qk2vx7ahz4";
        (asked["token"], asked["address"], asked["request_id"]) = (token.into(), "192.0.2.7".into(), "req-1".into());
        assert_eq!(line(&asked), format!("{told}  [{token} 192.0.2.7 req-1]"));
        let many = json!({ "id": "2", "at": "2026-01-05T09:30:00.000Z", "by": "", "via": "api",
            "what": "sign-in-refused", "subject": "a\u{1b}[2J", "count": 40 });
        let told = "2026-01-05T09:30:00.000Z               sign-in-refused     a\u{fffd}[2J  (40)";
        assert_eq!(line(&many), told);
    }

    #[test]
    fn a_filter_is_quoted() {
        let filter = Filter {
            org: OrgId::new("acme").ok(),
            by: Some("a&b".to_owned()),
            what: Some(Deed::RetryAll),
            since: None,
            before: None,
        };
        assert_eq!(filter.path(), "/v1/actions?org=acme&by=a%26b&what=retry%2Dall&");
    }
}
