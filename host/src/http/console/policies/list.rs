//! All policies: who uses each, what is in force, how often it failed, and what was refused.

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::parts::format::{self, counted, grouped};
use super::super::parts::{Visit, cell, table};
use super::shared::{page, to, users};
use crate::domain::PolicyName;
use crate::http::App;
use crate::http::access::Scope;
use crate::http::extract::Asked;
use crate::http::problem::Problem;
use crate::policy::{Faults, PolicyStatus};

/// The list.
pub(super) async fn list(State(app): State<App>, Extension(visit): Extension<Visit>) -> Markup {
    let policies = app.parts.policies.policies();
    let rows = html! { @for policy in &policies { (row(&app, policy)) } };
    let columns = ["Policy", "Used by", "In force", "Failed", "Newest change"];
    let content = html! {
        h1 { "Policies" }
        p.hint {
            "A policy decides which queue a conversation goes to, who its customer is, and what is done about a refusal. "
            a href="/plugins" { "Plugins" } " answer for policies."
        }
        @if policies.is_empty() { p.empty { "No policy is known." } } @else { (table(&columns, &rows)) }
        @if visit.may(Scope::Policies) {
            form.filters method="get" action="/policies/new" {
                label { "A new policy by the name" input name="name" required maxlength="64" autocomplete="off"; }
                button.quiet type="submit" { "Write it" }
            }
        }
    };
    page(&visit, "Policies", &content)
}

fn row(app: &App, policy: &PolicyStatus) -> Markup {
    let users = users(app, &policy.name);
    let used = html! {
        @match users.as_slice() {
            [] => { span.hint { "nobody" } }
            [one] => { a href={ "/sync-errors?org=" (one.id) } { (one.name) } }
            [one, rest @ ..] => { (one.name) " and " (counted(rest.len() as u64, "other", "others")) }
        }
    };
    let in_force = html! {
        @match &policy.in_force {
            Some(revision) => { "revision " (revision.revision) ", " (format::time(revision.applied_at)) }
            None => { span.badge.pending { "nothing is decided" } }
        }
        @if policy.shadow.is_some() { " " span.badge { "with a shadow" } }
    };
    let newest = html! {
        @if policy.last_rejection.is_some() { span.badge.pending { "refused" } } @else { span.hint { "accepted" } }
    };
    html! {
        tr role="row" {
            th role="rowheader" scope="row" { a href={ "/policies/" (policy.name) } { (policy.name) } }
            (cell("Used by", &used)) (cell("In force", &in_force))
            (cell("Failed", &share(policy.decisions, policy.faults))) (cell("Newest change", &newest))
        }
    }
}

/// How many of its decisions failed.
fn share(decisions: u64, faults: Faults) -> Markup {
    let Faults { trapped, too_slow, too_large, refused, senseless } = faults;
    let failed = trapped + too_slow + too_large + refused + senseless;
    html! { (grouped(failed)) span.hint { " of " (grouped(decisions)) } }
}

#[derive(Deserialize)]
pub(super) struct New {
    name: String,
}

/// Leads to the editor of a policy by a name.
pub(super) async fn new(Asked(New { name }): Asked<New>) -> Result<Redirect, Problem> {
    let name: PolicyName = name.trim().parse().map_err(|error| Problem::bad_request(format!("{error}")))?;
    Ok(to(&format!("/policies/{name}/edit")))
}
