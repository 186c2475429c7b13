//! What is done about a policy by one button, and what the page that follows says of it.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};

use super::super::list_address::address;
use super::super::parts::format::counted;
use super::super::parts::{Done, Visit};
use super::shared::{Fields, known, page, seen_users, tag, up, users};
use crate::domain::{ErrorQuery, PolicyName, State as ErrorState};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::extract::{Form, Id};
use crate::http::policies;
use crate::http::problem::Problem;

/// To the page of the policy, which says what was done.
pub(super) fn did(name: &PolicyName, done: &Done) -> Redirect {
    done.at(&format!("/policies/{name}"))
}

/// The sync errors that wait where the policy decides, after a change that may mend them.
pub(super) fn waiting(app: &App, visit: &Visit, caller: &Caller, name: &PolicyName) -> Markup {
    let orgs: BTreeSet<_> = seen_users(app, caller, name).iter().map(|org| org.id.clone()).collect();
    let count = app.parts.engine.sum(|org| orgs.contains(org), |health| health.sync_errors.pending);
    let list = ErrorQuery { orgs, states: [ErrorState::Pending].into(), ..ErrorQuery::default() };
    html! {
        @if count > 0 && matches!(visit.done(), Some(Done::PolicyPut | Done::PolicyRestored)) {
            p.notice.wait {
                span {
                    a href=(address(&list, None)) { (counted(count, "sync error", "sync errors")) }
                    @if count == 1 { " waits" } @else { " wait" } " where it decides: it is asked about them anew when they are retried."
                }
            }
        }
    }
}

/// Ends the shadow of a policy.
pub(super) async fn end_shadow(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
) -> Result<Redirect, Problem> {
    policies::end_shadow(State(app), Extension(caller), Id(name.clone())).await?;
    Ok(did(&name, &Done::ShadowEnded))
}

/// Lets go of why the newest change was refused.
pub(super) async fn let_go(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
) -> Result<Redirect, Problem> {
    policies::forget_rejection(State(app), Extension(caller), Id(name.clone())).await?;
    Ok(did(&name, &Done::RejectionForgotten))
}

/// Asks whether a policy is to go.
pub(super) async fn question(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Id(name): Id<PolicyName>,
) -> Result<Markup, Problem> {
    let policy = known(&app, &name)?;
    let users: Vec<_> = users(&app, &name).iter().map(|org| org.id.to_string()).collect();
    let content = html! {
        (up(&name))
        h1 { "Delete the policy " (name) "?" }
        @if users.is_empty() {
            p { "No organization uses it. Its files go too; its revisions are kept, and one of them brings it back." }
            form.actions method="post" {
                input type="hidden" name="tag" value=(tag(Some(&policy)));
                button type="submit" { "Delete " (name) }
                a href={ "/policies/" (name) } { "Keep it" }
            }
        } @else {
            p { (users.join(" and ")) " use it: give them another policy first." }
        }
    };
    Ok(page(&visit, &format!("Delete {name}?"), &content))
}

/// Deletes a policy.
pub(super) async fn delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, Problem> {
    let expected = Fields(fields).expected(app.parts.policies.policy(&name).as_ref())?;
    policies::delete(State(app), Extension(caller), Id(name), expected).await?;
    Ok(Done::PolicyDeleted.at("/policies"))
}
