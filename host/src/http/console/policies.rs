//! Which policies are in force, who answers for them and how often they failed; and the plugins.

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

use super::parts::format::{self, counted, grouped};
use super::parts::{Section, Visit, cell, table};
use crate::domain::PolicyRevision;
use crate::http::App;
use crate::policy::{AnsweredBy, Faults, InForce, Isolation, PluginStatus, PluginTrouble, PolicyStatus, Rejection};

/// Revisions of a policy that the page shows.
const SHOWN: usize = 20;

/// Policies and plugins.
pub(super) async fn list(State(app): State<App>, Extension(visit): Extension<Visit>) -> Markup {
    let (policies, plugins) = (app.parts.policies.policies(), app.parts.policies.plugins());
    let content = html! {
        h1 { "Policies" }
        @if policies.is_empty() { p { "No policy is known." } }
        @for policy in &policies { (card(policy, &app.parts.policies.revisions(&policy.name))) }
        h2 { "Plugins" }
        @for trouble in &app.parts.policies.troubles() { (not_taken(trouble)) }
        @if plugins.is_empty() { p { "No plugin is known." } } @else { (all(&plugins)) }
    };
    visit.page("Policies", Section::Policies, &content)
}

fn card(policy: &PolicyStatus, revisions: &[PolicyRevision]) -> Markup {
    html! {
        section.card id=(policy.name) aria-labelledby={ "policy-" (policy.name) } {
            div.head {
                h2 id={ "policy-" (policy.name) } { (policy.name) }
                @match &policy.in_force {
                    Some(revision) => { span.badge.resolved { "revision " (revision.revision) " in force" } }
                    None => { span.badge.pending { "not in force: nothing is decided" } }
                }
            }
            @if let Some(rejection) = &policy.last_rejection { (refused(rejection)) }
            dl {
                dt { "Decisions" }
                dd { (grouped(policy.decisions)) " since the start of this host, " (faults(policy.faults)) }
                @if let Some(revision) = &policy.in_force {
                    dt { "Origin" } dd { (revision.origin) ", " (format::time(revision.applied_at)) }
                    dt { "Digest" } dd { (short(&revision.digest)) }
                }
                @if let Some(shadow) = &policy.shadow {
                    dt { "Shadow" }
                    dd {
                        "revision " (shadow.revision) " since " (format::time(shadow.since)) ": "
                        (grouped(shadow.same)) " decisions alike, " (grouped(shadow.different)) " different"
                    }
                }
            }
            @if let Some(revision) = &policy.in_force { (answers(policy, revision)) }
            @if revisions.len() > 1 { (earlier(revisions)) }
        }
    }
}

fn refused(rejection: &Rejection) -> Markup {
    html! {
        div.notice.bad {
            b { "The newest change is refused" } ", the revision in force stays ("
            (rejection.origin) ", " (format::time(rejection.at)) "):"
            ul { @for problem in &rejection.problems { li { (format::cut(&problem.to_string())) } } }
            @if let Some(fault) = &rejection.fault { p { (format::cut(&fault.to_string())) } }
        }
    }
}

fn not_taken(trouble: &PluginTrouble) -> Markup {
    html! {
        div.notice.bad {
            b { (trouble.name) } " (" (trouble.origin) ", " (format::time(trouble.at)) "): " (format::cut(&trouble.reason))
        }
    }
}

/// What has become of the revisions, newest first.
fn earlier(revisions: &[PolicyRevision]) -> Markup {
    let row = |revision: &PolicyRevision| {
        let given = html! { (revision.source.origin) ", " (format::time(revision.source.at)) };
        let state = html! {
            (revision.state.as_str()) @if let Some(why) = &revision.reason { ": " (format::cut(why)) }
        };
        html! {
            tr {
                (cell("Revision", &html! { (revision.number) })) (cell("State", &state)) (cell("Given by", &given))
                (cell("Digest", &short(&revision.digest)))
            }
        }
    };
    let rows = html! { @for revision in revisions.iter().rev().take(SHOWN) { (row(revision)) } };
    html! {
        details {
            summary { (counted(revisions.len() as u64, "revision", "revisions")) }
            (table(&["Revision", "State", "Given by", "Digest"], &rows))
        }
    }
}

/// Only the ways in which it did fail.
fn faults(faults: Faults) -> String {
    let Faults { trapped, too_slow, too_large, refused, senseless } = faults;
    let ways = [
        (trapped, "trapped"),
        (too_slow, "too slow"),
        (too_large, "too large"),
        (refused, "refused"),
        (senseless, "senseless"),
    ];
    let said: Vec<_> = ways
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, way)| format!("{} {way}", grouped(count)))
        .collect();
    if said.is_empty() { "none failed".to_owned() } else { format!("failed: {}", said.join(", ")) }
}

fn answers(policy: &PolicyStatus, revision: &InForce) -> Markup {
    let row = |by: &AnsweredBy| {
        let own = by.policy.name == policy.name;
        let who = html! { @if own { "this policy" } @else { a href={ "#" (by.policy.name) } { (by.policy) } } };
        let plugin = html! { (by.plugin) @if let Some(script) = &by.script { ", " code { (script) } } };
        let frozen = html! {
            (if by.frozen { "yes" } else { "no" })
            @if let Some(why) = &by.not_frozen_because { ": " (format::cut(why)) }
            @if by.isolation == Isolation::Policy { "; keeps its instances from one decision to the next" }
        };
        html! {
            tr role="row" {
                th role="rowheader" scope="row" { (by.question) }
                (cell("Answered by", &who)) (cell("Plugin", &plugin)) (cell("Frozen", &frozen))
            }
        }
    };
    let rows = html! { @for by in &revision.answered_by { (row(by)) } };
    table(&["Question", "Answered by", "Plugin", "Frozen"], &rows)
}

fn all(plugins: &[PluginStatus]) -> Markup {
    let row = |plugin: &PluginStatus| {
        let questions: Vec<_> = plugin.questions.iter().map(ToString::to_string).collect();
        html! {
            tr role="row" {
                th role="rowheader" scope="row" { (plugin.name) }
                (cell("Answers", &html! { (questions.join(", ")) }))
                (cell("Interface", &html! { code { (plugin.interface) } }))
                (cell("Size", &html! { (counted(plugin.bytes as u64, "byte", "bytes")) }))
                (cell("Digest", &short(&plugin.digest)))
                (cell("Origin", &html! { (plugin.origin) }))
            }
        }
    };
    let rows = html! { @for plugin in plugins { (row(plugin)) } };
    table(&["Plugin", "Answers", "Interface", "Size", "Digest", "Origin"], &rows)
}

/// The head of a digest; the whole of it for who points at it.
fn short(digest: &str) -> Markup {
    html! { code title=(digest) { (digest.get(..12).unwrap_or(digest)) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Origin;
    use crate::domain::{PolicyName, Timestamp};
    use crate::policy::PolicyProblem;

    #[test]
    fn a_refused_change_is_shown_with_file_line_and_column() {
        let name = PolicyName::new("shop").unwrap();
        let problem = PolicyProblem {
            path: "shop.rhai".into(),
            line: Some(3),
            column: Some(14),
            message: "<b> is no token".into(),
        };
        let rejection = Rejection {
            policy: name.clone(),
            origin: Origin::Api { by: "ann".into() },
            at: Timestamp::default(),
            problems: vec![problem],
            fault: None,
            waits_for: None,
            try_again: false,
        };
        let faults = Faults { too_slow: 2, ..Faults::default() };
        let html = card(
            &PolicyStatus {
                name,
                in_force: None,
                last_rejection: Some(rejection),
                shadow: None,
                decisions: 1_000,
                faults,
            },
            &[],
        )
        .0;
        for words in [
            "shop.rhai:3:14",
            "&lt;b&gt; is no token",
            "API, by ann",
            "not in force",
            "1,000 since",
            "failed: 2 too slow",
        ] {
            assert!(html.contains(words), "{words} is not in {html}");
        }
    }
}
