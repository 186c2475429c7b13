//! The routes: which handler answers which address, for whom, and what stands before all of them.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tracing::Instrument as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{self, Reach, guard, need};
use super::openapi::{self, Document};
use super::problem::{Kind, Problem};
use super::tokens::Scope;
use super::{
    App, actions, api_tokens, authorization, backup, candidates, console, conversations, customers, events, evidence,
    export, groups, idempotency, intake, mails, messages, operations, org_settings, orgs, parked, plugins, policies,
    preview, probes, quarantine, recount, repro, request_id, sync_errors, troubles, webhook,
};
use crate::telemetry;

/// Bodies of the API, in bytes.
const BODY_BYTES: usize = 1024 * 1024;

/// Answers of more bytes are compressed for those who take that.
const GZIP_BYTES: u16 = 1_024;

/// What was begun goes on to its end, also when whoever asked hangs up meanwhile: half of a change is worse than none.
async fn to_the_end(request: Request, next: Next) -> Response {
    let run = telemetry::here().around(next.run(request).in_current_span());
    tokio::spawn(run).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request broke off");
        Problem::new(Kind::Internal, "the host's log says why").into_response()
    })
}

/// What a token for looking is good for, whichever organizations it is for.
fn reading() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sync_errors::list))
        .routes(routes!(export::export))
        .routes(routes!(evidence::show))
        .routes(routes!(repro::bundle))
        .routes(routes!(groups::list))
        .routes(routes!(groups::show))
        .routes(routes!(operations::list))
        .routes(routes!(operations::show))
        .routes(routes!(orgs::list))
        .routes(routes!(conversations::show))
        .routes(routes!(messages::audit))
        .routes(routes!(events::listen))
        .routes(routes!(actions::list))
        .routes(routes!(mails::list))
}

/// The same about everything.
fn reading_everything() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(orgs::environments))
        .routes(routes!(quarantine::list))
        .routes(routes!(policies::list))
        .routes(routes!(plugins::list))
        .routes(routes!(troubles::list))
        .routes(routes!(recount::verify))
        .routes(routes!(probes::metrics))
}

/// The same about one organization.
fn reading_an_org() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(orgs::show))
        .routes(routes!(orgs::last_report))
        .routes(routes!(parked::list))
        .routes(routes!(org_settings::show))
}

/// The same about one policy.
fn reading_a_policy() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(policies::show))
        .routes(routes!(policies::revisions))
        .routes(routes!(policies::revision))
        .routes(routes!(policies::coverage))
}

/// What is done about sync errors.
fn errors() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sync_errors::retry))
        .routes(routes!(sync_errors::ignore))
        .routes(routes!(sync_errors::reopen))
        .routes(routes!(candidates::show))
        .routes(routes!(candidates::choose))
        .routes(routes!(groups::patch))
        .routes(routes!(operations::begin))
        .routes(routes!(operations::pause))
        .routes(routes!(operations::resume))
        .routes(routes!(operations::cancel))
        .routes(routes!(operations::undo))
        .routes(routes!(customers::find))
}

fn errors_of_an_org() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(orgs::retry_all)).routes(routes!(orgs::look)).routes(routes!(parked::ignore))
}

fn quarantine() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(quarantine::show, quarantine::delete)).routes(routes!(quarantine::retry))
}

fn policies() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(policies::apply, policies::delete))
        .routes(routes!(policies::restore))
        .routes(routes!(policies::start_shadow, policies::end_shadow))
        .routes(routes!(policies::forget_rejection))
}

fn tokens() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(api_tokens::list, api_tokens::make))
        .routes(routes!(api_tokens::show, api_tokens::revoke))
}

/// Routes for callers whose token has a scope, which the document tells, and how they keep it to its organizations.
fn scoped(app: &App, scope: Scope, reach: Reach, router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    let router = router.route_layer(from_fn_with_state(app.clone(), idempotency::once));
    let mut router = router.route_layer(from_fn_with_state((app.clone(), scope, reach), need));
    openapi::scoped(router.get_openapi_mut(), scope);
    router
}

/// All of them, and the document that they make.
pub(super) fn router(app: App) -> Router {
    let scoped = |scope, reach, router| scoped(&app, scope, reach, router);
    let one = OpenApiRouter::<App>::new;
    let connect = one()
        .routes(routes!(authorization::start))
        .routes(routes!(authorization::code))
        .routes(routes!(org_settings::patch))
        .routes(routes!(org_settings::test_mail));
    let intake = one().routes(routes!(intake::accept));
    let plugins = one().routes(routes!(plugins::put, plugins::delete));
    let plugins = plugins.layer(DefaultBodyLimit::max(app.parts.policies.plugin_bytes()));
    let webhook = one().routes(routes!(webhook::notify)).layer(DefaultBodyLimit::max(webhook::MOST_BYTES));
    let open = one().routes(routes!(probes::healthz)).routes(routes!(probes::readyz));
    // A candidate may answer with what it was asked: whoever sees that has to be one of those who see customers' data.
    let preview = scoped(Scope::Policies, Reach::OnePolicy, one().routes(routes!(preview::preview)));
    let preview = scoped(Scope::Errors, Reach::OnePolicy, preview);
    let (preview, of_preview) = preview.split_for_parts();
    let preview = preview
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(app.clone(), guard));
    let (router, mut document) = OpenApiRouter::with_openapi(openapi::begun())
        .merge(scoped(Scope::Read, Reach::Narrowed, reading()))
        .merge(scoped(Scope::Read, Reach::Everything, reading_everything()))
        .merge(scoped(Scope::Read, Reach::OneOrg, reading_an_org()))
        .merge(scoped(Scope::Read, Reach::OnePolicy, reading_a_policy()))
        .merge(scoped(Scope::Errors, Reach::Narrowed, errors()))
        .merge(scoped(Scope::Errors, Reach::OneOrg, errors_of_an_org()))
        .merge(scoped(Scope::Errors, Reach::Everything, quarantine()))
        .merge(scoped(Scope::Policies, Reach::OnePolicy, policies()))
        .merge(scoped(Scope::Policies, Reach::Everything, one().routes(routes!(plugins::pull))))
        .merge(scoped(Scope::Intake, Reach::Narrowed, intake))
        .merge(scoped(Scope::Connect, Reach::OneOrg, connect))
        .merge(scoped(Scope::Backup, Reach::Everything, one().routes(routes!(backup::read))))
        .merge(scoped(Scope::Tokens, Reach::Narrowed, tokens()))
        .merge(scoped(Scope::Erase, Reach::Narrowed, one().routes(routes!(customers::erase))))
        .merge(console::router(&app).into())
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .merge(scoped(Scope::Policies, Reach::Everything, plugins))
        .merge(webhook)
        .merge(open)
        .split_for_parts();
    document.merge(of_preview);
    let _ = app.document.set(Document::new(document));
    router
        .route("/v1/openapi.json", get(openapi::show))
        .fallback(console::nothing_here)
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(from_fn(to_the_end))
        // It changes nothing, and ends when whoever asked hangs up.
        .merge(preview)
        .layer(from_fn(access::harden))
        .layer(from_fn_with_state(app.clone(), request_id::named))
        .layer(
            CompressionLayer::new()
                .gzip(true)
                .quality(CompressionLevel::Fastest)
                // An event is not to wait for more of them.
                .compress_when(SizeAbove::new(GZIP_BYTES).and(NotForContentType::SSE)),
        )
        .with_state(app)
}
