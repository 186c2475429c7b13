//! Sends what got through once more, or says how much that would be.

use clap::Args;
use clap::builder::NonEmptyStringValueParser as Words;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Way, go};
use crate::cli::Exit;
use crate::cli::remote::Remote;
use crate::domain::{OrgId, PolicyName, Timestamp};

/// Every list is repeatable, or has commas; any of its values may match. What is left out narrows nothing.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// Of these organizations.
    #[arg(long, value_delimiter = ',')]
    org: Vec<OrgId>,
    /// That got through last at this time or later, such as 2026-01-05T09:30:00Z.
    #[arg(long, value_name = "TIME")]
    delivered_from: Option<Timestamp>,
    /// That got through last before this time.
    #[arg(long, value_name = "TIME")]
    delivered_before: Option<Timestamp>,
    /// That these policies sent where they are.
    #[arg(long, value_delimiter = ',')]
    policy: Vec<PolicyName>,
    /// That these revisions sent there.
    #[arg(long, value_delimiter = ',', value_name = "NUMBER")]
    revision: Vec<u32>,
    /// That went to this queue, by name, or to this user, by id; a comma is part of a name.
    #[arg(long, value_parser = Words::new())]
    queue: Vec<String>,
    #[command(flatten)]
    way: Way,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn run(options: Options) -> anyhow::Result<Exit> {
    let Options { org, delivered_from, delivered_before, policy, revision, queue, way, remote } = options;
    let mut query = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() && value != json!([]) {
            query.insert(name.to_owned(), value);
        }
    };
    put("org", json!(org));
    put("delivered_from", json!(delivered_from));
    put("delivered_before", json!(delivered_before));
    put("policy", json!(policy));
    put("revision", json!(revision));
    put("queue", json!(queue));
    let asked = json!({ "task": "resync", "query": query, "dry_run": way.dry_run });
    let answer = remote.call(Method::POST, "/v1/operations", Some(asked)).await?;
    go(&remote, &answer, &way, "conversations").await
}
