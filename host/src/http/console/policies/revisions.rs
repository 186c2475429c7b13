//! A revision of a policy: its texts, how they differ from those of another one, and putting it in force again.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::parts::format;
use super::super::parts::{Done, Visit};
use super::difference::difference;
use super::done::did;
use super::listing::{Marks, listing};
use super::policy::restoring;
use super::shared::{Fields, known, may_return, page, refused, texts_of, up};
use crate::domain::PolicyName;
use crate::http::App;
use crate::http::access::Caller;
use crate::http::extract::{Asked, Form, Id, Ids};
use crate::http::policies;
use crate::http::problem::{Kind, Problem};

#[derive(Deserialize)]
pub(super) struct With {
    /// The revision to compare with; the one in force, or the one before, without it.
    with: Option<u32>,
}

/// A revision, and how it differs from another one.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Ids(name, number): Ids<PolicyName, u32>,
    Asked(With { with }): Asked<With>,
) -> Result<Markup, Problem> {
    let policy = known(&app, &name)?;
    let texts = texts_of(&app, &name, number)?;
    let revisions = app.parts.policies.revisions(&name);
    let others: Vec<_> = revisions.iter().map(|it| it.number).filter(|other| *other != number).collect();
    let in_force = policy.in_force.as_ref().map(|it| it.revision).filter(|it| *it != number);
    let before = || others.iter().copied().filter(|other| *other < number).max();
    let with = with.or(in_force).or_else(before).filter(|with| *with != number);
    let own = revisions.iter().find(|it| it.number == number);
    let content = html! {
        (up(&name))
        h1 { "Revision " (number) " of " (name) }
        @if let Some(own) = own {
            p {
                span.badge { (own.state.as_str()) } " given by " (own.source.origin) ", " (format::time(own.source.at))
                @if let Some(why) = &own.reason { div.said { (format::cut(why)) } }
            }
        }
        div.actions {
            @if own.is_none_or(may_return) { (restoring(&visit, &policy, number)) }
            @if visit.may(crate::http::Scope::Policies) {
                a href={ "/policies/" (name) "/edit?revision=" (number) } { "Edit a copy of it" }
            }
        }
        @if !others.is_empty() {
            h2 { "What it changes" }
            form.filters method="get" {
                label { "Compared with revision"
                    select name="with" {
                        @for other in others.iter().rev() {
                            option value=(other) selected[with == Some(*other)] { (other) }
                        }
                    }
                }
                button.quiet type="submit" { "Compare" }
            }
            @if let Some(with) = with {
                p.hint { "From revision " (with) " to revision " (number) ":" }
                (difference(&name, &texts_of(&app, &name, with)?, &texts))
            }
        }
        h2 { "Its texts" }
        h3 { code { (name) ".toml" } } (listing(&format!("{name}.toml"), &texts.toml, &Marks::new()))
        @for (script, text) in &texts.scripts { h3 { code { (script) } } (listing(script, text, &Marks::new())) }
    };
    Ok(page(&visit, &format!("Revision {number} of {name}"), &content))
}

/// Puts a revision in force again.
pub(super) async fn restore(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let fields = Fields(fields);
    let number: u32 = fields.parsed("number")?;
    let status = app.parts.policies.policy(&name);
    let expected = fields.expected(status.as_ref());
    let restored = match expected {
        Ok(expected) => {
            policies::restore(State(app.clone()), Extension(caller), Ids(name.clone(), number), expected).await
        }
        Err(problem) => Err(problem),
    };
    let problem = match restored {
        Ok(_) => return Ok(did(&name, &Done::PolicyRestored).into_response()),
        Err(problem) if problem.is(Kind::Stale) || problem.is(Kind::PolicyRefused) => problem,
        Err(problem) => return Err(problem),
    };
    let policy = known(&app, &name)?;
    let content = html! {
        (up(&name))
        h1 { "Revision " (number) " is not in force" }
        div.notice.bad { (again(&policy, &problem)) }
        (restoring(&visit, &policy, number))
    };
    Ok(refused(&visit, &format!("Policy {name}"), &problem, &content))
}

fn again(policy: &crate::policy::PolicyStatus, problem: &Problem) -> Markup {
    html! {
        @match &policy.in_force {
            Some(in_force) if problem.is(Kind::Stale) => {
                "Somebody was quicker: revision " (in_force.revision) " is in force, given by " (in_force.origin) ", "
                (format::time(in_force.applied_at)) ". Look at it before you put another one in its place."
            }
            _ => { (super::shared::problems(&problem.problems)) (format::capital(problem.detail())) }
        }
    }
}
