//! For those who clear sync errors: lists, retries and reasons of a host that runs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::remote::Remote;
use crate::domain::{Class, OrgId, State, SyncErrorId};

/// Sync errors of one call.
const PAGE: usize = 500;
/// Of a refusal's words, in characters, in a list.
const WORDS: usize = 90;

const EXAMPLES: &str = "\
Examples:
  switchyard sync-error list                                   what waits for a person
  switchyard sync-error list --org acme --class config
  switchyard sync-error show se-m47l4iet4z5kanechmvu
  switchyard sync-error retry se-m47l4iet4z5kanechmvu
  switchyard sync-error list --class contact --ids | xargs -r switchyard sync-error ignore --reason 'test customers'";

/// Which sync errors.
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Of this organization only.
    #[arg(long)]
    org: Option<OrgId>,
    /// In this state: pending, retrying, ignored or resolved.
    #[arg(long, default_value = "pending")]
    state: State,
    /// Of this class only, such as transient, config or contact.
    #[arg(long)]
    class: Option<Class>,
}

/// Some of them.
#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// Their ids.
    #[arg(required = true)]
    ids: Vec<SyncErrorId>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// List sync errors, those that failed first first, and at the end how many there are of each kind.
    List {
        #[command(flatten)]
        filter: Filter,
        /// Print the ids alone, for other commands.
        #[arg(long, conflicts_with = "json")]
        ids: bool,
        /// Print one JSON object for each line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show everything that is known of a sync error, and what to check.
    Show {
        /// Its id.
        id: SyncErrorId,
        #[command(flatten)]
        remote: Remote,
    },
    /// Try again, with the newest state of the conversations.
    Retry(Chosen),
    /// Try again what is pending or retrying of an organization.
    RetryAll {
        /// The organization.
        org: OrgId,
        #[command(flatten)]
        remote: Remote,
    },
    /// Expect no further synchronization.
    Ignore {
        /// Why, for whoever looks later.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Take ignored ones back.
    Reopen(Chosen),
    /// Print a repro bundle, for `switchyard policy replay` and for a plugin's cases.
    Repro {
        /// The sync error's id.
        id: SyncErrorId,
        /// Leave personal data in.
        #[arg(long)]
        unmasked: bool,
        #[command(flatten)]
        remote: Remote,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { filter, ids, json, remote } => list(&filter, ids, json, &remote).await,
        Command::Show { id, remote } => print(&remote.call(Method::GET, &format!("/v1/sync-errors/{id}"), None).await?),
        Command::Retry(chosen) => chosen.each("retry", None, "is tried again").await,
        Command::RetryAll { org, remote } => {
            let answer = remote.call(Method::POST, &format!("/v1/orgs/{org}/retry-all"), None).await?;
            println!("{} sync errors of {org} are tried again", answer["retried"]);
            Ok(())
        }
        Command::Ignore { reason, chosen } => {
            chosen.each("ignore", Some(json!({ "reason": reason })), "is ignored").await
        }
        Command::Reopen(chosen) => chosen.each("reopen", None, "is pending again").await,
        Command::Repro { id, unmasked, remote } => {
            let path = format!("/v1/sync-errors/{id}/repro?mask={}", !unmasked);
            print(&remote.call(Method::GET, &path, None).await?)
        }
    }
}

impl Chosen {
    /// Does the same to each; one that is refused does not keep the others from it.
    async fn each(&self, what: &str, body: Option<Value>, done: &str) -> anyhow::Result<()> {
        let mut refused = 0;
        // An id that is given twice is one sync error.
        for id in self.ids.iter().collect::<BTreeSet<_>>() {
            match self.remote.call(Method::POST, &format!("/v1/sync-errors/{id}/{what}"), body.clone()).await {
                Ok(_) => println!("{id} {done}"),
                Err(error) => {
                    eprintln!("{id}: {error:#}");
                    refused += 1;
                }
            }
        }
        match refused {
            0 => Ok(()),
            refused => bail!("{refused} of {} were refused", self.ids.len()),
        }
    }
}

async fn list(filter: &Filter, ids: bool, json: bool, remote: &Remote) -> anyhow::Result<()> {
    let mut path = format!("/v1/sync-errors?limit={PAGE}&state={}", filter.state.as_str());
    if let Some(org) = &filter.org {
        path += &format!("&org={org}");
    }
    if let Some(class) = filter.class {
        path += &format!("&class={}", class.as_str());
    }
    let (mut next, mut codes) = (String::new(), BTreeMap::<_, u64>::new());
    loop {
        let page = remote.call(Method::GET, &format!("{path}{next}"), None).await?;
        for error in page["sync_errors"].as_array().into_iter().flatten() {
            match (ids, json) {
                (true, _) => println!("{}", text(&error["id"])),
                (_, true) => println!("{error}"),
                _ => {
                    print_line(error);
                    let refusal = &error["refusal"];
                    *codes.entry(format!("{} {}", text(&refusal["class"]), text(&refusal["code"]))).or_default() += 1;
                }
            }
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("&cursor={}", percent_encoding::utf8_percent_encode(cursor, percent_encoding::NON_ALPHANUMERIC));
    }
    // Whoever has five hundred begins with what most of them have in common.
    let mut codes: Vec<_> = codes.into_iter().collect();
    codes.sort_by_key(|(_, count)| Reverse(*count));
    for (code, count) in codes {
        eprintln!("{count:>6}  {code}");
    }
    Ok(())
}

fn print_line(error: &Value) {
    let refusal = &error["refusal"];
    let words: String = text(&refusal["text"]).split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(WORDS).collect();
    let more = if short.len() < words.len() { " ..." } else { "" };
    println!(
        "{}  {}  {}  {:<12} {}: {short}{more}",
        text(&error["id"]),
        text(&error["last_seen"]),
        text(&error["org"]),
        text(&refusal["class"]),
        text(&refusal["code"]),
    );
}

fn print(answer: &Value) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(answer)?);
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
