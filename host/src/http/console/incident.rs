//! What is wrong with an organization as a whole, and the one thing to do about it.

use maud::{Markup, html};

use super::parts::format::{self, counted};
use super::parts::{Icon, icon};
use crate::engine::{IncidentHealth, OrgHealth};

/// What is wrong, since when, how many wait, and when it is looked at again. What can be done about it stands in it.
pub(super) fn what_is_wrong(health: &OrgHealth, incident: &IncidentHealth, what_to_do: Option<&Markup>) -> Markup {
    let parked = counted(health.parked, "conversation waits", "conversations wait");
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
