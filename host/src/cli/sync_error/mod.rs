//! For those who clear sync errors: lists, causes, retries, reasons and exports of a host that runs.

mod export;
mod filter;
mod groups;
mod list;
mod watch;

use std::collections::BTreeSet;

use anyhow::bail;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

pub(super) use self::filter::Filter;

use super::Exit;
use super::out::{say, tell};
use super::remote::{Remote, known};
use crate::domain::{OrgId, Pick, SyncErrorId};
use crate::http::api::RetryAll;

const EXAMPLES: &str = "\
Examples:
  switchyard sync-error groups                                 the causes, those with the most first
  switchyard sync-error list                                   what waits for a person, the newest first
  switchyard sync-error list --org acme --class config --sort first_seen --limit 20
  switchyard sync-error search 'jane@'                         by customer, by any id, or by words of the cause
  switchyard sync-error show se-m47l4iet4z5kanechmvu
  switchyard sync-error retry se-m47l4iet4z5kanechmvu
  switchyard sync-error choose se-m47l4iet4z5kanechmvu 003Wd00000AbCdEIAV
  switchyard sync-error export --state pending --format csv --to pending.csv
  switchyard sync-error list --ids --customer test | xargs -r switchyard sync-error ignore --reason 'test customers'

What is to be done with many at once is an operation: `switchyard operation --help`.";

/// Some of them.
#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// Their ids.
    #[arg(required = true)]
    ids: Vec<SyncErrorId>,
    /// Print each as the host answers it, one JSON object for each line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", Exit::help()))]
pub(super) enum Command {
    /// List the causes: how many sync errors each has open and pending, how often it failed in 24 hours, and how it stands.
    Groups(groups::Listed),
    /// Show a cause, or say who looks after it.
    #[command(subcommand)]
    Group(groups::Command),
    /// List sync errors, those that are pending where no state is asked for, and at the end how many there are of each kind.
    List {
        #[command(flatten)]
        filter: Filter,
        /// In any state.
        #[arg(long, conflicts_with = "state")]
        all_states: bool,
        #[command(flatten)]
        shown: list::Shown,
    },
    /// Find sync errors in any state by an id of any kind, by how a customer's name or address begins, or by words of the cause.
    Search {
        /// What to look for.
        #[arg(value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "q")]
        sought: String,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        shown: list::Shown,
    },
    /// Write all that match, in any state where none is asked for.
    Export(export::Options),
    /// Say again and again what changes: counts of organizations, and causes. Ctrl-C ends it.
    Watch(watch::Options),
    /// Show everything that is known of a sync error, and what to check.
    Show {
        /// Its id.
        id: SyncErrorId,
        /// As JSON, which it is anyway.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Try again, with the newest state of the conversations.
    Retry(Chosen),
    /// Try again what is pending or retrying of an organization, and probe its incident.
    RetryAll {
        /// The organization.
        org: OrgId,
        /// Print what the host answers, as JSON.
        #[arg(long)]
        json: bool,
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
    /// Show the contacts that the customer could be, as Salesforce knows them.
    Candidates {
        /// The sync error's id.
        id: SyncErrorId,
        /// As JSON, which it is anyway.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Say which contact the customer is, and try again with that.
    Choose {
        /// The sync error's id.
        id: SyncErrorId,
        /// One of the candidates' ids; `none` to write the conversation without a contact; `policy` to take back what was chosen.
        contact: Pick,
        /// What was chosen before and is changed by this.
        #[arg(long, value_name = "CONTACT")]
        instead_of: Option<Pick>,
        /// Print what the host answers, as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Print a repro bundle, for `switchyard policy replay` and for a plugin's cases.
    Repro {
        /// The sync error's id.
        id: SyncErrorId,
        /// Leave personal data in.
        #[arg(long)]
        unmasked: bool,
        /// As JSON, which it is anyway.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Groups(listed) => groups::list(&listed).await?,
        Command::Group(command) => groups::one(command).await?,
        Command::List { filter, all_states, shown } => list::list(filter, all_states, &shown).await?,
        Command::Search { sought, mut filter, shown } => {
            filter.q = Some(sought);
            list::list(filter, true, &shown).await?;
        }
        Command::Export(options) => export::run(&options).await?,
        Command::Watch(options) => watch::run(&options).await?,
        Command::Show { id, remote, .. } => {
            print(&remote.call(Method::GET, &format!("/v1/sync-errors/{id}"), None).await?)?;
        }
        Command::Retry(chosen) => chosen.each("retry", None, "is tried again").await?,
        Command::RetryAll { org, json, remote } => retry_all(&org, json, &remote).await?,
        Command::Ignore { reason, chosen } => {
            chosen.each("ignore", Some(json!({ "reason": reason })), "is ignored").await?;
        }
        Command::Reopen(chosen) => chosen.each("reopen", None, "is pending again").await?,
        Command::Candidates { id, remote, .. } => {
            print(&remote.call(Method::GET, &format!("/v1/sync-errors/{id}/candidates"), None).await?)?;
        }
        Command::Choose { id, contact, instead_of, json, remote } => {
            let body = json!({ "contact": contact, "instead_of": instead_of });
            let answer = remote.call(Method::POST, &format!("/v1/sync-errors/{id}/choose"), Some(body)).await?;
            match json {
                true => say!("{answer}"),
                false => say!("{id} is tried again with {contact}"),
            }
        }
        Command::Repro { id, unmasked, remote, .. } => {
            let path = format!("/v1/sync-errors/{id}/repro?mask={}", !unmasked);
            print(&remote.call(Method::GET, &path, None).await?)?;
        }
    }
    Ok(Exit::Done)
}

impl Chosen {
    /// Does the same to each; one that is refused does not keep the others from it.
    async fn each(&self, what: &str, body: Option<Value>, done: &str) -> anyhow::Result<()> {
        let mut refused = 0;
        // An id that is given twice is one sync error.
        for id in self.ids.iter().collect::<BTreeSet<_>>() {
            match self.remote.call(Method::POST, &format!("/v1/sync-errors/{id}/{what}"), body.clone()).await {
                Ok(error) if self.json => say!("{error}"),
                Ok(_) => say!("{id} {done}"),
                Err(error) => {
                    tell!("{id}: {error:#}");
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

async fn retry_all(org: &OrgId, as_json: bool, remote: &Remote) -> anyhow::Result<()> {
    let answer = remote.call(Method::POST, &format!("/v1/orgs/{org}/retry-all"), None).await?;
    if as_json {
        say!("{answer}");
        return Ok(());
    }
    let RetryAll { retried, operation, .. } = known(&answer)?;
    say!("{retried} sync errors of {org} are tried again");
    if let Some(operation) = operation {
        say!("{operation} does it; `switchyard operation wait {operation}` follows it");
    }
    Ok(())
}

fn print(answer: &Value) -> anyhow::Result<()> {
    say!("{}", serde_json::to_string_pretty(answer)?);
    Ok(())
}
