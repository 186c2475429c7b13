//! One policy: who uses it, what it refuses, how it fares, the text in force, its shadow and its revisions.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

use super::super::parts::format::{self, counted, grouped};
use super::super::parts::{Visit, cell, table};
use super::done::waiting;
use super::listing::{Marks, listing};
use super::mend_link::mend_link_of;
use super::shared::{
    known, may_return, may_try, page, problems, seen_users, sync_errors_of, tag, texts_in_force, users,
};
use crate::domain::{Group, GroupOrder, GroupQuery, PolicyName, PolicyRevision};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::api::PolicyTexts;
use crate::http::extract::Id;
use crate::http::problem::Problem;
use crate::policy::{AnsweredBy, DEFAULT_POLICY, Faults, Isolation, PolicyStatus, Rejection, ShadowStatus};

/// Causes and revisions that the page shows.
const CAUSES: usize = 10;
const REVISIONS: usize = 20;

/// The policy.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
) -> Result<Markup, Problem> {
    let policy = known(&app, &name)?;
    let causes = causes(&app, &caller, &name).await?;
    let texts = texts_in_force(&app, &name);
    let revisions = app.parts.policies.revisions(&name);
    let content = html! {
        @if caller.orgs().is_none() { p.hint { a href="/policies" { "Policies" } } }
        div.head {
            h1 { (name) }
            @match &policy.in_force {
                Some(revision) => { span.badge.resolved { "revision " (revision.revision) " in force" } }
                None => { span.badge.pending { "not in force: nothing is decided" } }
            }
        }
        (waiting(&app, &visit, &caller, &name))
        @if let Some(rejection) = &policy.last_rejection { (refused(&visit, &policy, rejection)) }
        (ways(&visit, &name, !users(&app, &name).is_empty()))
        (standing(&app, &caller, &policy))
        h2 { "What it refuses now" }
        (refusals(&visit, &name, &causes))
        @if let Some(shadow) = &policy.shadow { (shadowed(&visit, &name, shadow)) }
        h2 { "The text in force" }
        (files(&name, texts.as_ref()))
        h2 { "Revisions" }
        (all_revisions(&visit, &policy, &revisions))
        h2 { "Who answers" }
        (answers(&policy))
    };
    Ok(page(&visit, &format!("Policy {name}"), &content))
}

fn refused(visit: &Visit, policy: &PolicyStatus, rejection: &Rejection) -> Markup {
    let found: Vec<_> = rejection.problems.iter().cloned().map(Into::into).collect();
    html! {
        div.notice.bad {
            b { "The newest change is refused" }
            @if policy.in_force.is_some() { ", the revision in force stays" }
            " (" (rejection.origin) ", " (format::time(rejection.at)) "):"
            (problems(&found))
            @if let Some(plugin) = &rejection.waits_for { p { "It is applied when the plugin " (plugin) " comes." } }
            @if policy.in_force.is_some() && visit.may(Scope::Policies) {
                form method="post" action={ "/policies/" (policy.name) "/let-go" } {
                    button.quiet type="submit" { "Let it go" }
                }
            }
        }
    }
}

/// Where else a policy's pages lead.
fn ways(visit: &Visit, name: &PolicyName, is_used: bool) -> Markup {
    let may_go = !is_used && name.as_str() != DEFAULT_POLICY && visit.may(Scope::Policies);
    html! {
        p.actions {
            @if visit.may(Scope::Policies) { a.button href={ "/policies/" (name) "/edit" } { "Edit" } }
            @if may_try(visit) { a href={ "/policies/" (name) "/ask" } { "Ask it about a conversation" } }
            a href={ "/policies/" (name) "/coverage" } { "What it covers" }
            @if may_go { a href={ "/policies/" (name) "/delete" } { "Delete…" } }
        }
    }
}

fn standing(app: &App, caller: &Caller, policy: &PolicyStatus) -> Markup {
    let users = seen_users(app, caller, &policy.name);
    html! {
        dl {
            dt { "Used by" }
            dd {
                @if users.is_empty() { "no organization by itself" }
                @for (place, org) in users.iter().enumerate() {
                    @if place > 0 { ", " } a href={ "/sync-errors?org=" (org.id) } { (org.name) }
                }
            }
            @if policy.name.as_str() == DEFAULT_POLICY {
                dt { "Answers" } dd { "every question that another policy leaves open" }
            }
            @if let Some(revision) = &policy.in_force {
                dt { "Given by" } dd { (revision.origin) ", " (format::time(revision.applied_at)) }
            }
            dt { "Decisions" } dd { (grouped(policy.decisions)) " since the start of this host" }
            dt { "Failed" }
            dd {
                (faults(policy.faults))
                " " a href={ "/sync-errors?state=&policy=" (policy.name) } { "The sync errors that it judged" }
            }
        }
    }
}

/// Only the ways in which it did fail.
fn faults(faults: Faults) -> String {
    let Faults { trapped, too_slow, too_large, refused, senseless } = faults;
    let ways = [
        (refused, "refused by a rule"),
        (trapped, "broken off by a fault of the script"),
        (too_slow, "without an answer in time"),
        (too_large, "with an answer or a memory that is too large"),
        (senseless, "with an answer that cannot be carried out"),
    ];
    let said: Vec<_> = ways
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, way)| format!("{} {way}", grouped(count)))
        .collect();
    if said.is_empty() { "none.".to_owned() } else { format!("{}.", said.join(", ")) }
}

/// The open causes that a policy is blamed for, those with the most sync errors first.
async fn causes(app: &App, caller: &Caller, name: &PolicyName) -> Result<Vec<Group>, Problem> {
    let mut orgs = BTreeSet::new();
    caller.narrow(app, &mut orgs)?;
    let query = GroupQuery { orgs, policies: [name.clone()].into(), ..GroupQuery::default() };
    let now = app.parts.clock.now();
    let page = app.parts.engine.ledger().group_page(&query, GroupOrder::Open, None, CAUSES, now).await?;
    Ok(page.items.into_iter().filter(|group| open(group) > 0).collect())
}

fn open(group: &Group) -> u64 {
    group.counts.pending + group.counts.retrying
}

fn refusals(visit: &Visit, name: &PolicyName, causes: &[Group]) -> Markup {
    let row = |group: &Group| {
        let link = html! { a href=(sync_errors_of(&group.org, &group.id)) { (grouped(open(group))) } };
        let mend = mend_link_of(group).filter(|_| may_try(visit));
        html! {
            tr role="row" {
                th role="rowheader" scope="row" { (format::cut(&group.title)) }
                (cell("Organization", &html! { (group.org) })) (cell("Sync errors", &link))
                (cell("Mend", &html! { @if let Some(address) = mend { a href=(address) { "Choose a queue" } } }))
            }
        }
    };
    let rows = html! { @for group in causes { (row(group)) } };
    html! {
        @if causes.is_empty() {
            p.hint { "No sync error waits because " (name) " refused it or failed." }
        } @else {
            (table(&["Cause", "Organization", "Sync errors", "Mend"], &rows))
        }
    }
}

fn shadowed(visit: &Visit, name: &PolicyName, shadow: &ShadowStatus) -> Markup {
    let rows = html! {
        @for example in &shadow.examples {
            tr role="row" {
                th role="rowheader" scope="row" { code { (example.conversation) } }
                (cell("Asked to", &html! { (example.question) }))
                (cell("In force", &html! { code { (example.now) } })) (cell("Shadow", &html! { code { (example.then) } }))
            }
        }
    };
    html! {
        h2 { "The shadow" }
        p {
            "Revision " (shadow.revision) " is asked beside it since " (format::time(shadow.since)) ": "
            (counted(shadow.same, "answer", "answers")) " alike, " (grouped(shadow.different)) " different, "
            (grouped(shadow.faults)) " failed, " (grouped(shadow.skipped)) " not waited for."
        }
        @if !shadow.examples.is_empty() { (table(&["Conversation", "Asked to", "In force", "Shadow"], &rows)) }
        p.actions { a href={ "/policies/" (name) "/revisions/" (shadow.revision) } { "How its texts differ" } }
        @if visit.may(Scope::Policies) {
            form method="post" action={ "/policies/" (name) "/end-shadow" } {
                button.quiet type="submit" { "End the shadow" }
            }
        }
    }
}

fn files(name: &PolicyName, texts: Option<&PolicyTexts>) -> Markup {
    html! {
        @match texts {
            None => { p.hint { "Nothing is in force." } }
            Some(texts) => {
                (file(&format!("{name}.toml"), &texts.toml))
                @for (script, text) in &texts.scripts { (file(script, text)) }
            }
        }
    }
}

fn file(name: &str, text: &str) -> Markup {
    html! { h3 { code { (name) } } (listing(name, text, &Marks::new())) }
}

fn all_revisions(visit: &Visit, policy: &PolicyStatus, revisions: &[PolicyRevision]) -> Markup {
    let name = &policy.name;
    let row = |revision: &PolicyRevision| {
        let given = html! { (revision.source.origin) ", " (format::time(revision.source.at)) };
        let state = html! {
            (revision.state.as_str()) @if let Some(why) = &revision.reason { ": " (format::cut(why)) }
        };
        html! {
            tr role="row" {
                th role="rowheader" scope="row" {
                    a href={ "/policies/" (name) "/revisions/" (revision.number) } { (revision.number) }
                }
                (cell("State", &state)) (cell("Given by", &given))
                td.acts role="cell" data-label="Do" { div { @if may_return(revision) { (restoring(visit, policy, revision.number)) } } }
            }
        }
    };
    let rows = html! { @for revision in revisions.iter().rev().take(REVISIONS) { (row(revision)) } };
    html! {
        (table(&["Revision", "State", "Given by", "Do"], &rows))
        @if revisions.len() > REVISIONS { p.hint { "The newest " (REVISIONS) " of " (revisions.len()) "." } }
    }
}

/// Puts a revision in force again that is not.
pub(super) fn restoring(visit: &Visit, policy: &PolicyStatus, number: u32) -> Markup {
    let is_in_force = policy.in_force.as_ref().is_some_and(|in_force| in_force.revision == number);
    html! {
        @if !is_in_force && visit.may(Scope::Policies) {
            form method="post" action={ "/policies/" (policy.name) "/restore" } {
                input type="hidden" name="number" value=(number);
                input type="hidden" name="tag" value=(tag(Some(policy)));
                button.quiet type="submit" { "Put revision " (number) " in force" }
            }
        }
    }
}

fn answers(policy: &PolicyStatus) -> Markup {
    let row = |by: &AnsweredBy| {
        let own = by.policy.name == policy.name;
        let who =
            html! { @if own { "this policy" } @else { a href={ "/policies/" (by.policy.name) } { (by.policy) } } };
        let plugin = html! { (by.plugin) @if let Some(script) = &by.script { ", " code { (script) } } };
        let begins = html! {
            @if by.frozen { "at once, from a copy" } @else { "after being configured" }
            @if let Some(why) = &by.not_frozen_because { ": " (format::cut(why)) }
            @if by.isolation == Isolation::Policy { "; keeps its instances from one decision to the next" }
        };
        html! {
            tr role="row" {
                th role="rowheader" scope="row" { (by.question) }
                (cell("Answered by", &who)) (cell("Plugin", &plugin)) (cell("A decision begins", &begins))
            }
        }
    };
    html! {
        @match &policy.in_force {
            None => { p.hint { "Nobody." } }
            Some(revision) => {
                @let rows = html! { @for by in &revision.answered_by { (row(by)) } };
                (table(&["Question", "Answered by", "Plugin", "A decision begins"], &rows))
                p.hint { "The digest of its texts and plugins is " code { (revision.digest) } "." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_in_words_and_only_those_that_there_were() {
        assert_eq!(faults(Faults::default()), "none.");
        let some = Faults { refused: 3_000, too_slow: 2, ..Faults::default() };
        assert_eq!(faults(some), "3,000 refused by a rule, 2 without an answer in time.");
    }
}
