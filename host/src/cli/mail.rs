//! For those who want to know what was sent to whom.

use clap::Subcommand;
use reqwest::Method;

use super::org::word;
use super::out::{self, say};
use super::remote::{Remote, known, list, query};
use super::table::{fitted, plain};
use crate::domain::OrgId;
use crate::http::api::Mail;

/// Mails of one call.
const PAGE: usize = 500;

const EXAMPLES: &str = "\
Examples:
  switchyard mail list                                         the newest first
  switchyard mail list --org acme --json";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// List the mails that were sent, the newest first, with what the mail server said.
    List {
        /// About this organization only.
        #[arg(long)]
        org: Option<OrgId>,
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
    let Command::List { org, limit, json, remote } = command;
    let (mut cursor, mut left) = (None, limit);
    while left > 0 && out::is_open() {
        let mut fields = vec![("limit", left.min(PAGE).to_string())];
        fields.extend(org.as_ref().map(|org| ("org", org.to_string())));
        fields.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page = remote.call(Method::GET, &format!("/v1/mails?{}", query(&fields)), None).await?;
        for mail in list(&page, "mails") {
            left = left.saturating_sub(1);
            if json { say!("{mail}") } else { fitted(&line(&known(mail)?)) }
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    Ok(())
}

/// When, about what, to whom, and what became of it.
fn line(mail: &Mail) -> String {
    let Mail { org, last_at, to, subject, outcome, attempts, words, .. } = mail;
    let tries = if *attempts > 1 { format!(" after {attempts} tries") } else { String::new() };
    let words = words.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
    plain(&format!("{last_at}  {org}  {to}  \"{subject}\"  {}{tries}{words}", word(outcome)))
}
