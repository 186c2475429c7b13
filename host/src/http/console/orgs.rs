//! The first points to check of an organization.

use axum::Extension;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};

use super::authorization;
use super::incident::{is_dead, what_is_wrong};
use super::parts::format::{self, counted};
use super::parts::{Back, Done, Section, Visit, cell, table};
use crate::domain::OrgId;
use crate::engine::Check;
use crate::http::App;
use crate::http::access::{Caller, Scope};
use crate::http::extract::{Form, Id};
use crate::http::problem::Problem;

/// The first points to check, as somebody found them last. Looking changes nothing; the button looks anew.
pub(super) async fn checks(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Id(id): Id<OrgId>,
) -> Result<Markup, Problem> {
    let (org, health) = app.parts.engine.org(&id)?;
    let report = app.parts.engine.last_report(&id)?;
    let authorize = authorization::button(&visit, &org, &app.callback());
    // A dead token is what it is about: the button stands there.
    let at_incident = health.incident.as_ref().is_some_and(is_dead) && !authorize.0.is_empty();
    let content = html! {
        h1 { "The first points to check: " bdi { (org.name) } }
        div #incidents data-live {
            @if let Some(incident) = &health.incident {
                (what_is_wrong(&id, &health, incident, at_incident.then_some(&authorize)))
            }
        }
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
        @if !at_incident { (authorize) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_known_is_neither_ok_nor_not_ok() {
        let words = [Some(true), Some(false), None].map(|ok| verdict(ok).0);
        assert!(words[0].contains("✓ ok") && words[1].contains("✗ not ok") && words[2].contains("? unknown"));
    }
}
