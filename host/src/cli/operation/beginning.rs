//! What follows once the host has answered that an operation began, or what it would be about.

use clap::Args;
use serde_json::Value;

use super::wait;
use crate::cli::Exit;
use crate::cli::out::say;
use crate::cli::remote::Remote;
use crate::cli::table::{Table, number, text};
use crate::domain::OperationId;

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
        let id: OperationId = text(&answer["id"]).parse()?;
        return wait(remote, &id, way.json).await;
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
    let [id, task] = ["id", "task"].map(|name| text(&operation[name]));
    let many = operation["matched"].as_u64().map(|matched| format!(" {matched} {things}")).unwrap_or_default();
    say!("{id} has begun: {task}{many}; `switchyard operation wait {id}` follows it");
    Ok(())
}

fn plan(plan: &Value, as_json: bool, things: &str) -> anyhow::Result<()> {
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
    say!("{task} would be about {least}{matched} {things}{calls}. Nothing was changed.");
    Ok(())
}
