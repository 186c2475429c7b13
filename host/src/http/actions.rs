//! Actions: who did what, when, to how many and why; and how the other calls put theirs on record.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::ActionList;
use super::error_query::{LARGEST_PAGE, PAGE};
use super::extract::{Asked, page_size};
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

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    #[param(value_type = Option<OrgId>)]
    pub(super) org: Option<String>,
    /// Who, by name.
    pub(super) by: Option<String>,
    #[param(value_type = Option<Deed>)]
    pub(super) what: Option<String>,
    #[param(value_type = Option<Timestamp>)]
    pub(super) since: Option<String>,
    #[param(value_type = Option<Timestamp>)]
    pub(super) before: Option<String>,
    /// Of a page; 50 without it.
    #[param(minimum = 1, maximum = 500)]
    pub(super) limit: Option<usize>,
    /// The `next_cursor` of a page.
    pub(super) cursor: Option<String>,
}

/// Who did what, when, to how many and why
///
/// The newest first, in pages. A page looks at 5,000 actions at most: one that is not full and has a `next_cursor` ended there.
#[utoipa::path(get, path = "/v1/actions", operation_id = "list_actions", tag = "actions", params(Query),
    responses((status = 200, description = "A page of actions.", body = ActionList)))]
pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<Query>,
) -> Result<Json<ActionList>, Problem> {
    page(&app, &caller, &query).await.map(Json)
}

/// A page of them.
pub(super) async fn page(app: &App, caller: &Caller, query: &Query) -> Result<ActionList, Problem> {
    let limit = page_size(query.limit, PAGE, LARGEST_PAGE)?;
    let cursor = query.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    if let Some(cursor) = cursor.filter(|cursor| !is_action_id(cursor)) {
        return Err(Problem::bad_request(format!("cursor: `{cursor}` is not one that a list gave as its next_cursor")));
    }
    let filter = query.filter(app, caller)?;
    // What is counted of wrong tokens is to be seen by whoever looks for it.
    app.guesses.refused.write().await;
    let page = app.parts.engine.ledger().actions(&filter, cursor, limit).await?;
    Ok(ActionList { actions: page.actions.into_iter().map(Into::into).collect(), next_cursor: page.next })
}

impl Query {
    fn filter(&self, app: &App, caller: &Caller) -> Result<ActionFilter, Problem> {
        fn given<T: std::str::FromStr<Err: ToString>>(name: &str, text: Option<&String>) -> Result<Option<T>, Problem> {
            let parsed = text.map(|text| text.parse()).transpose();
            parsed.map_err(|error: T::Err| Problem::bad_request(format!("{name}: {}", error.to_string())))
        }
        let mut orgs = given::<OrgId>("org", self.org.as_ref())?.into_iter().collect::<BTreeSet<_>>();
        caller.narrow(app, &mut orgs)?;
        Ok(ActionFilter {
            orgs: Some(orgs).filter(|orgs| !orgs.is_empty()),
            by: self.by.clone(),
            what: given::<Deed>("what", self.what.as_ref())?,
            since: given::<Timestamp>("since", self.since.as_ref())?,
            before: given::<Timestamp>("before", self.before.as_ref())?,
            ..ActionFilter::default()
        })
    }
}
