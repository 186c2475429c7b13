//! What follows once the host has answered that an operation began, or what it would be about.

use clap::Args;
use serde_json::Value;

use super::wait;
use crate::cli::Exit;
use crate::cli::out::say;
use crate::cli::remote::{Remote, known};
use crate::cli::table::Table;
use crate::http::api::{DryRun, MatchedGroup, Operation};

/// Whether it begins, and what is printed.
#[derive(Debug, Args)]
pub(super) struct Way {
    /// Only say how many it would be about, of which causes, and how many Salesforce calls it may take.
    #[arg(long, conflicts_with = "wait")]
    pub(super) dry_run: bool,
    /// Show how it goes on until it ends, and its report then.
    #[arg(long)]
    wait: bool,
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
}

/// Says what would be done, what has begun, or how it ended. It is about `things`.
pub(super) async fn go(remote: &Remote, answer: &Value, way: &Way, things: &str) -> anyhow::Result<Exit> {
    if way.dry_run {
        plan(answer, way.json, things)?;
        return Ok(Exit::Done);
    }
    if way.wait {
        return wait(remote, &known::<Operation>(answer)?.id, way.json).await;
    }
    begun(answer, way.json, things)?;
    Ok(Exit::Done)
}

/// Says what has begun, and how to follow it.
pub(super) fn begun(operation: &Value, as_json: bool, things: &str) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string_pretty(operation)?);
        return Ok(());
    }
    let Operation { id, task, sums, .. } = known(operation)?;
    let many = sums.matched.map(|matched| format!(" {matched} {things}")).unwrap_or_default();
    say!("{id} has begun: {task}{many}; `switchyard operation wait {id}` follows it");
    Ok(())
}

fn plan(plan: &Value, as_json: bool, things: &str) -> anyhow::Result<()> {
    if as_json {
        say!("{}", serde_json::to_string_pretty(plan)?);
        return Ok(());
    }
    let mut table = Table::new(&["matched", "org", "id", "title"]);
    let DryRun { task, matched, is_exact, salesforce_calls, groups } = known(plan)?;
    for MatchedGroup { id, org, title, matched } in groups {
        table.row([matched.to_string(), org.to_string(), id.to_string(), title]);
    }
    table.print();
    let least = if is_exact { "" } else { "at least " };
    let calls = match salesforce_calls {
        0 => String::new(),
        calls => format!("; Salesforce may be called {calls} times"),
    };
    say!("{task} would be about {least}{matched} {things}{calls}. Nothing was changed.");
    Ok(())
}
