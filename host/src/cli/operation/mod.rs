//! For those who clear sync errors by the thousand: operations of a host that runs.

mod beginning;
mod report;
mod resync;
mod start;

use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use self::beginning::{Way, begun, go};
use self::report::Report;
use super::Exit;
use super::out::say;
use super::progress::Progress;
use super::remote::{Remote, known, list as list_of, query};
use super::table::Table;
use crate::domain::{OperationId, OperationStatus, OrgId};
use crate::http::api::Operation;

/// Between two looks at an operation that goes on: soon at first, as most are short.
const SOONEST: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  switchyard operation start retry --group CAUSE --dry-run     how many, and how many Salesforce calls
  switchyard operation start retry --group CAUSE --wait        and the report at its end
  switchyard operation start ignore --reason 'test customers' --customer test
  switchyard operation start assign --assignee ann --class contact
  switchyard operation resync --policy bank --revision 7 --dry-run   what a wrong revision sent to the wrong place
  switchyard operation list
  switchyard operation undo op-m47l4iet4z5kanechmvu            what it ignored is pending again

It asks nothing: what matches when it begins is in it. `--dry-run` says beforehand what that is.";

/// An operation.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Its id.
    id: OperationId,
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Which operations, and how they are printed.
#[derive(Debug, Args)]
pub(super) struct Listed {
    /// Of this organization.
    #[arg(long)]
    org: Option<OrgId>,
    /// No more than so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=500))]
    limit: Option<u64>,
    /// Print the ids alone, for other commands.
    #[arg(long, conflicts_with = "json")]
    ids: bool,
    /// Print one JSON object for each line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", Exit::help()))]
pub(super) enum Command {
    /// Begin to do one thing with all the sync errors that match.
    Start(Box<start::Options>),
    /// Send conversations that got through once more, such as those that a wrong policy put into the wrong queue.
    Resync(Box<resync::Options>),
    /// List the newest operations, those that go on first.
    List(Listed),
    /// Show how far an operation is, and what became of what it did.
    Show(Named),
    /// Show how an operation goes on until it ends, and its report then.
    Wait(Named),
    /// Stop an operation for a while; what is on its way comes to its end.
    Pause(Named),
    /// Let a paused operation go on.
    Resume(Named),
    /// End an operation; what it has done stays.
    Cancel(Named),
    /// Take back what an operation ignored, where nobody has changed it since; that is an operation too.
    Undo(Named),
}

pub(super) async fn run(command: Command) -> anyhow::Result<Exit> {
    let (named, method, after) = match command {
        Command::Start(options) => return start::run(*options).await,
        Command::Resync(options) => return resync::run(*options).await,
        Command::List(listed) => return list(&listed).await,
        Command::Wait(named) => return wait(&named.remote, &named.id, named.json).await,
        Command::Show(named) => (named, Method::GET, ""),
        Command::Pause(named) => (named, Method::POST, "/pause"),
        Command::Resume(named) => (named, Method::POST, "/resume"),
        Command::Cancel(named) => (named, Method::POST, "/cancel"),
        Command::Undo(named) => (named, Method::POST, "/undo"),
    };
    let operation = named.remote.call(method, &format!("/v1/operations/{}{after}", named.id), None).await?;
    match after {
        "/undo" => begun(&operation, named.json, "sync errors")?,
        _ => Report::of(operation)?.print(named.json)?,
    }
    Ok(Exit::Done)
}

async fn list(Listed { org, limit, ids, json, remote }: &Listed) -> anyhow::Result<Exit> {
    let mut fields: Vec<_> = org.iter().map(|org| ("org", org.to_string())).collect();
    fields.extend(limit.iter().map(|limit| ("limit", limit.to_string())));
    let answer = remote.call(Method::GET, &format!("/v1/operations?{}", query(&fields)), None).await?;
    let mut table = Table::new(&["id", "began", "task", "status", "matched", "done", "by", "orgs"]);
    for operation in list_of(&answer, "operations") {
        match (ids, json) {
            (true, _) => say!("{}", known::<Operation>(operation)?.id),
            (_, true) => say!("{operation}"),
            _ => table.row(row(known(operation)?)),
        }
    }
    table.print();
    Ok(Exit::Done)
}

fn row(Operation { id, created_at, task, status, sums, by, orgs, .. }: Operation) -> [String; 8] {
    let matched = sums.matched.map_or_else(|| "?".to_owned(), |matched| matched.to_string());
    let orgs: Vec<_> = orgs.iter().map(|of| of.org.as_str()).collect();
    let (id, began, status) = (id.to_string(), created_at.to_string(), status.to_string());
    [id, began, task.into_owned(), status, matched, sums.done.to_string(), by, orgs.join(", ")]
}

/// Shows how far it is until it ends, and then what became of it.
async fn wait(remote: &Remote, id: &OperationId, as_json: bool) -> anyhow::Result<Exit> {
    let operation = tokio::select! {
        ended = ended(remote, id) => ended?,
        _ = tokio::signal::ctrl_c() => {
            bail!("{id} goes on; `switchyard operation wait {id}` follows it, `switchyard operation cancel {id}` ends it")
        }
    };
    let report = Report::of(operation)?;
    report.print(as_json)?;
    Ok(if report.is_whole() { Exit::Done } else { Exit::Unfinished })
}

async fn ended(remote: &Remote, id: &OperationId) -> anyhow::Result<Value> {
    let (mut progress, mut pause, mut status) = (Progress::start("the operation goes on"), SOONEST, None);
    loop {
        let answer = remote.call(Method::GET, &format!("/v1/operations/{id}"), None).await?;
        let operation: Operation = known(&answer)?;
        if operation.ended_at.is_some() {
            return Ok(answer);
        }
        let now = Some(operation.status);
        if now == Some(OperationStatus::Paused) && status != now {
            progress.aside(&format!("{id} is paused; `switchyard operation resume {id}` lets it go on"));
        }
        status = now;
        progress.at(operation.progress, || report::line(&operation));
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LATEST);
    }
}
