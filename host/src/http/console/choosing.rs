//! Which contact is this customer? The contacts side by side, and a person's word on which; for a cause, one after the other.

mod compared;

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;

use super::notices::who;
use super::parts::format::{self, counted, grouped};
use super::parts::{Done, Icon, Section, Visit, icon};
use crate::domain::{Class, ErrorQuery, Fingerprint, OrgId, State as ErrorState, SyncError, SyncErrorId, Timestamp};
use crate::engine::Error;
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::{CandidateList, ContactChoice};
use crate::http::candidates;
use crate::http::extract::{Asked, Form, Id};
use crate::http::problem::Problem;
use crate::http::sync_errors::{find, sees};
use crate::ledger::{Cursor, Paging};

/// Leads to the page on which the contact of a sync error is chosen; nothing where it is not about that.
pub(super) fn choose_link(visit: &Visit, error: &SyncError) -> Markup {
    let several = error.refusal.candidates().len();
    html! {
        @if several > 0 && error.state != ErrorState::Ignored && visit.may(Scope::Errors) {
            a.button.quiet href={ "/sync-errors/" (error.id) "/choose" } {
                (icon(Icon::Person)) "Choose the contact"
            }
        }
    }
}

/// Leads to the first of a cause whose contact is to be chosen, and from there to the next; nothing where it is not about that.
pub(super) fn choose_each_link(visit: &Visit, org: &OrgId, group: &Fingerprint, class: Class, pending: u64) -> Markup {
    html! {
        @if class == Class::Contact && pending > 0 && visit.may(Scope::Errors) {
            p {
                a.button href={ "/causes/" (group) "/choose?org=" (org) } {
                    (icon(Icon::Person)) "Choose " (counted(pending, "contact", "contacts")) ", one after the other"
                }
            }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct OfOrg {
    org: OrgId,
}

/// To the first pending sync error of a cause.
pub(super) async fn first(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(group): Id<Fingerprint>,
    Asked(OfOrg { org }): Asked<OfOrg>,
) -> Result<Redirect, Problem> {
    let there_is_none = || Problem::not_found("no sync error of this cause is pending any more");
    if !caller.sees(&org) {
        return Err(there_is_none());
    }
    let found = pending(&app, &org, &group, None).await?.into_iter().next().ok_or_else(there_is_none)?;
    Ok(Redirect::to(&address(&found, Some(left(&app, &org, &group).await?))))
}

/// How far somebody is who goes through a cause.
#[derive(Deserialize)]
pub(super) struct Walk {
    /// How many were pending when they began.
    all: Option<u64>,
}

fn address(id: &SyncErrorId, all: Option<u64>) -> String {
    match all {
        Some(all) => format!("/sync-errors/{id}/choose?all={all}"),
        None => format!("/sync-errors/{id}/choose"),
    }
}

/// The contacts side by side.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Asked(Walk { all }): Asked<Walk>,
) -> Result<Markup, Problem> {
    let error = find(&app, &caller, &id).await?;
    let list = candidates::of(&app, &error).await?;
    let conversation = app.parts.engine.ledger().readable_conversation(&error.org, &error.conversation).await?;
    let words = conversation.as_ref().and_then(|of| of.messages.iter().rev().find(|message| !message.body.is_empty()));
    let title = format!("Which contact is {}?", who(&error));
    let opens = error.state != ErrorState::Ignored && (error.state != ErrorState::Resolved || list.chosen.is_some());
    let progress = match all {
        Some(all) => walked(&app, &error, all).await?,
        None => html! {},
    };
    let content = html! {
        p.hint {
            a href={ "/sync-errors/" (error.id) } { "The sync error" } " " (format::state(error.state)) " "
            code { (error.refusal.code) }
        }
        h1 { "Which contact is " bdi { (who(&error)) } "?" }
        (progress)
        (said(&list, opens))
        div.compare {
            (compared::customer(&list, words))
            @for (place, candidate) in list.candidates.iter().enumerate() {
                @let form = html! { @if opens { (form(&error.id, &list, &candidate.contact.to_string(), all, place)) } };
                (compared::card(&list, candidate, &form))
            }
        }
        @if list.candidates.is_empty() { p.empty { "This sync error names no contacts." } }
        (otherwise(&visit, &error, &list, all, opens))
    };
    Ok(visit.page(&title, Section::SyncErrors, &content))
}

/// How many of the cause are done, and the way to the next one.
async fn walked(app: &App, error: &SyncError, all: u64) -> Result<Markup, Problem> {
    let left = left(app, &error.org, &error.group).await?;
    let all = all.max(left);
    let next = next(app, error).await?;
    Ok(html! {
        div.head {
            p.hint #walked data-live { b { (grouped(all - left)) } " of " (grouped(all)) " done" }
            @if let Some(next) = next { a href=(address(&next, Some(all))) rel="next" { "Skip this one" } }
        }
        progress max=(all) value=(all - left) aria-label="Done of this cause" {}
    })
}

async fn left(app: &App, org: &OrgId, group: &Fingerprint) -> Result<u64, Problem> {
    let groups = app.parts.engine.ledger().group(group).await?;
    Ok(groups.iter().find(|group| group.org == *org).map_or(0, |group| group.counts.pending))
}

/// Pending sync errors of a cause: the first two, or those behind one.
async fn pending(
    app: &App,
    org: &OrgId,
    group: &Fingerprint,
    behind: Option<(Timestamp, SyncErrorId)>,
) -> Result<Vec<SyncErrorId>, Problem> {
    let states = [ErrorState::Pending].into();
    let query =
        ErrorQuery { orgs: [org.clone()].into(), groups: [group.clone()].into(), states, ..ErrorQuery::default() };
    let cursor = behind.map(|place| Cursor::behind(place, &query, true));
    let paging = Paging { cursor, ..Paging::first(2) };
    let page = app.parts.engine.ledger().error_summaries(&query, &paging).await?;
    Ok(page.items.into_iter().map(|error| error.id).collect())
}

/// The next one of the same cause: behind this one, or else from the beginning.
async fn next(app: &App, error: &SyncError) -> Result<Option<SyncErrorId>, Problem> {
    let (org, group) = (&error.org, &error.group);
    let mut found = pending(app, org, group, Some((error.first_seen, error.id.clone()))).await?;
    if found.is_empty() {
        found = pending(app, org, group, None).await?;
    }
    Ok(found.into_iter().find(|id| *id != error.id))
}

/// What stands, and what Salesforce did not say.
fn said(list: &CandidateList, opens: bool) -> Markup {
    html! {
        @if let Some(chosen) = &list.chosen {
            div.notice.good {
                div {
                    b { (chosen.by) } " said "
                    @if chosen.contact == "none" { "that the conversation is written without a contact" }
                    @else { "that the customer is contact " code { (chosen.contact) } }
                    " (" (format::time(chosen.at)) "). That stands until somebody chooses otherwise."
                }
            }
        } @else if !opens {
            div.notice { div { "It is over or ignored: there is nothing to choose." } }
        }
        @if let Some(why) = &list.unknown {
            div.notice.wait {
                div { b { "Salesforce did not say what it knows now. " } "This is what it said when the conversation failed. (" (format::cut(why)) ")" }
            }
        }
    }
}

fn form(id: &SyncErrorId, list: &CandidateList, contact: &str, all: Option<u64>, place: usize) -> Markup {
    let candidate = list.candidates.get(place);
    let (words, label) = match (contact, candidate) {
        ("none", _) => ("Write it without a contact and retry", String::new()),
        ("policy", _) => ("Take the choice back and let the policy decide", String::new()),
        (_, candidate) => {
            let name = candidate.map_or("", |candidate| candidate.name.as_str());
            ("Choose this contact and retry", format!("Choose {name} ({contact}) and retry"))
        }
    };
    let key = candidate.filter(|_| place < 9).map(|_| place + 1);
    html! {
        form method="post" action={ "/sync-errors/" (id) "/choose" } {
            input type="hidden" name="contact" value=(contact);
            @if let Some(chosen) = &list.chosen { input type="hidden" name="instead_of" value=(chosen.contact); }
            @if let Some(all) = all { input type="hidden" name="all" value=(all); }
            button.quiet[candidate.is_none()] type="submit" data-key=[key] aria-label=[Some(label).filter(|label| !label.is_empty())] {
                @if let Some(key) = key { kbd aria-hidden="true" { (key) } " " }
                (words)
            }
        }
    }
}

/// What else can be done: without a contact, by the policy, or in it.
fn otherwise(visit: &Visit, error: &SyncError, list: &CandidateList, all: Option<u64>, opens: bool) -> Markup {
    let nowhere = usize::MAX;
    let is = |contact: &str| list.chosen.as_ref().is_some_and(|chosen| chosen.contact == contact);
    let policy = error.refusal.choice.as_ref().map(|choice| &choice.policy.name);
    let shows_policies = visit.caller().is_some_and(|caller| caller.orgs().is_none());
    html! {
        div.actions {
            @if opens && !is("none") && (list.chosen.is_some() || !list.candidates.is_empty()) { (form(&error.id, list, "none", all, nowhere)) }
            @if opens && list.chosen.is_some() { (form(&error.id, list, "policy", all, nowhere)) }
            @if let Some(policy) = policy.filter(|_| shows_policies) {
                a href={ "/policies/" (policy) } { (icon(Icon::Policies)) "The policy that chooses: " (policy) }
            }
        }
        p.hint { "A contact that is not here is found when it is tried again: make or merge it in Salesforce, then retry the sync error." }
    }
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    contact: String,
    instead_of: Option<String>,
    all: Option<u64>,
}

/// Keeps what was chosen, and goes on with the next one of the cause.
pub(super) async fn choose(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Form(Chosen { contact, instead_of, all }): Form<Chosen>,
) -> Result<Redirect, Problem> {
    sees(&app, &caller, &id).await?;
    let choice = ContactChoice { contact, instead_of };
    let error = match candidates::chosen(&app, &caller, &id, &choice).await? {
        Ok(error) => error,
        // Somebody was quicker: the page says what stands.
        Err(Error::Transition(_) | Error::Chosen(_) | Error::NothingChosen) => {
            let late = Done::Late(id.clone());
            return Ok(late.at(&address(&id, all)));
        }
        Err(error) => return Err(error.into()),
    };
    let to = match all {
        Some(_) => next(&app, &error).await?.map(|next| address(&next, all)),
        None => None,
    };
    Ok(Done::Chose(id.clone()).at(&to.unwrap_or_else(|| format!("/sync-errors/{id}"))))
}
