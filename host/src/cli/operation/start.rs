//! Begins an operation, or says what it would be about.

use clap::builder::NonEmptyStringValueParser as Words;
use clap::{Args, ValueEnum};
use reqwest::Method;
use serde_json::json;

use super::{Way, go};
use crate::cli::remote::Remote;
use crate::cli::sync_error::Filter;
use crate::cli::{Exit, Misused};

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
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    way: Way,
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
    let Options { task, reason, assignee, no_assignee, filter, way, remote } = options;
    if task != Task::Assign && no_assignee {
        return Err(Misused("--no-assignee is for `assign`").into());
    }
    if task == Task::Assign && assignee.is_none() && !no_assignee {
        return Err(Misused("`assign` needs --assignee NAME, or --no-assignee").into());
    }
    let name = task.to_possible_value().map(|task| task.get_name().to_owned());
    let asked = json!({
        "task": name, "reason": reason, "assignee": assignee, "query": filter.object(), "dry_run": way.dry_run,
    });
    let answer = remote.call(Method::POST, "/v1/operations", Some(asked)).await?;
    go(&remote, &answer, &way, "sync errors").await
}
