//! What is done with one sync error, and the way back from it.

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use serde::Deserialize;

use crate::domain::SyncErrorId;
use crate::engine::Error;
use crate::http::App;
use crate::http::access::Caller;
use crate::http::console::parts::{Back, Done};
use crate::http::extract::{Form, Id};
use crate::http::problem::Problem;
use crate::http::sync_errors::{a_reason, sees};

/// What can be done with a sync error.
pub(crate) enum Act<'a> {
    /// Another attempt.
    Retry,
    /// No further synchronization is expected, and why.
    Ignore(&'a str),
    /// An ignored one is pending again.
    Reopen,
}

/// Does it, and answers what was done: nothing where somebody was quicker.
pub(crate) async fn act(app: &App, caller: &Caller, id: SyncErrorId, doing: Act<'_>) -> Result<Done, Problem> {
    sees(app, caller, &id).await?;
    let (engine, asker) = (&app.parts.engine, caller.asker());
    let (answer, done) = match doing {
        Act::Retry => (engine.retry(&id, &asker).await, Done::Retried(id.clone())),
        Act::Ignore(reason) => (engine.ignore(&id, &asker, reason).await, Done::Ignored(id.clone())),
        Act::Reopen => (engine.reopen(&id, &asker).await, Done::Reopened(id.clone())),
    };
    match answer {
        Err(Error::Transition(_)) => Ok(Done::Late(id)),
        answer => answer.map(|_| done).map_err(Problem::from),
    }
}

/// Another attempt.
pub(crate) async fn retry(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    Ok(back.with(&act(&app, &caller, id, Act::Retry).await?))
}

#[derive(Deserialize)]
pub(crate) struct Reason {
    pub(crate) reason: String,
    #[serde(flatten)]
    pub(crate) back: Back,
}

/// No further synchronization is expected, and why.
pub(crate) async fn ignore(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(Reason { reason, back }): Form<Reason>,
) -> Result<Redirect, Problem> {
    Ok(back.with(&act(&app, &caller, id, Act::Ignore(a_reason(&reason)?)).await?))
}

/// An ignored one is pending again.
pub(crate) async fn reopen(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    Ok(back.with(&act(&app, &caller, id, Act::Reopen).await?))
}
