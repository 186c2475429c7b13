//! One cause: what it is and what to do, who is affected, whether it grows, what people did about it, and what they put to it.

use std::collections::{BTreeSet, HashMap};

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::causes::{condition, question};
use super::notices::who;
use super::parts::format::{self, counted, grouped};
use super::parts::{Icon, Section, Visit, icon, trend};
use super::words::{self, Names, figure};
use crate::domain::{
    Deed, Direction, ErrorQuery, Expected, Fingerprint, GroupOrder, GroupQuery, NOTE, OrgId, State as ErrorState,
    SyncError, Timestamp,
};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{Group, GroupChange, Operation};
use crate::http::extract::{Form, Id};
use crate::http::groups::{OfOrg, change_to, seen};
use crate::http::operations::{Which, listed};
use crate::http::problem::{Kind, Problem};
use crate::ledger::ActionFilter;

/// The newest operations that are looked at for those about the cause,
const OPERATIONS: usize = 100;
/// and the newest actions.
const ACTIONS: usize = 1_000;
/// Entries of its story.
const STORY: usize = 20;
/// The last words of a customer, in characters.
const WORDS: usize = 200;

/// Its organization, where several have this cause. Other fields are passed over.
#[derive(Deserialize)]
pub(super) struct Of {
    org: Option<OrgId>,
}

/// What somebody wanted to put to a cause, and why that did not go.
struct Refused {
    given: Given,
    problem: Problem,
}

/// The fields of the forms: each has one, and the version of what it stood beside.
#[derive(Deserialize)]
pub(super) struct Given {
    tag: String,
    assignee: Option<String>,
    note: Option<String>,
    ticket: Option<String>,
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
    let said = if visit.may(Scope::Errors) { last_words(app, &group, &samples).await? } else { HashMap::new() };
    let people = people(app, &group.org).await?;
    let story = story(app, caller, &group).await?;
    let content = html! {
        p.hint { a href="/causes" { "Causes" } " of " a href={ "/causes?org=" (group.org) } { (names.org(&group.org)) } }
        h1 { (group.title) }
        @if let Some(Refused { problem, .. }) = refused {
            div.notice.bad role="alert" #refused {
                div { b { "Nothing was changed. " } (format::capital(problem.detail())) "." }
            }
        }
        (counts(&group))
        (actions(visit, &group))
        (held(&group))
        div.two {
            div {
                (advice(&group))
                h2 { "Who is affected" }
                (affected(&samples, &said, visit.may(Scope::Errors)))
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
    let crate::http::api::ErrorCounts { pending, retrying, ignored, resolved } = group.counts;
    html! {
        div #counts data-live {
            p.actions { (condition(group.condition)) (format::class(group.class)) code { (group.code) } }
            ul.figures {
                (figure(pending, "pending")) (figure(retrying, "retrying")) (figure(ignored, "ignored"))
                (figure(resolved, "over")) (figure(group.failures_24h, "failures in 24 h"))
            }
            p.hint { "First " (format::time(group.first_seen)) ", last " (format::time(group.last_seen)) "." }
        }
    }
}

/// What can be done with all of it. Each asks first, and says how many.
fn actions(visit: &Visit, group: &Group) -> Markup {
    let (open, ignored) = (group.counts.pending + group.counts.retrying, group.counts.ignored);
    let of = |states: &[ErrorState]| {
        let query = ErrorQuery {
            orgs: [group.org.clone()].into(),
            groups: [group.id.clone()].into(),
            states: states.iter().copied().collect(),
            ..ErrorQuery::default()
        };
        words::list(&query)
    };
    html! {
        div.actions #actions data-live {
            @if visit.may(Scope::Errors) {
                @if open > 0 {
                    a.button href=(question("retry", group)) { (icon(Icon::Retry)) "Retry these " (grouped(open)) }
                    a.button.quiet href=(question("ignore", group)) { (icon(Icon::Ignore)) "Ignore these " (grouped(open)) }
                }
                @if ignored > 0 {
                    a.button.quiet href=(question("reopen", group)) {
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
                    a href={ "/policies#" (policy) } { "Policy " (policy) }
                    @if let Some(question) = group.question { ", asked to " (question) }
                }
            }
        }
    }
}

/// What customers of these sync errors wrote last, by sync error.
async fn last_words(app: &App, group: &Group, samples: &[SyncError]) -> Result<HashMap<String, String>, Problem> {
    let ids: Vec<_> = samples.iter().map(|error| error.conversation.clone()).collect();
    let all = app.parts.engine.ledger().conversations_of(&group.org, &ids).await?;
    let last = all.into_iter().filter_map(|conversation| {
        let inbound = |message: &&crate::domain::Message| {
            message.direction == Direction::Inbound && !message.body.trim().is_empty()
        };
        let words = conversation.messages.iter().rev().find(inbound)?.body.trim();
        Some((conversation.id.to_string(), words.chars().take(WORDS).collect()))
    });
    Ok(last.collect())
}

fn affected(samples: &[SyncError], said: &HashMap<String, String>, may: bool) -> Markup {
    if samples.is_empty() {
        return html! { p.empty { "None of those that failed last is on record any more." } };
    }
    let head = |class: &str, words: &str| html! { th class=(class) role="columnheader" scope="col" { (words) } };
    let cell = |class: &str, column: &str, content: Markup| {
        html! { td class=(class) role="cell" data-label=(column) { div { (content) } } }
    };
    html! {
        table.lines role="table" {
            thead role="rowgroup" {
                tr role="row" {
                    (head("w-l", "Customer")) (head("w-m", "Channel")) (head("w-m", "Team"))
                    @if may { (head("", "Last words")) }
                    (head("w-s", "Failed")) (head("w-m", "State"))
                }
            }
            tbody role="rowgroup" {
                @for error in samples.iter().rev() {
                    tr role="row" {
                        (cell("main", "Customer", html! { a href={ "/sync-errors/" (error.id) } { (who(error)) } }))
                        (cell("side", "Channel", html! { (error.channel) }))
                        (cell("side", "Team", html! { (error.team.as_deref().unwrap_or("–")) }))
                        @if may {
                            @let words = said.get(error.conversation.as_str()).map_or("", String::as_str);
                            (cell("main", "Last words", html! { span title=(words) { (words) } }))
                        }
                        (cell("side", "Failed", format::time(error.last_seen)))
                        (cell("side", "State", format::state(error.state)))
                    }
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

/// The owner, the note and the ticket, each with a form for who may change it.
fn put_to_it(
    visit: &Visit,
    caller: &Caller,
    group: &Group,
    tag: &str,
    people: &BTreeSet<String>,
    refused: Option<&Refused>,
) -> Markup {
    let may = visit.may(Scope::Errors);
    let kept = |of: fn(&Given) -> &Option<String>, now: &Option<String>| -> String {
        let given = refused.and_then(|refused| of(&refused.given).clone());
        given.or_else(|| now.clone()).unwrap_or_default()
    };
    let form = |content: Markup| {
        html! {
            form.fields method="post" action=(words::cause(&group.org, &group.id)) {
                input type="hidden" name="tag" value=(tag);
                (content)
            }
        }
    };
    html! {
        h2 { "Owner" }
        p { @match &group.assignee { Some(name) => { (icon(Icon::Person)) " " b { (name) } } None => { "Nobody looks after it." } } }
        @if may {
            @if group.assignee.as_ref() != Some(&caller.name) {
                (form(html! { button.quiet type="submit" name="assignee" value=(caller.name) { (icon(Icon::Assign)) "Assign to me" } }))
            }
            (form(html! {
                label { "Assign to"
                    input name="assignee" maxlength="200" list="people" value=(kept(|given| &given.assignee, &None));
                }
                datalist #people { @for name in people { option value=(name) {} } }
                div.actions { button.quiet type="submit" { "Assign" } span.hint { "Empty for nobody." } }
            }))
        }
        h2 { "Note" }
        @if may {
            (form(html! {
                label { "What others should know, " (grouped(NOTE as u64)) " bytes at most"
                    textarea name="note" rows="4" { (kept(|given| &given.note, &group.note)) }
                }
                @if let (Some(_), Some(note)) = (refused.and_then(|refused| refused.given.note.as_ref()), &group.note) {
                    div { span.hint { "The note as it is now:" } blockquote.said { (note) } }
                }
                div.actions { button.quiet type="submit" { "Keep the note" } }
            }))
        } @else if let Some(note) = &group.note { p.said { (note) } } @else { p.hint { "None." } }
        h2 { "Ticket" }
        p { @match &group.ticket { Some(ticket) => { (link(ticket)) } None => { span.hint { "None." } } } }
        @if may {
            (form(html! {
                label { "Its address"
                    input type="url" name="ticket" maxlength="500" placeholder="https://"
                        value=(kept(|given| &given.ticket, &group.ticket));
                }
                div.actions { button.quiet type="submit" { "Keep the address" } }
            }))
        }
    }
}

/// A link to elsewhere; an address of another kind stays a text.
fn link(address: &str) -> Markup {
    let is_link = url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    html! {
        @if is_link { a href=(address) rel="noreferrer" { (address) (icon(Icon::Outside)) } } @else { (address) }
    }
}

/// What people did about it, the newest first: operations, and what they put to it.
async fn story(app: &App, caller: &Caller, group: &Group) -> Result<Vec<(Timestamp, Markup)>, Problem> {
    let which = Which { org: Some(group.org.clone()), limit: Some(OPERATIONS) };
    let operations = listed(app, caller, which).await?.operations;
    let mut story: Vec<_> = operations.iter().filter(|operation| is_about(operation, group)).map(operation).collect();
    let filter = ActionFilter {
        orgs: Some([group.org.clone()].into()),
        what: Some(Deed::GroupEdit),
        subject: Some(group.id.to_string()),
        looked_at: Some(ACTIONS),
        ..ActionFilter::default()
    };
    for (_, action) in app.parts.engine.ledger().actions(&filter, None, STORY).await?.actions {
        let what = action.reason.unwrap_or_else(|| "changed what stands beside it".to_owned());
        story.push((action.at, html! { b { (action.by) } ": " (what) }));
    }
    story.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    story.truncate(STORY);
    Ok(story)
}

fn is_about(operation: &Operation, group: &Group) -> bool {
    operation.orgs.iter().any(|of| {
        of.query.groups.contains(&group.id)
            || of.failed_as.contains_key(group.id.as_str())
            || of.stopped.contains(&group.id)
    })
}

fn operation(operation: &Operation) -> (Timestamp, Markup) {
    let sums = &operation.sums;
    let failed = sums.failed_alike + sums.failed_otherwise;
    let said = html! {
        b { (operation.by) } ": "
        a href={ "/operations/" (operation.id) } { (words::title(&operation.task, operation.sums.matched)) }
        ", " (operation.status) "; " (grouped(sums.done)) " done"
        @if sums.passed > 0 { ", " (grouped(sums.passed)) " got through" }
        @if failed > 0 { ", " (grouped(failed)) " failed again" }
        @if let Some(reason) = &operation.reason { ": “" (format::cut(reason)) "”" }
    };
    (operation.created_at, said)
}

fn told(story: &[(Timestamp, Markup)]) -> Markup {
    html! {
        @if story.is_empty() { p.hint { "Nobody has done anything about it lately." } } @else {
            ol.timeline {
                @for (at, said) in story { li { div.when { (format::time(*at)) } div { (said) } } }
            }
        }
    }
}
