//! Actions: who did what, when, to how many and why; and how the other calls put theirs on record.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::App;
use super::access::Caller;
use super::error_query::{LARGEST_PAGE, PAGE};
use super::extract::Asked;
use super::problem::Problem;

use crate::domain::{Action, Asker, Deed, OrgId, Timestamp};
use crate::ledger::{ActionFilter, is_action_id};

/// Puts on record what was done, before it is answered.
pub(super) async fn record(
    app: &App,
    caller: &Caller,
    what: Deed,
    about: impl FnOnce(Action) -> Action,
) -> Result<(), Problem> {
    record_by(app, &caller.asker(), what, about).await
}

/// The same, of whoever is no caller any more or not yet.
pub(super) async fn record_by(
    app: &App,
    asker: &Asker,
    what: Deed,
    about: impl FnOnce(Action) -> Action,
) -> Result<(), Problem> {
    let engine = &app.parts.engine;
    engine.ledger().keep_action(&about(engine.action(asker, what))).await.map_err(|error| {
        tracing::error!(%error, %what, by = %asker.name, "an action is not on record");
        Problem::unavailable(format!("{what}: it could not be put on record that this was asked for: {error}"))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    org: Option<String>,
    by: Option<String>,
    what: Option<String>,
    since: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct View {
    id: String,
    at: Timestamp,
    #[serde(flatten)]
    action: Shown,
}

/// An action without what orders it.
#[derive(Serialize)]
struct Shown {
    by: String,
    via: crate::domain::Via,
    address: Option<std::net::IpAddr>,
    what: Deed,
    org: Option<OrgId>,
    subject: Option<String>,
    count: u64,
    reason: Option<String>,
}

impl From<(String, Action)> for View {
    fn from((id, action): (String, Action)) -> Self {
        let Action { at, order: _, by, via, address, what, org, subject, count, reason } = action;
        Self { id, at, action: Shown { by, via, address, what, org, subject, count, reason } }
    }
}

#[derive(Serialize)]
pub(super) struct List {
    actions: Vec<View>,
    /// Asks for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Actions, the newest first, in pages.
pub(super) async fn list(State(app): State<App>, Asked(query): Asked<Query>) -> Result<Json<List>, Problem> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {LARGEST_PAGE}")));
    }
    if let Some(cursor) = query.cursor.as_deref().filter(|cursor| !is_action_id(cursor)) {
        return Err(Problem::bad_request(format!("cursor: `{cursor}` is not one that a list gave as its next_cursor")));
    }
    let filter = query.filter(&app)?;
    // What is counted of wrong tokens is to be seen by whoever looks for it.
    app.guesses.refused.write().await;
    let page = app.parts.engine.ledger().actions(&filter, query.cursor.as_deref(), limit).await?;
    Ok(Json(List { actions: page.actions.into_iter().map(View::from).collect(), next_cursor: page.next }))
}

impl Query {
    fn filter(&self, app: &App) -> Result<ActionFilter, Problem> {
        fn given<T: std::str::FromStr<Err: ToString>>(name: &str, text: Option<&String>) -> Result<Option<T>, Problem> {
            let parsed = text.map(|text| text.parse()).transpose();
            parsed.map_err(|error: T::Err| Problem::bad_request(format!("{name}: {}", error.to_string())))
        }
        let org = given::<OrgId>("org", self.org.as_ref())?;
        if let Some(org) = org.as_ref().filter(|org| app.parts.engine.watch(org).is_err()) {
            return Err(Problem::bad_request(format!("org: there is no organization {org}")));
        }
        Ok(ActionFilter {
            org,
            by: self.by.clone(),
            what: given::<Deed>("what", self.what.as_ref())?,
            since: given::<Timestamp>("since", self.since.as_ref())?,
            before: given::<Timestamp>("before", self.before.as_ref())?,
        })
    }
}
