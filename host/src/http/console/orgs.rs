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

/// Points of which the same was found, that they are not as they should be or cannot be asked, are one line.
fn points(checks: &[Check]) -> Markup {
    let mut lines: Vec<(String, &Check)> = Vec::new();
    for check in checks {
        let name = check.name.replace('-', " ");
        let alike = |of: &Check| of.ok != Some(true) && of.ok == check.ok && of.found == check.found;
        match lines.iter_mut().find(|(_, of)| alike(of)) {
            Some((names, _)) => *names = format!("{names}, {name}"),
            None => lines.push((format::capital(&name), check)),
        }
    }
    let rows = html! {
        @for (names, check) in &lines {
            tr role="row" {
                th role="rowheader" scope="row" { (names) }
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
    fn what_was_found_alike_is_one_line_unless_it_is_as_it_should_be() {
        let check = |name, ok, found: &str| Check { name, ok, found: found.to_owned() };
        let dead = "the token is dead";
        let checks = [
            check("accounts", Some(true), "fine"),
            check("api-access", Some(true), "fine"),
            check("package-fields", None, dead),
            check("queues", None, dead),
            check("token", Some(false), dead),
        ];
        let table = points(&checks).0;
        assert_eq!(table.matches(dead).count(), 2, "{table}");
        assert!(table.contains(">Package fields, queues</th>") && table.contains(">Token</th>"), "{table}");
        assert_eq!(table.matches("fine").count(), 2, "{table}");
    }

    #[test]
    fn what_cannot_be_known_is_neither_ok_nor_not_ok() {
        let words = [Some(true), Some(false), None].map(|ok| verdict(ok).0);
        assert!(words[0].contains("✓ ok") && words[1].contains("✗ not ok") && words[2].contains("? unknown"));
    }
}
