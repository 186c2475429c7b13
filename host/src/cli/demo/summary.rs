//! What the demo has brought about, asked of Salesforce and of the registry, never of the host's own counters.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::world::{ORGS, World};
use crate::app::App;
use crate::cli::out::say;
use crate::domain::{ConversationId, ErrorQuery, SourceId, State};
use crate::ledger::{Paging, Queued};

/// One object for people and tools.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    source: Source,
    salesforce: Salesforce,
    sync_errors: SyncErrors,
    /// Conversations that wait for the end of an incident of their organization.
    parked: usize,
    /// Conversations of the source that are neither parked, nor in Salesforce at their newest message, nor in the registry.
    lost: usize,
    /// Records in Salesforce that have the conversation of another.
    duplicates: usize,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Source {
    conversations: u64,
    messages: u64,
}

#[derive(Debug, Default, Serialize)]
struct Salesforce {
    conversations: u64,
    cases: u64,
    contacts: u64,
    calls: u64,
}

#[derive(Debug, Default, Serialize)]
struct SyncErrors {
    pending: u64,
    ignored: u64,
    resolved: u64,
    /// Codes of those that are pending, each with how many there are.
    codes: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "alcmeon__scoped_id__c")]
    id: String,
    #[serde(rename = "alcmeon__url__c")]
    url: Option<String>,
}

impl Summary {
    pub(super) async fn take(app: &App, world: &World, took: Duration) -> anyhow::Result<Self> {
        let source = world.source().await?;
        let mut salesforce = Salesforce::default();
        let state = world.salesforce(reqwest::Method::GET, "state", Value::Null).await?;
        let (mut written, mut duplicates) = (HashMap::new(), 0);
        for org in ORGS {
            salesforce.calls += state["orgs"][org]["usage"]["used"].as_u64().unwrap_or_default();
            let soql = "SELECT alcmeon__scoped_id__c, alcmeon__url__c FROM alcmeon__Conversation__c";
            let (total, rows) = world.query::<Row>(org, soql).await?;
            salesforce.conversations += total;
            for row in rows {
                duplicates += usize::from(written.insert(row.id, row.url).is_some());
            }
            salesforce.cases += world.query::<Value>(org, "SELECT COUNT() FROM Case").await?.0;
            salesforce.contacts += world.query::<Value>(org, "SELECT COUNT() FROM Contact").await?.0;
        }
        let (registered, sync_errors) = registry(app).await?;
        let parked = parked(app).await?;
        let environment = SourceId::new(World::environment())?;
        let arrived = |newest: &super::world::Newest| {
            let id = ConversationId::scoped(&environment, &newest.conversation_id.to_string());
            written.get(id.as_str()).is_some_and(|url| url.as_deref() == Some(newest.url.as_str()))
                || registered.contains(&id)
                || parked.contains(&id)
        };
        let lost = world.newest().await?.iter().filter(|newest| !arrived(newest)).count();
        let source = Source { conversations: source.conversations, messages: source.messages };
        let parked = parked.len();
        Ok(Self { source, salesforce, sync_errors, parked, lost, duplicates, seconds: took.as_secs_f64() })
    }

    pub(super) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            say!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let Self { source, salesforce, sync_errors, parked, lost, duplicates, seconds } = self;
        say!("\nAlcmeon:     {} conversations with {} messages", source.conversations, source.messages);
        say!(
            "Salesforce:  {} conversations, {} cases, {} contacts, by {} calls",
            salesforce.conversations,
            salesforce.cases,
            salesforce.contacts,
            salesforce.calls
        );
        let SyncErrors { pending, ignored, resolved, codes } = sync_errors;
        say!("Sync errors: {pending} pending, {ignored} ignored, {resolved} resolved");
        for (code, count) in codes {
            say!("             {count:>5} {code}");
        }
        say!("Parked:      {parked}, until their organization's incident ends");
        say!("Lost: {lost}. Duplicates: {duplicates}. {seconds:.1} seconds.");
        Ok(())
    }
}

/// The conversations that wait for the end of an incident.
async fn parked(app: &App) -> anyhow::Result<HashSet<ConversationId>> {
    let mut parked = HashSet::new();
    for (org, health) in app.engine.orgs() {
        let most = usize::try_from(health.parked)? + 1;
        let found = app.engine.ledger().queued(&org.id, Queued::Parked, most).await?;
        parked.extend(found.into_iter().map(|(_, id)| id));
    }
    Ok(parked)
}

/// The conversations with a sync error that is not over, and how many sync errors there are.
async fn registry(app: &App) -> anyhow::Result<(HashSet<ConversationId>, SyncErrors)> {
    let (mut registered, mut sync_errors) = (HashSet::new(), SyncErrors::default());
    let open = [State::Pending, State::Retrying, State::Ignored];
    let query = ErrorQuery { states: open.into(), ..ErrorQuery::default() };
    let mut paging = Some(Paging::first(500));
    while let Some(asked) = paging.take() {
        let page = app.engine.ledger().sync_errors(&query, &asked).await?;
        paging = asked.next(&page);
        for error in page.items {
            if error.state != State::Ignored {
                *sync_errors.codes.entry(error.refusal.code).or_default() += 1;
            }
            registered.insert(error.conversation);
        }
    }
    for (_, health) in app.engine.orgs() {
        sync_errors.pending += health.sync_errors.pending + health.sync_errors.retrying;
        sync_errors.ignored += health.sync_errors.ignored;
        sync_errors.resolved += health.sync_errors.resolved;
    }
    Ok((registered, sync_errors))
}
