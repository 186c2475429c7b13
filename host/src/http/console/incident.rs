//! What is wrong with organizations as a whole, and the one thing to do about it.

use std::cmp::Reverse;
use std::sync::Arc;

use maud::{Markup, html};

use super::authorization;
use super::list_address::{parked_address, parked_link};
use super::parts::format::{self, counted};
use super::parts::{Icon, Visit, icon};
use crate::domain::{Class, OrgId};
use crate::engine::{IncidentHealth, Org, OrgHealth};
use crate::http::App;
use crate::http::access::Scope;

/// So many organizations with an incident are named above a list; home has all of them.
const NAMED: usize = 3;

/// Whether nothing gets through until somebody authorizes the organization anew.
pub(super) fn is_dead(incident: &IncidentHealth) -> bool {
    incident.refusal.class == Class::Auth && !incident.recovering
}

/// What is wrong, since when, how many wait, and when it is looked at again. What can be done about it stands in it.
pub(super) fn what_is_wrong(
    org: &OrgId,
    health: &OrgHealth,
    incident: &IncidentHealth,
    what_to_do: Option<&Markup>,
) -> Markup {
    let words = counted(health.parked, "conversation waits", "conversations wait");
    let parked = html! { a href=(parked_address(Some(org))) { (words) } };
    if incident.recovering {
        return html! {
            div.notice.wait { div { b { "Conversations get through again: " } (parked) " for a place since the incident." } }
        };
    }
    html! {
        div.notice.bad {
            div {
                (icon(Icon::Incident)) " "
                b { "Nothing gets through" } ": " code { (incident.refusal.code) } " " (format::cut(&incident.refusal.text)) ". It began " (format::time(incident.since)) "."
                p.hint {
                    (parked) "; "
                    @match incident.next_probe_at {
                        Some(at) => { "it is looked at again " (format::time(at)) "." }
                        None => { "just now is looked whether it still holds." }
                    }
                }
            }
            @if let Some(what_to_do) = what_to_do { div.actions { (what_to_do) } }
        }
    }
}

/// An organization to which nothing gets through, with the one thing to do.
pub(super) fn incident(app: &App, visit: &Visit, (org, health): &(Arc<Org>, OrgHealth)) -> Markup {
    let Some(incident) = &health.incident else { return html! {} };
    let what_to_do = html! {
        @if is_dead(incident) { (authorization::button(visit, org, &app.callback())) }
        @if visit.may(Scope::Errors) {
            form method="post" action={ "/orgs/" (org.id) "/checks" } {
                (visit.way_back())
                button.quiet type="submit" { (icon(Icon::Search)) "Look now" }
            }
        }
        a.button.quiet href={ "/orgs/" (org.id) "/checks" } { "The first points to check" }
    };
    html! {
        section aria-label=(org.name) {
            h2 { bdi { (org.name) } }
            (what_is_wrong(&org.id, health, incident, Some(&what_to_do)))
        }
    }
}

/// What stands above a list that is about these organizations: the incident of the only one, else a line for each that has one.
pub(super) fn above_list(app: &App, visit: &Visit, meant: &[&(Arc<Org>, OrgHealth)]) -> Markup {
    html! {
        div #incidents data-live {
            @match meant {
                [one] => { (incident(app, visit, one)) }
                _ => { (lines(meant)) }
            }
        }
    }
}

/// Those through which nothing gets first, and of these the ones that hold most back.
fn lines(meant: &[&(Arc<Org>, OrgHealth)]) -> Markup {
    let mut held: Vec<_> = meant.iter().filter_map(|(org, it)| Some((org, it.parked, it.incident.as_ref()?))).collect();
    held.sort_by_key(|(_, parked, incident)| (incident.recovering, Reverse(*parked)));
    html! {
        @for (org, parked, incident) in held.iter().take(NAMED) {
            div class={ "notice " (if incident.recovering { "wait" } else { "bad" }) } {
                div {
                    b {
                        @if incident.recovering { "Conversations get through again to " } @else { "Nothing gets through to " }
                        a href={ "/sync-errors?org=" (org.id) } { bdi { (org.name) } }
                    }
                    ": " (parked_link(Some(&org.id), *parked)) "."
                }
            }
        }
        @if held.len() > NAMED { p { a href="/" { "and " (held.len() - NAMED) " more" } } }
    }
}
