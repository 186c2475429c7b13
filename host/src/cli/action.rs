//! For those who want to know who did what on a host that runs, when and why.

use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value;

use super::out::{self, say};
use super::remote::Remote;
use crate::domain::{Deed, OrgId, Timestamp};

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
        for action in page["actions"].as_array().into_iter().flatten() {
            left = left.saturating_sub(1);
            if json { say!("{action}") } else { say!("{}", line(action)) }
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
fn line(action: &Value) -> String {
    let text = |name: &str| action[name].as_str().unwrap_or_default();
    let mut line = format!("{}  {:<12} {:<18}", text("at"), text("by"), text("what"));
    for name in ["org", "subject"] {
        if !text(name).is_empty() {
            line += &format!("  {}", text(name));
        }
    }
    if action["count"].as_u64() != Some(1) {
        line += &format!("  ({})", action["count"]);
    }
    if !text("reason").is_empty() {
        line += &format!("  \"{}\"", text("reason"));
    }
    let request: Vec<_> =
        ["token", "address", "request_id"].map(text).into_iter().filter(|it| !it.is_empty()).collect();
    if !request.is_empty() {
        line += &format!("  [{}]", request.join(" "));
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_when_who_what_about_what_and_why() {
        let action = json!({ "at": "2026-01-05T09:30:00.000Z", "by": "ann", "what": "ignore", "org": "acme",
            "subject": "se-1", "count": 1, "reason": "a test" });
        let told = "2026-01-05T09:30:00.000Z  ann          ignore              acme  se-1  \"a test\"";
        assert_eq!(line(&action), told);
        let mut asked = action;
        (asked["token"], asked["address"], asked["request_id"]) = ("tok-1".into(), "192.0.2.7".into(), "req-1".into());
        assert_eq!(line(&asked), format!("{told}  [tok-1 192.0.2.7 req-1]"));
        let many = json!({ "at": "2026-01-05T09:30:00.000Z", "by": "", "what": "sign-in-refused", "count": 40 });
        assert_eq!(line(&many), "2026-01-05T09:30:00.000Z               sign-in-refused     (40)");
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
