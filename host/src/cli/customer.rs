//! For whoever has to answer a customer: what is kept of them, and forgetting it.

use clap::Subcommand;
use reqwest::Method;
use serde_json::json;

use super::out::{self, say, tell};
use super::remote::{Remote, known, list};
use super::table::Table;
use crate::domain::{ConversationId, OrgId};
use crate::http::api::{Erasure, OfCustomer};

/// Conversations of one call.
const PAGE: usize = 100;

const EXAMPLES: &str = "\
Examples:
  switchyard customer find \"Jane Doe\"
  switchyard customer find jane@example.com --json | jq -r .conversation
  switchyard customer erase main:4711 main:4712            a token of the scope `erase` is needed

Erasing cannot be undone. Records in Salesforce, the source, and backups made before are not changed by it.";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// List the conversations of a customer, and what is kept of each.
    Find {
        /// The source's id of the customer, how a word of their name, or an address, begins, a contact of Salesforce, a conversation or a message.
        q: String,
        /// In this organization only.
        #[arg(long)]
        org: Option<OrgId>,
        /// Print the conversations' ids alone, for other commands.
        #[arg(long, conflicts_with = "json")]
        ids: bool,
        /// Print one JSON object for each line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Forget what was said in conversations, and who said it, wherever it is kept here.
    Erase {
        /// Their ids.
        #[arg(required = true)]
        conversations: Vec<ConversationId>,
        /// In this organization only.
        #[arg(long)]
        org: Option<OrgId>,
        /// Print the host's answers, one for each line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Find { q, org, ids, json, remote } => find(q, org, ids, json, &remote).await,
        Command::Erase { conversations, org, json, remote } => erase(&conversations, org, json, &remote).await,
    }
}

async fn find(q: String, org: Option<OrgId>, ids: bool, json: bool, remote: &Remote) -> anyhow::Result<()> {
    let org = org.map(|org| ("org", org.to_string()));
    let fields: Vec<_> = [("q", q), ("limit", PAGE.to_string())].into_iter().chain(org).collect();
    let mut pages = remote.pages("/v1/customers", &fields);
    let mut table =
        Table::new(&["org", "conversation", "customer", "name", "messages", "sync errors", "newest", "erased until"]);
    let mut is_complete = true;
    while let Some(page) = pages.next().await?.filter(|_| out::is_open()) {
        is_complete &= page["complete"] == true;
        for found in list(&page, "conversations") {
            match (ids, json) {
                (true, _) => say!("{}", known::<OfCustomer>(found)?.conversation),
                (_, true) => say!("{found}"),
                _ => table.row(row(known(found)?)),
            }
        }
    }
    table.print();
    if !is_complete {
        tell!("there are more than can be found at once: say more of the name, or an id");
    }
    Ok(())
}

fn row(of: OfCustomer) -> Vec<String> {
    let at = |at: Option<crate::domain::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    vec![
        of.org.to_string(),
        of.conversation.to_string(),
        of.customer.unwrap_or_default(),
        of.name.or(of.email).or(of.phone).unwrap_or_default(),
        of.messages.to_string(),
        of.sync_errors.to_string(),
        at(of.last_message_at),
        at(of.erased_until),
    ]
}

async fn erase(ids: &[ConversationId], org: Option<OrgId>, json: bool, remote: &Remote) -> anyhow::Result<()> {
    let (mut asked, mut erased, mut not_reached) = (0, 0, Vec::new());
    for some in ids.chunks(PAGE) {
        let mut body = json!({ "conversations": some });
        if let Some(org) = &org {
            body["org"] = json!(org);
        }
        let answer = remote.call(Method::POST, "/v1/erasures", Some(body)).await?;
        if json {
            say!("{answer}");
        }
        let erasure: Erasure = known(&answer)?;
        (asked, erased, not_reached) = (asked + erasure.asked, erased + erasure.erased, erasure.not_reached);
    }
    tell!("{erased} of {asked} are erased{}", if erased < asked { "; the others will be" } else { "" });
    for words in not_reached {
        tell!("not reached: {words}");
    }
    Ok(())
}
