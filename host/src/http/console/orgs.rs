//! The first page: how each organization stands; and the first points to check of one.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};

use super::authorization;
use super::parts::format::{self, counted, grouped};
use super::parts::{Back, Done, Section, Visit, cell, table};
use super::quarantine;
use crate::domain::{OrgId, SourceId, State as ErrorState};
use crate::engine::{Check, EnvironmentHealth, IncidentHealth, Org, OrgHealth};
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::extract::{Form, Id};
use crate::http::orgs::accounts;
use crate::http::problem::Problem;
use crate::troubles::Trouble;

/// All organizations.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
) -> Result<Markup, Problem> {
    let (mut orgs, mut departed) = (app.parts.engine.orgs(), app.parts.engine.departed());
    orgs.retain(|(org, _)| caller.sees(&org.id));
    departed.retain(|(org, _)| caller.sees(org));
    let sees_everything = caller.orgs().is_none();
    let content = html! {
        h1 { "Organizations" }
        @if sees_everything { @for trouble in app.parts.troubles.of(None) { (notice(&trouble)) } }
        @if orgs.is_empty() { p { "No organization is connected. Add one to the configuration." } }
        div.cards { @for (org, health) in &orgs { (card(&app, org, health)) } }
        @if !departed.is_empty() {
            h2 { "No longer connected" }
            p.hint { "They have records and are not in the configuration: nothing is sent for them." }
            div.cards { @for (org, health) in &departed { (departed_card(org, health)) } }
        }
        @let environments = app.parts.engine.environments();
        @if sees_everything && !environments.is_empty() {
            h2 { "Alcmeon" }
            div.cards { @for (source, health) in &environments { (environment(source, health)) } }
        }
        @if sees_everything { (quarantine::link(&app).await?) }
    };
    Ok(visit.page("Organizations", Section::Home, &content))
}

/// Something that an operator can cure.
fn notice(trouble: &Trouble) -> Markup {
    html! {
        div.notice.bad {
            b { (trouble.subject) ": " } (format::cut(&trouble.what)) ", since " (format::time(trouble.since)) ". "
            b { "What to do: " } (format::cut(&trouble.cure)) "."
        }
    }
}

/// An organization that is only on record.
fn departed_card(org: &OrgId, health: &OrgHealth) -> Markup {
    html! {
        article.card aria-labelledby={ "org-" (org) } {
            div.head { h2 id={ "org-" (org) } { (org) } }
            dl {
                dt { "Sync errors" }
                dd.counts { (lists_of(org, health)) }
            }
        }
    }
}

fn card(app: &App, org: &Arc<Org>, health: &OrgHealth) -> Markup {
    html! {
        article.card aria-labelledby={ "org-" (org.id) } {
            div.head {
                h2 id={ "org-" (org.id) } { (org.name) }
                (icon(&org.id, health))
            }
            @if let Some(incident) = &health.incident { (what_is_wrong(health, incident)) }
            @for trouble in app.parts.troubles.of(Some(&org.id)) { (notice(&trouble)) }
            @if let Some(why) = org.slowed() { div.notice { b { "It slows: " } (why) "." } }
            dl {
                dt { "Conversations" } dd { (going_on(health)) }
                dt { "Sync errors" }
                dd.counts { (lists_of(&org.id, health)) }
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

/// What is wrong with the organization as a whole, and what happens next.
fn what_is_wrong(health: &OrgHealth, incident: &IncidentHealth) -> Markup {
    let parked = counted(health.parked, "conversation waits", "conversations wait");
    if incident.recovering {
        return html! {
            div.notice { b { "Conversations get through again: " } (parked) " for a place since the incident." }
        };
    }
    html! {
        div.notice.bad {
            b { "Nothing gets through: " } code { (incident.refusal.code) } ": " (format::cut(&incident.refusal.text))
            ". Since " (format::time(incident.since)) "; " (parked) "; "
            @match incident.next_probe_at {
                Some(at) => { "the next look whether it still holds is not before " (format::time(at)) "." }
                None => { "just now is looked whether it still holds." }
            }
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

fn lists_of(org: &OrgId, health: &OrgHealth) -> Markup {
    html! {
        (list_of(org, ErrorState::Pending, health.sync_errors.pending)) ", "
        (list_of(org, ErrorState::Retrying, health.sync_errors.retrying)) ", "
        (list_of(org, ErrorState::Ignored, health.sync_errors.ignored))
    }
}

fn list_of(org: &OrgId, state: ErrorState, count: u64) -> Markup {
    html! { a href={ "/sync-errors?org=" (org) "&state=" (state) } { (grouped(count)) " " (state) } }
}

/// The warning icon; it opens the sync error page. It counts what is pending and what an incident holds back.
fn icon(org: &OrgId, health: &OrgHealth) -> Markup {
    let (pending, parked) = (health.sync_errors.pending, health.parked);
    let on = pending + parked > 0 || health.incident.is_some();
    let mut said = match pending {
        0 => "no sync errors pending".to_owned(),
        _ => format!("{} pending", counted(pending, "sync error", "sync errors")),
    };
    if health.incident.is_some() {
        said = format!(
            "{said}, {} for the end of an incident",
            counted(parked, "conversation waits", "conversations wait")
        );
    }
    html! {
        a href={ "/sync-errors?org=" (org) } class=(if on { "warning on" } else { "warning" })
            aria-label=(said) title=(said) {
            svg viewBox="0 0 24 24" width="32" height="32" aria-hidden="true" focusable="false" {
                path.triangle d="M12 3.2 22 20.5H2Z" {}
                @if on {
                    path.mark d="M12 9.5v5.2" {}
                    circle.dot cx="12" cy="17.6" r="1.15" {}
                }
            }
            @if pending + parked > 0 { span.count { (grouped(pending + parked)) } }
        }
    }
}

fn going_on(health: &OrgHealth) -> Markup {
    if health.idle() {
        return html! { "all settled, or waiting for somebody" };
    }
    html! {
        (health.waiting) " waiting, " (health.sending) " on their way, " (health.scheduled) " tried again later"
        @if health.parked > 0 { ", " (grouped(health.parked)) " parked" }
        @if health.retrying_all > 0 { ", " (grouped(health.retrying_all)) " still to be retried" }
        @if health.unmerged > 0 { ", more just arrived" }
    }
}

/// The first points to check, as somebody found them last. Looking changes nothing; the button looks anew.
pub(super) async fn checks(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Id(id): Id<OrgId>,
) -> Result<Markup, Problem> {
    let (org, health) = app.parts.engine.org(&id)?;
    let report = app.parts.engine.last_report(&id)?;
    let content = html! {
        h1 { "The first points to check: " (org.name) }
        @if let Some(incident) = &health.incident { (what_is_wrong(&health, incident)) }
        @match &report {
            Some(report) => {
                p.hint { "Looked at " (format::time(report.checked_at)) "." }
                @if report.retried > 0 {
                    p.notice {
                        (counted(report.retried, "conversation that waited for the connection was", "conversations that waited for the connection were"))
                        " tried again then."
                    }
                }
                (points(&report.checks))
            }
            None => { p.empty { "Nobody has looked since this host started." } }
        }
        @if visit.may(Scope::Errors) {
            form method="post" action={ "/orgs/" (id) "/checks" } {
                (visit.way_back())
                button type="submit" { "Look now" }
            }
        }
        (authorization::button(&visit, &org, &app.callback()))
        p.links { a href={ "/sync-errors?org=" (id) } { "The sync errors of " (org.name) } }
    };
    Ok(visit.page(&format!("Checks of {}", org.name), Section::Home, &content))
}

/// Looks at the first points to check, now.
pub(super) async fn look(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<OrgId>,
    Form(back): Form<Back>,
) -> Result<Redirect, Problem> {
    app.parts.engine.check(&id, &caller.asker()).await?;
    Ok(back.with(&Done::Looked))
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
    let (_, operation) = app.parts.engine.retry_all(&id, &caller.asker()).await?;
    Ok(back.with(&operation.map_or(Done::Looked, Done::Began)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_is_grey_while_nothing_waits_for_a_person_and_has_a_mark_and_a_count_otherwise() {
        let org = OrgId::new("shop").unwrap();
        let icon = |pending, parked| {
            let mut health = OrgHealth { parked, ..OrgHealth::default() };
            health.sync_errors.pending = pending;
            super::icon(&org, &health).0
        };
        let grey = icon(0, 0);
        assert!(grey.contains("class=\"warning\"") && !grey.contains("mark") && !grey.contains("count"), "{grey}");
        assert!(grey.contains("aria-label=\"no sync errors pending\""), "{grey}");
        assert!(icon(1, 0).contains("aria-label=\"1 sync error pending\""));
        let warning = icon(1_200, 34);
        assert!(warning.contains("class=\"warning on\"") && warning.contains("class=\"mark\""), "{warning}");
        assert!(warning.contains("aria-label=\"1,200 sync errors pending\""), "{warning}");
        assert!(warning.contains(">1,234</span>") && warning.contains("href=\"/sync-errors?org=shop\""), "{warning}");
    }

    #[test]
    fn what_cannot_be_known_is_neither_ok_nor_not_ok() {
        let words = [Some(true), Some(false), None].map(|ok| verdict(ok).0);
        assert!(words[0].contains("✓ ok") && words[1].contains("✗ not ok") && words[2].contains("? unknown"));
    }
}
