//! The Alcmeon server: the documented API of its environments, and a webhook pusher for each.

mod api;
mod control;
mod environment;
mod fields;
mod log;
mod model;
mod push;
mod render;
mod seed;
mod token;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use axum::Router;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::journal::{Journal, lock};
use crate::web;
use environment::{Environment, Scope};
use log::Watch;
use model::{Input, Outcome};
use push::Pushers;

/// Everything the server knows.
#[derive(Debug)]
pub(crate) struct Alcmeon {
    /// By instance id.
    environments: RwLock<BTreeMap<String, Arc<Shared>>>,
    clock: Clock,
    watch: Mutex<Watch>,
    journal: Option<Journal>,
}

/// An environment and those who work on it.
#[derive(Debug)]
struct Shared {
    environment: Mutex<Environment>,
    pushers: Mutex<Option<Pushers>>,
    /// Changes when there may be something to push.
    changed: watch::Sender<u64>,
    /// Changes when the push of an action ended.
    settled: watch::Sender<u64>,
}

impl Shared {
    fn new(environment: Environment) -> Self {
        Self {
            environment: Mutex::new(environment),
            pushers: Mutex::default(),
            changed: watch::Sender::default(),
            settled: watch::Sender::default(),
        }
    }
}

impl Alcmeon {
    /// A server with what the journal remembers.
    pub(crate) fn new(journal: Option<&Path>) -> io::Result<Self> {
        let mut environments = BTreeMap::new();
        let journal = match journal {
            None => None,
            Some(path) => Some(Journal::open(path, |line| {
                if replay(&mut environments, line).is_none() {
                    tracing::warn!("a journal line makes no sense");
                }
            })?),
        };
        let environments = environments.into_iter().map(|(id, known)| (id, Arc::new(Shared::new(known)))).collect();
        Ok(Self { environments: RwLock::new(environments), clock: Clock::default(), watch: Mutex::default(), journal })
    }

    /// Its API and its control API.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .merge(api::router().layer(axum::middleware::from_fn_with_state(Arc::clone(&self), log::call)))
            .nest("/control", control::router())
            .layer(axum::extract::DefaultBodyLimit::max(web::BODY_LIMIT_BYTES))
            .with_state(self)
    }

    /// Ends all pushing. They hold the server, so it would not go away by itself.
    pub(crate) fn stop(&self) {
        let environments = self.environments.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        for shared in environments.values() {
            lock(&shared.pushers).take();
        }
    }

    fn find(&self, id: &str) -> Option<Arc<Shared>> {
        self.environments.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(id).cloned()
    }

    fn journal(&self, line: Value) {
        if let Some(journal) = &self.journal {
            journal.append(&[line]);
        }
    }

    fn journal_outcome(&self, id: &str, at: usize, outcome: Outcome) {
        self.journal(json!({"env": id, "settled": at, "ok": outcome == Outcome::Acknowledged}));
    }
}

/// Does again what one journal line tells of.
fn replay(environments: &mut BTreeMap<String, Environment>, mut line: Value) -> Option<()> {
    let id = line["env"].as_str()?.to_owned();
    if !line["define"].is_null() {
        let settings = serde_json::from_value(line["define"].take()).ok()?;
        environments.insert(id.clone(), Environment::new(&id, settings));
        return Some(());
    }
    let environment = environments.get_mut(&id)?;
    if !line["settings"].is_null() {
        environment.configure(serde_json::from_value(line["settings"].take()).ok()?);
    } else if !line["seed"].is_null() {
        let inputs: Vec<Input> = serde_json::from_value(line["seed"].take()).ok()?;
        seed::plant(environment, &inputs, line["interleave"].as_bool()?);
    } else if let Some(at) = line["anonymize"].as_u64() {
        environment.anonymize(u32::try_from(at).ok()?, line["at_ms"].as_i64()?);
    } else if !line["field"].is_null() {
        let field = &mut line["field"];
        let scope: Scope = serde_json::from_value(field["scope"].take()).ok()?;
        let (id, field_id) = (field["id"].as_u64()?, field["field_id"].as_u64()?);
        environment.set_field(scope, id, field_id, field["value"].take());
    } else {
        let outcome = if line["ok"].as_bool()? { Outcome::Acknowledged } else { Outcome::Failed };
        environment.settle(usize::try_from(line["settled"].as_u64()?).ok()?, outcome);
    }
    Some(())
}
