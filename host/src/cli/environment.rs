//! How Alcmeon environments stand.

use clap::Subcommand;
use reqwest::Method;

use super::out::say;
use super::remote::{Remote, known, list};
use super::table::Table;
use crate::http::api::Environment;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List environments: when each answered and told of something last, whether it notifies, and what is wrong.
    List {
        /// Print one JSON object for each line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    let Command::List { json, remote } = command;
    let answer = remote.call(Method::GET, "/v1/environments", None).await?;
    let mut table = Table::new(&["source", "answered", "arrived", "webhook", "silent since", "trouble"]);
    for environment in list(&answer, "environments") {
        match json {
            true => say!("{environment}"),
            false => table.row(row(known(environment)?)),
        }
    }
    table.print();
    Ok(())
}

fn row(environment: Environment) -> [String; 6] {
    let Environment { source, answered_at, trouble, not_written, webhook, silent_since, arrived_at, .. } = environment;
    let [answered, arrived, silent] =
        [answered_at, arrived_at, silent_since].map(|at| at.map(|at| at.to_string()).unwrap_or_default());
    let webhook = match webhook.map(|webhook| webhook.enabled) {
        None => "",
        Some(None) => "unknown",
        Some(Some(true)) => "on",
        Some(Some(false)) => "off",
    };
    let trouble = trouble.or(not_written).unwrap_or_default();
    [source.to_string(), answered, arrived, webhook.to_owned(), silent, trouble]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_says_whether_an_environment_notifies_and_what_is_wrong() {
        let environment = json!({ "source": "main", "trouble": "no answer",
            "webhook": { "looked_at": "2026-01-05T09:30:00Z", "enabled": false, "switched_on": [] } });
        assert_eq!(row(known(&environment).unwrap()), ["main", "", "", "off", "", "no answer"]);
    }
}
