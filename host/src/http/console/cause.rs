//! One cause: what it is and what to do, who is affected, whether it grows, what people did about it, and what they put to it.

mod affected;
mod beside;
mod story;

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use self::affected::affected;
use self::beside::{Given, Refused, put_to_it};
use self::story::{story, told};
use super::causes::{condition, question};
use super::choosing::choose_each_link;
use super::list_address::address;
use super::parts::format::{self, counted, grouped};
use super::parts::{Icon, Section, Visit, icon, trend};
use super::policies::way_of_cause;
use super::words::{self, Names, figure};
use crate::domain::{ErrorQuery, Expected, Fingerprint, GroupOrder, GroupQuery, OrgId, State as ErrorState};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{ErrorCounts, Group, GroupChange};
use crate::http::extract::{Form, Id};
use crate::http::groups::{OfOrg, change_to, seen};
use crate::http::problem::{Kind, Problem};

/// Its organization, where several have this cause. Other fields are passed over.
#[derive(Deserialize)]
pub(super) struct Of {
    org: Option<OrgId>,
}

/// The cause as it is now.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<Fingerprint>,
    Query(of): Query<Of>,
) -> Result<Markup, Problem> {
    page(&app, &visit, &caller, &id, of.org, None).await
}

/// Puts an owner, a note or a ticket to it. What cannot be put is shown again, with what stands in its way.
pub(super) async fn put(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<Fingerprint>,
    Query(of): Query<Of>,
    Form(given): Form<Given>,
) -> Result<Response, Problem> {
    let own = |text: &Option<String>| text.clone().map(|text| Some(text.replace("\r\n", "\n")));
    let change = GroupChange { assignee: own(&given.assignee), note: own(&given.note), ticket: own(&given.ticket) };
    let tag = format!("\"{}\"", given.tag);
    let expected =
        Expected::read([tag.as_str()].into_iter()).map_err(|error| Problem::bad_request(error.to_string()))?;
    match change_to(&app, &caller, &id, OfOrg { org: of.org.clone() }, expected, change).await {
        Ok((_, group)) => Ok(Redirect::to(&words::cause(&group.org, &group.id)).into_response()),
        Err(problem) if problem.is(Kind::Invalid) || problem.is(Kind::Stale) => {
            let status = problem.status();
            let refused = Refused { given, problem };
            Ok((status, page(&app, &visit, &caller, &id, of.org, Some(&refused)).await?).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn page(
    app: &App,
    visit: &Visit,
    caller: &Caller,
    id: &Fingerprint,
    org: Option<OrgId>,
    refused: Option<&Refused>,
) -> Result<Markup, Problem> {
    let (tag, group) = seen(app, caller, id, OfOrg { org }).await?;
    let (names, now) = (Names::of_orgs(app), app.parts.clock.now());
    let samples = app.parts.engine.ledger().sync_errors_of(&group.samples).await?;
    let affected = affected(app, &samples, visit.may(Scope::Errors)).await?;
    let people = people(app, &group.org).await?;
    let story = story(app, caller, &group).await?;
    // What mends it stands before what only tries again.
    let way = html! {
        (way_of_cause(app, visit, &group))
        (choose_each_link(visit, &group.org, &group.id, group.class, group.counts.pending))
    };
    let content = html! {
        p.hint { a href="/causes" { "Causes" } " of " a href={ "/causes?org=" (group.org) } { (names.org(&group.org)) } }
        h1 { (group.title) }
        @if let Some(Refused { problem, .. }) = refused {
            div.notice.bad role="alert" #refused {
                div { b { "Nothing was changed. " } (format::capital(problem.detail())) "." }
            }
        }
        (counts(&group))
        (way)
        (actions(visit, &group, way.0.is_empty()))
        (held(&group))
        div.two {
            div {
                (advice(&group))
                h2 { "Who is affected" }
                (affected)
                h2 { "How often" }
                div #trend data-live { (trend(group.failures.as_deref().unwrap_or_default(), now)) }
            }
            div {
                (put_to_it(visit, caller, &group, &tag, &people, refused))
                h2 { "What was done" }
                (told(&story))
            }
        }
    };
    Ok(visit.page(&group.title, Section::Causes, &content))
}

fn counts(group: &Group) -> Markup {
    let ErrorCounts { pending, retrying, ignored, resolved } = group.counts;
    html! {
        div #counts data-live {
            p.actions { (condition(group.condition)) (format::class(group.class)) code { (group.code) } }
            ul.figures {
                (figure(pending, "pending")) (figure(retrying, "retrying")) (figure(ignored, "ignored"))
                (figure(resolved, "resolved")) (figure(group.failures_24h, "failures in 24 h"))
            }
            p.hint { "First " (format::time(group.first_seen)) ", last " (format::time(group.last_seen)) "." }
        }
    }
}

/// What can be done with all of it. Each asks first, and says how many. A retry comes first where nothing else mends it.
fn actions(visit: &Visit, group: &Group, is_first: bool) -> Markup {
    let (open, ignored) = (group.counts.pending + group.counts.retrying, group.counts.ignored);
    let of = |states: &[ErrorState]| {
        let query = ErrorQuery {
            orgs: [group.org.clone()].into(),
            groups: [group.id.clone()].into(),
            states: states.iter().copied().collect(),
            ..ErrorQuery::default()
        };
        address(&query, None)
    };
    html! {
        div.actions #actions data-live {
            @if visit.may(Scope::Errors) {
                @if open > 0 {
                    a.button.quiet[!is_first] href=(question("retry", group)) data-key="r" { (icon(Icon::Retry)) "Retry these " (grouped(open)) }
                    a.button.quiet href=(question("ignore", group)) data-key="i" { (icon(Icon::Ignore)) "Ignore these " (grouped(open)) }
                }
                @if ignored > 0 {
                    a.button.quiet href=(question("reopen", group)) data-key="u" {
                        (icon(Icon::Reopen)) "Reopen the " (grouped(ignored)) " ignored"
                    }
                }
            }
            @if open > 0 {
                a href=(of(&[ErrorState::Pending, ErrorState::Retrying])) { (counted(open, "open sync error", "open sync errors")) }
            } @else { span.hint { "Nothing of it is open." } }
            @if ignored > 0 { a href=(of(&[ErrorState::Ignored])) { (grouped(ignored)) " ignored" } }
        }
    }
}

/// Policies that may not ignore it by themselves any more.
fn held(group: &Group) -> Markup {
    html! {
        @for held in &group.held {
            div.notice.wait {
                div {
                    "Policy " (held.policy.name) " revision " (held.policy.revision) " would ignore it and may not: " (held.why)
                    ". " (counted(held.held, "judgement was", "judgements were")) " held since " (format::time(held.at)) ". "
                    a href={ "/operations/" (held.operation) } { "Let it go on, or not" }
                }
            }
        }
    }
}

fn advice(group: &Group) -> Markup {
    html! {
        h2 { "What it is, and what to do" }
        @if !group.text.is_empty() { blockquote.said { (format::cut(&group.text)) } }
        dl.wide {
            dt { "What happened" } dd { (group.advice.happened) }
            dt { "What to check" } dd { (group.advice.check) }
            dt { "By itself" } dd { (group.advice.by_itself) }
            @if !group.fields.is_empty() { dt { "Fields" } dd { (group.fields.join(", ")) } }
            @if let Some(policy) = &group.policy {
                dt { "At fault" }
                dd {
                    a href={ "/policies/" (policy) } { "Policy " (policy) }
                    @if let Some(question) = group.question { ", asked to " (question) }
                }
            }
        }
    }
}

/// Who looks after causes of an organization.
async fn people(app: &App, org: &OrgId) -> Result<BTreeSet<String>, Problem> {
    let (query, now) = (GroupQuery { orgs: [org.clone()].into(), ..GroupQuery::default() }, app.parts.clock.now());
    Ok(app.parts.engine.ledger().group_page(&query, GroupOrder::default(), None, 1, now).await?.assignees)
}
