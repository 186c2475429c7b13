//! An organization, or an environment of Alcmeon, as a card of the home page.

use std::sync::Arc;

use maud::{Markup, html};

use super::list_address::parked_address;
use super::parts::Visit;
use super::parts::format::{self, counted, grouped};
use crate::domain::{OrgId, SourceId, State as ErrorState, Unsynced};
use crate::engine::{EnvironmentHealth, Org, OrgHealth};
use crate::http::App;
use crate::http::access::Scope;
use crate::http::orgs::accounts;
use crate::troubles::Trouble;

/// Something that an operator can cure.
pub(super) fn notice(trouble: &Trouble) -> Markup {
    html! {
        div.notice.bad {
            b { (trouble.subject) ": " } (format::cut(&trouble.what)) ", since " (format::time(trouble.since)) ". "
            b { "What to do: " } (format::cut(&trouble.cure)) "."
        }
    }
}

/// An organization that is only on record.
pub(super) fn departed_card(org: &OrgId, health: &OrgHealth) -> Markup {
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

/// A connected one: its icon, what is wrong with it, how much waits and how long, what of its limit is used.
pub(super) fn card(
    app: &App,
    visit: &Visit,
    (org, health): &(Arc<Org>, OrgHealth),
    oldest: Option<&Unsynced>,
) -> Markup {
    let silent: Vec<_> = app.parts.engine.sources(&org.id).into_iter().filter(|it| it.silent_since.is_some()).collect();
    html! {
        article.card id={ "card-" (org.id) } data-live aria-labelledby={ "org-" (org.id) } {
            div.head {
                h2 id={ "org-" (org.id) } { a.plain href={ "/sync-errors?org=" (org.id) } { bdi { (org.name) } } }
                (warning(&org.id, health))
            }
            @for trouble in app.parts.troubles.of(Some(&org.id)) { (notice(&trouble)) }
            @if let Some(why) = org.slowed() { div.notice.wait { div { b { "It slows: " } (why) "." } } }
            @for it in &silent {
                @if let Some(since) = it.silent_since {
                    div.notice.wait { div { b { (it.source) " is silent." } " It was heard of last " (format::time(since)) "." } }
                }
            }
            dl {
                dt { "Sync errors" }
                dd.counts { (lists_of(&org.id, health)) }
                dt { "Conversations" } dd { (going_on(&org.id, health)) }
                @if let Some(oldest) = oldest {
                    dt { "Oldest" } dd { (super::conversation::link_to(&oldest.conversation, "the oldest that waits")) ", since " (format::time(oldest.since)) }
                }
                dt { "API calls" } dd { (usage(org)) }
                dt { "Policy" } dd { a href={ "/policies/" (org.policy()) } { (org.policy()) } }
                dt { "Accounts" } dd { (accounts(org).join(", ")) }
                @if let Some(mute) = org.settings.now().muted(app.parts.clock.now()) {
                    dt { "Mails" } dd { "muted; sent again " (format::time(mute.until)) }
                }
            }
            p.links {
                a href={ "/orgs/" (org.id) "/checks" } { "The first points to check" }
                a href={ "/orgs/" (org.id) "/settings" } { "Settings" }
                @let open = health.sync_errors.pending + health.sync_errors.retrying;
                @if visit.may(Scope::Errors) && open > 0 {
                    a href={ "/operations/new?task=retry&org=" (org.id) } { "Retry all " (grouped(open)) }
                }
            }
        }
    }
}

/// What of the organization's limit of 24 hours is used.
fn usage(org: &Org) -> Markup {
    let ours = counted(org.salesforce.calls(), "call", "calls");
    html! {
        @match org.salesforce.usage() {
            Some(quota) => {
                meter min="0" max=(quota.allowed) high=(quota.allowed / 10 * 8) value=(quota.used) aria-label="API calls used" {}
                " " (grouped(quota.used)) " of " (grouped(quota.allowed)) " in 24 hours; "
            }
            None => { "limit not known yet; " }
        }
        (ours) " by this host since its start"
    }
}

pub(super) fn environment(source: &SourceId, health: &EnvironmentHealth) -> Markup {
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
pub(super) fn warning(org: &OrgId, health: &OrgHealth) -> Markup {
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

fn going_on(org: &OrgId, health: &OrgHealth) -> Markup {
    html! {
        @match (health.idle(), health.sync_errors.pending, health.parked) {
            (true, 0, 0) => { "all settled" }
            (true, 0, _) => { "none on its way" }
            (true, ..) => { "none on its way: what is pending waits for somebody" }
            (false, ..) => {
                (health.waiting) " waiting, " (health.sending) " on their way, " (health.scheduled) " tried again later"
            }
        }
        @if health.parked > 0 { ", " a href=(parked_address(Some(org))) { (grouped(health.parked)) " parked" } }
        @if health.retrying_all > 0 { ", " (grouped(health.retrying_all)) " still to be retried" }
        @if health.unmerged > 0 { ", more just arrived" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::engine::IncidentHealth;

    #[test]
    fn all_is_settled_only_where_nothing_waits_for_anybody() {
        let org = OrgId::new("shop").unwrap();
        let refusal = crate::domain::Refusal::new(crate::domain::Class::Auth, "NOT_AUTHORIZED", "");
        let incident = IncidentHealth { since: Timestamp::default(), refusal, next_probe_at: None, recovering: false };
        let said = |pending, parked| {
            let incident = Some(incident.clone());
            let mut health = OrgHealth { parked, incident, ..OrgHealth::default() };
            health.sync_errors.pending = pending;
            going_on(&org, &health).0
        };
        let parked = "<a href=\"/parked?org=shop\">1,200 parked</a>";
        assert_eq!(said(0, 0), "all settled");
        assert_eq!(said(3, 0), "none on its way: what is pending waits for somebody");
        assert_eq!(said(0, 1_200), format!("none on its way, {parked}"));
        assert_eq!(said(3, 1_200), format!("none on its way: what is pending waits for somebody, {parked}"));
    }

    #[test]
    fn the_icon_is_grey_while_nothing_waits_for_a_person_and_has_a_mark_and_a_count_otherwise() {
        let org = OrgId::new("shop").unwrap();
        let icon = |pending, parked| {
            let mut health = OrgHealth { parked, ..OrgHealth::default() };
            health.sync_errors.pending = pending;
            warning(&org, &health).0
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
}
