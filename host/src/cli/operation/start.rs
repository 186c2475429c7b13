//! Begins an operation, or says what it would be about.

use clap::builder::NonEmptyStringValueParser as Words;
use clap::{Args, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};

use super::{begun, wait};
use crate::cli::out::say;
use crate::cli::remote::Remote;
use crate::cli::sync_error::Filter;
use crate::cli::table::{Table, number, text};
use crate::cli::{Exit, Misused};
use crate::domain::OperationId;

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// What is done with them.
    #[arg(value_enum)]
    task: Task,
    /// Why they are ignored, for whoever looks later.
    #[arg(long, required_if_eq("task", "ignore"), value_parser = Words::new())]
    reason: Option<String>,
    /// Who looks after their causes.
    #[arg(long, value_name = "NAME", value_parser = Words::new())]
    assignee: Option<String>,
    /// Nobody looks after their causes any more.
    #[arg(long, conflicts_with = "assignee")]
    no_assignee: bool,
    /// Only say how many it would be about, of which causes, and how many Salesforce calls it may take.
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Show how it goes on until it ends, and its report then.
    #[arg(long)]
    wait: bool,
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Task {
    /// Try again, with the newest state of the conversations.
    Retry,
    /// Expect no further synchronization.
    Ignore,
    /// Take ignored ones back.
    Reopen,
    /// Say who looks after their causes.
    Assign,
}

pub(super) async fn run(options: Options) -> anyhow::Result<Exit> {
    let Options { task, reason, assignee, no_assignee, dry_run, wait: waits, json, filter, remote } = options;
    if task != Task::Assign && no_assignee {
        return Err(Misused("--no-assignee is for `assign`").into());
    }
    if task == Task::Assign && assignee.is_none() && !no_assignee {
        return Err(Misused("`assign` needs --assignee NAME, or --no-assignee").into());
    }
    let name = task.to_possible_value().map(|task| task.get_name().to_owned());
    let asked = json!({
        "task": name, "reason": reason, "assignee": assignee, "query": filter.object(), "dry_run": dry_run,
    });
    let answer = remote.call(Method::POST, "/v1/operations", Some(asked)).await?;
    if dry_run {
        plan(&answer, json)?;
        return Ok(Exit::Done);
    }
    if waits {
        let id: OperationId = text(&answer["id"]).parse()?;
        return wait(&remote, &id, json).await;
    }
    begun(&answer, json)?;
    Ok(Exit::Done)
}

fn plan(plan: &Value, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string_pretty(plan)?);
        return Ok(());
    }
    let mut table = Table::new(&["matched", "org", "id", "title"]);
    for cause in plan["groups"].as_array().into_iter().flatten() {
        let [org, id, title] = ["org", "id", "title"].map(|name| text(&cause[name]).to_owned());
        table.row([number(&cause["matched"]).to_string(), org, id, title]);
    }
    table.print();
    let (task, matched) = (text(&plan["task"]), number(&plan["matched"]));
    let least = if plan["is_exact"] == true { "" } else { "at least " };
    let calls = match number(&plan["salesforce_calls"]) {
        0 => String::new(),
        calls => format!("; Salesforce may be called {calls} times"),
    };
    say!("{task} would be about {least}{matched} sync errors{calls}. Nothing was changed.");
    Ok(())
}
