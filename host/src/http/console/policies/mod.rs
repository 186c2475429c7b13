//! The pages about policies and plugins, and how each of them keeps to the organizations of a token.

mod answer;
mod ask;
mod coverage;
mod difference;
mod done;
mod edit;
mod list;
mod listing;
mod mend;
mod mend_link;
mod mended;
mod plugins;
mod policy;
mod preview;
mod queues;
mod revisions;
mod shared;
mod upload;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

pub(super) use self::mend_link::{names_no_queue, way_of_cause, ways};
use crate::http::App;

/// What shows all policies.
pub(super) fn of_everything() -> Router<App> {
    Router::new().route("/policies", get(list::list)).route("/plugins", get(plugins::list))
}

/// What shows one policy.
pub(super) fn of_one() -> Router<App> {
    Router::new()
        .route("/policies/{name}", get(policy::show))
        .route("/policies/{name}/coverage", get(coverage::show))
        .route("/policies/{name}/revisions/{number}", get(revisions::show))
}

/// What changes plugins and begins policies.
pub(super) fn changing_everything(app: &App) -> Router<App> {
    let upload = post(upload::take).layer(DefaultBodyLimit::max(upload::most_bytes(app)));
    Router::new()
        .route("/plugins", upload)
        .route("/policies/new", get(list::new))
        .route("/plugins/pull", post(plugins::pull))
        .route("/plugins/{name}/delete", get(plugins::question).post(plugins::delete))
}

/// What changes one policy.
pub(super) fn changing_one() -> Router<App> {
    Router::new()
        .route("/policies/{name}/edit", get(edit::show).post(edit::act))
        .route("/policies/{name}/restore", post(revisions::restore))
        .route("/policies/{name}/end-shadow", post(done::end_shadow))
        .route("/policies/{name}/let-go", post(done::let_go))
        .route("/policies/{name}/delete", get(done::question).post(done::delete))
}

/// What asks a policy about customers' conversations, and what retries them.
pub(super) fn trying_one() -> Router<App> {
    Router::new()
        .route("/policies/{name}/preview", post(preview::show))
        .route("/policies/{name}/ask", get(ask::show).post(ask::answer))
        .route("/policies/{name}/mend", get(mend::show).post(mend::put))
        .route("/policies/{name}/mend/preview", post(mend::try_out))
        .route("/policies/{name}/mend/retry", post(mend::again))
        .route("/policies/{name}/mended", get(mended::show))
}
