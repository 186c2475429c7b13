//! The first page: how each organization stands; and the first points to check of one.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};

use super::authorization;
use super::format::{self, counted, grouped};
use super::page::{Back, Done, Section, Visit, cell, table};
use crate::domain::{OrgId, SourceId, State as ErrorState};
use crate::engine::{Check, EnvironmentHealth, Org, OrgHealth};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::extract::{Form, Id};
use crate::http::orgs::accounts;
use crate::http::problem::Problem;

/// All organizations.
pub(super) async fn list(State(app): State<App>, Extension(visit): Extension<Visit>) -> Markup {
    let orgs = app.parts.engine.orgs();
    let content = html! {
        h1 { "Organizations" }
        @if orgs.is_empty() { p { "No organization is connected. Add one to the configuration." } }
        div.cards { @for (org, health) in &orgs { (card(org, health)) } }
        @let environments = app.parts.engine.environments();
        @if !environments.is_empty() {
            h2 { "Alcmeon" }
            div.cards { @for (source, health) in &environments { (environment(source, health)) } }
        }
    };
    visit.page("Organizations", Section::Orgs, &content)
}

fn card(org: &Arc<Org>, health: &OrgHealth) -> Markup {
    html! {
        article.card aria-labelledby={ "org-" (org.id) } {
            div.head {
                h2 id={ "org-" (org.id) } { (org.name) }
                (icon(&org.id, health.sync_errors.pending))
            }
            @if let Some(held) = &health.held_back_by {
                div.notice.bad {
                    b { "Nothing gets through: " } code { (held.refusal.code) } ": " (format::cut(&held.refusal.text))
                    ". The next try is not before " (format::time(held.next_probe_at)) "."
                }
            }
            @if let Some(why) = org.slowed() { div.notice { b { "It slows: " } (why) "." } }
            dl {
                dt { "Conversations" } dd { (going_on(health)) }
                dt { "Sync errors" }
                dd.counts {
                    (list_of(&org.id, ErrorState::Pending, health.sync_errors.pending)) ", "
                    (list_of(&org.id, ErrorState::Retrying, health.sync_errors.retrying)) ", "
                    (list_of(&org.id, ErrorState::Ignored, health.sync_errors.ignored))
                }
                dt { "Policy" } dd { a href={ "/policies#" (org.policy) } { (org.policy) } }
                dt { "Accounts" } dd { (accounts(org).join(", ")) }
                dt { "API usage" }
                dd {
                    @match org.salesforce.usage() {
                        Some(quota) => { (grouped(quota.used)) " of " (grouped(quota.allowed)) " calls in 24 hours" }
                        None => { "not known yet" }
                    }
                    "; " (counted(org.salesforce.calls(), "call", "calls")) " by this host since its start"
                }
            }
            p.links { a href={ "/orgs/" (org.id) "/checks" } { "The first points to check" } }
        }
    }
}

fn environment(source: &SourceId, health: &EnvironmentHealth) -> Markup {
    let off = health.webhook.as_ref().is_some_and(|webhook| webhook.enabled == Some(false));
    html! {
        article.card aria-labelledby={ "source-" (source) } {
            div.head { h2 id={ "source-" (source) } { (source) } }
            @for trouble in health.trouble.iter().chain(&health.not_written) {
                div.notice.bad { (format::cut(trouble)) }
            }
            @if off { div.notice.bad { b { "Notifications are off. " } "Actions reach this host only when it asks for them." } }
            dl {
                dt { "Answered last" }
                dd { @match health.answered_at { Some(at) => { (format::time(at)) } None => { "not yet" } } }
                @if let Some(webhook) = &health.webhook {
                    dt { "Notifications" }
                    dd {
                        (match webhook.enabled {
                            Some(true) => "on",
                            Some(false) => "off",
                            None => "Alcmeon knows of no webhook that leads here",
                        })
                        @if let Some(last) = webhook.switched_on.last() {
                            "; disabled by Alcmeon and switched on again " (counted(webhook.switched_on.len() as u64, "time", "times"))
                            " in 24 hours, last " (format::time(*last))
                        }
                    }
                }
            }
        }
    }
}

fn list_of(org: &OrgId, state: ErrorState, count: u64) -> Markup {
    html! { a href={ "/sync-errors?org=" (org) "&state=" (state) } { (grouped(count)) " " (state) } }
}

/// The warning icon; it opens the sync error page.
fn icon(org: &OrgId, pending: u64) -> Markup {
    let said = match pending {
        0 => "no sync errors pending".to_owned(),
        _ => format!("{} pending", counted(pending, "sync error", "sync errors")),
    };
    html! {
        a href={ "/sync-errors?org=" (org) } class=(if pending == 0 { "warning" } else { "warning on" })
            aria-label=(said) title=(said) {
            svg viewBox="0 0 24 24" width="32" height="32" aria-hidden="true" focusable="false" {
                path.triangle d="M12 3.2 22 20.5H2Z" {}
                @if pending > 0 {
                    path.mark d="M12 9.5v5.2" {}
                    circle.dot cx="12" cy="17.6" r="1.15" {}
                }
            }
            @if pending > 0 { span.count { (grouped(pending)) } }
        }
    }
}

fn going_on(health: &OrgHealth) -> Markup {
    if health.idle() {
        return html! { "all settled, or waiting for somebody" };
    }
    html! {
        (health.waiting) " waiting, " (health.sending) " on their way, " (health.scheduled) " tried again later"
        @if health.unmerged > 0 { ", more just arrived" }
    }
}

/// Looks at the first points to check, now.
pub(super) async fn checks(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Id(id): Id<OrgId>,
) -> Result<Markup, Problem> {
    let (org, _) = app.parts.engine.org(&id)?;
    let report = app.parts.engine.check(&id).await?;
    let content = html! {
        h1 { "The first points to check: " (org.name) }
        p.hint { "Looked at " (format::time(report.checked_at)) ". Load the page again to look again." }
        @if report.retried > 0 {
            p.notice {
                (counted(report.retried, "sync error that waited for the connection is", "sync errors that waited for the connection are"))
                " tried again."
            }
        }
        (points(&report.checks))
        (authorization::button(&visit, &org, &app.callback()))
        p.links { a href={ "/sync-errors?org=" (id) } { "The sync errors of " (org.name) } }
    };
    Ok(visit.page(&format!("Checks of {}", org.name), Section::Orgs, &content))
}

fn points(checks: &[Check]) -> Markup {
    let rows = html! {
        @for check in checks {
            tr role="row" {
                th role="rowheader" scope="row" { (format::capital(&check.name.replace('-', " "))) }
                (cell("As it should be", &verdict(check.ok)))
                (cell("Found", &format::cut(&check.found)))
            }
        }
    };
    table(&["Point", "As it should be", "Found"], &rows)
}

fn verdict(ok: Option<bool>) -> Markup {
    match ok {
        Some(true) => html! { span.badge.resolved { "✓ ok" } },
        Some(false) => html! { span.badge.pending { "✗ not ok" } },
        None => html! { span.badge { "? unknown" } },
    }
}

/// Another attempt at every sync error of the organization.
pub(super) async fn retry_all(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OrgId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    let count = app.parts.engine.retry_all(&id, &caller.name).await?;
    Ok(back.with(Done::Retried(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_is_grey_while_nothing_is_pending_and_has_a_mark_and_a_count_otherwise() {
        let org = OrgId::new("shop").unwrap();
        let grey = icon(&org, 0).0;
        assert!(grey.contains("class=\"warning\"") && !grey.contains("mark") && !grey.contains("count"), "{grey}");
        assert!(grey.contains("aria-label=\"no sync errors pending\""), "{grey}");
        assert!(icon(&org, 1).0.contains("aria-label=\"1 sync error pending\""));
        let warning = icon(&org, 1_234).0;
        assert!(warning.contains("class=\"warning on\"") && warning.contains("class=\"mark\""), "{warning}");
        assert!(warning.contains("aria-label=\"1,234 sync errors pending\""), "{warning}");
        assert!(warning.contains(">1,234</span>") && warning.contains("href=\"/sync-errors?org=shop\""), "{warning}");
    }

    #[test]
    fn what_cannot_be_known_is_neither_ok_nor_not_ok() {
        let words = [Some(true), Some(false), None].map(|ok| verdict(ok).0);
        assert!(words[0].contains("✓ ok") && words[1].contains("✗ not ok") && words[2].contains("? unknown"));
    }
}
