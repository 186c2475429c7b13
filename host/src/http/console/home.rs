//! The first page: what is wrong now, since when, how much, whether it grows, and whether somebody is on it.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

use super::causes::condition;
use super::incident::incident;
use super::org_card::{card, departed_card, environment, notice};
use super::parts::format::{self, counted, grouped};
use super::parts::{Section, Visit, spark};
use super::quarantine;
use crate::domain::{Condition, ErrorCounts, Group, GroupOrder, GroupQuery, OrgId, Timestamp};
use crate::engine::{Org, OrgHealth};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::api::Hour;
use crate::http::orgs;
use crate::http::problem::Problem;

/// Organizations that the page shows; of more, those with the most that waits, and the others are a list of their own.
const CARDS: usize = 24;
/// Causes that the page shows.
const CAUSES: usize = 8;

/// What is wrong in the organizations that the caller sees, and those that need somebody most.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Extension(caller): Extension<Caller>,
) -> Result<Markup, Problem> {
    let engine = &app.parts.engine;
    let (mut orgs, mut departed) = (orgs::standing(&app, &caller), engine.departed());
    departed.retain(|(org, _)| caller.sees(org));
    let sees_everything = caller.orgs().is_none();
    if orgs.len() > CARDS {
        worst_first(&mut orgs);
    }
    let shown = &orgs[..orgs.len().min(CARDS)];
    let mut oldest = Vec::new();
    for (org, _) in shown {
        oldest.push(engine.oldest_unsynced(&org.id).await?);
    }
    let (causes, waiting) = causes(&app, &caller).await?;
    let troubles = if sees_everything { app.parts.troubles.of(None) } else { Vec::new() };
    let of_orgs = orgs.iter().map(|(org, _)| app.parts.troubles.of(Some(&org.id)).len()).sum::<usize>();
    let sources = orgs.iter().flat_map(|(org, _)| engine.sources(&org.id));
    let silent: BTreeSet<_> = sources.filter(|it| it.silent_since.is_some()).map(|it| it.source).collect();
    let healths: Vec<_> = orgs.iter().map(|(_, health)| health).collect();
    let content = html! {
        h1 #headline data-live { (headline(&healths, troubles.len() + of_orgs, silent.len())) }
        (figures(&healths))
        @for trouble in &troubles { (notice(trouble)) }
        div #incidents data-live { @for org in shown { (incident(&app, &visit, org)) } }
        @if !causes.is_empty() {
            div.head { h2 { "The causes that wait for somebody" } a href="/causes" { "All causes that wait: " (grouped(waiting as u64)) } }
            (table_of(&causes, orgs.len() > 1, &|id| {
                orgs.iter().find(|(org, _)| org.id == *id).map_or_else(|| id.to_string(), |(org, _)| org.name.clone())
            }, app.parts.clock.now()))
        }
        div.head {
            h2 { "Organizations" }
            @if orgs.len() > shown.len() { a href="/orgs" { "All " (grouped(orgs.len() as u64)) } }
        }
        @if orgs.is_empty() { p { "No organization is connected. Add one to the configuration." } }
        div.cards { @for (org, oldest) in shown.iter().zip(&oldest) { (card(&app, &visit, org, oldest.as_ref())) } }
        @if !departed.is_empty() {
            h2 { "No longer connected" }
            p.hint { "They have records and are not in the configuration: nothing is sent for them." }
            div.cards { @for (org, health) in departed.iter().take(CARDS) { (departed_card(org, health)) } }
        }
        @let environments = engine.environments();
        @if sees_everything && !environments.is_empty() {
            h2 { "Alcmeon" }
            div.cards { @for (source, health) in &environments { (environment(source, health)) } }
        }
        @if sees_everything { (quarantine::link(&app).await?) }
    };
    Ok(visit.page("Home", Section::Home, &content))
}

/// Organizations to which nothing gets through come first, then those of which the most waits.
pub(super) fn worst_first(orgs: &mut [(Arc<Org>, OrgHealth)]) {
    orgs.sort_by_key(|(_, health)| {
        let waits = health.sync_errors.pending + health.parked;
        Reverse((health.incident.is_some(), waits, health.sync_errors.retrying))
    });
}

/// The causes with the most that waits, and how many wait in all: those that are new, grow or are back, and then those that are known.
async fn causes(app: &App, caller: &Caller) -> Result<(Vec<Group>, usize), Problem> {
    let (ledger, now) = (app.parts.engine.ledger(), app.parts.clock.now());
    let open = [Condition::New, Condition::Escalating, Condition::Regressed, Condition::Ongoing];
    let mut query = GroupQuery { conditions: open.into(), ..GroupQuery::default() };
    caller.narrow(app, &mut query.orgs)?;
    // They are all read for any page.
    let mut found = ledger.group_page(&query, GroupOrder::Pending, None, usize::MAX, now).await?.items;
    found.retain(|group| group.counts.pending > 0);
    found.sort_by_key(|group| group.condition(now) == Condition::Ongoing);
    let waiting = found.len();
    found.truncate(CAUSES);
    Ok((found, waiting))
}

/// The answer to the question that everybody comes with: the worst there is. `troubles` are what an operator can cure.
fn headline(orgs: &[&OrgHealth], troubles: usize, silent: usize) -> String {
    let sum = |of: fn(&OrgHealth) -> u64| orgs.iter().map(|health| of(health)).sum::<u64>();
    let down = sum(|health| health.incident.as_ref().is_some_and(|it| !it.recovering).into());
    let recovering = sum(|health| health.incident.as_ref().is_some_and(|it| it.recovering).into());
    let (pending, parked) = (sum(|health| health.sync_errors.pending), sum(|health| health.parked));
    let (troubles, silent) = (troubles as u64, silent as u64);
    let organizations = |count| counted(count, "organization", "organizations");
    let sentences = [
        (down, format!("Nothing gets through to {}", organizations(down))),
        (pending, counted(pending, "sync error waits for somebody", "sync errors wait for somebody")),
        (parked, counted(parked, "conversation is parked", "conversations are parked")),
        (recovering, format!("Conversations get through again to {}", organizations(recovering))),
        (troubles, counted(troubles, "thing needs an operator", "things need an operator")),
        (silent, counted(silent, "source is silent", "sources are silent")),
    ];
    let worst = sentences.into_iter().find(|(count, _)| *count > 0);
    worst.map_or_else(|| "All is well".to_owned(), |(_, sentence)| sentence)
}

fn figures(orgs: &[&OrgHealth]) -> Markup {
    let sum = |of: fn(&OrgHealth) -> u64| orgs.iter().map(|health| of(health)).sum::<u64>();
    let counts = |of: fn(&ErrorCounts) -> u64| orgs.iter().map(|health| of(&health.sync_errors)).sum::<u64>();
    let figure = |count: u64, words: &str, address: &str| {
        html! { li { a.plain href=(address) { b { (grouped(count)) } span.hint { (words) } } } }
    };
    html! {
        ul.figures #figures data-live {
            (figure(counts(|it| it.pending), "pending", "/sync-errors?state=pending"))
            (figure(counts(|it| it.retrying), "retrying", "/sync-errors?state=retrying"))
            (figure(counts(|it| it.ignored), "ignored", "/sync-errors?state=ignored"))
            (figure(sum(|it| it.parked), "parked by an incident", "/parked"))
            (figure(sum(|it| it.waiting + it.sending), "on their way", "/"))
            (figure(sum(|it| it.operations as u64), "operations going on", "/operations"))
        }
    }
}

/// One line for each cause: what, how much, since when, and who is on it.
fn table_of(causes: &[Group], with_org: bool, name: &dyn Fn(&OrgId) -> String, now: Timestamp) -> Markup {
    html! {
        table.lines role="table" #causes data-live {
            thead role="rowgroup" {
                tr role="row" {
                    th role="columnheader" scope="col" { "Cause" }
                    @if with_org { th.w-l role="columnheader" scope="col" { "Organization" } }
                    th.w-s.number role="columnheader" scope="col" { "Pending" }
                    th.w-m role="columnheader" scope="col" { "Trend" }
                    th.w-s role="columnheader" scope="col" { "State" }
                    th.w-s role="columnheader" scope="col" { "Since" }
                    th.w-m role="columnheader" scope="col" { "Owner" }
                }
            }
            tbody role="rowgroup" {
                @for group in causes {
                    tr role="row" {
                        td.main role="cell" title=(group.title) {
                            div { a href={ "/causes/" (group.id) "?org=" (group.org) } { (group.title) } }
                        }
                        @if with_org { td.side role="cell" { div dir="auto" { (name(&group.org)) } } }
                        td.side.number role="cell" { div { b { (grouped(group.counts.pending)) } } }
                        td.rest role="cell" { div { (spark(&hours(group), now)) } }
                        td.side role="cell" { div { (condition(group.condition(now))) } }
                        td.side role="cell" { div { (format::time(group.first_seen)) } }
                        td.side role="cell" { div { bdi { (group.assignee.as_deref().unwrap_or("nobody")) } } }
                    }
                }
            }
        }
    }
}

/// When it failed, by hour.
fn hours(group: &Group) -> Vec<Hour> {
    group.failures.hours().map(|(from, failures)| Hour { from, failures }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, Refusal};
    use crate::engine::IncidentHealth;

    #[test]
    fn all_is_well_only_where_nothing_waits() {
        let org = |pending, parked, recovering: Option<bool>| {
            let refusal = Refusal::new(Class::Auth, "NOT_AUTHORIZED", "");
            let since = Timestamp::default();
            let incident =
                recovering.map(|recovering| IncidentHealth { since, refusal, next_probe_at: None, recovering });
            let mut health = OrgHealth { parked, incident, ..OrgHealth::default() };
            health.sync_errors.pending = pending;
            health
        };
        let (well, down) = (org(0, 0, None), org(3, 40, Some(false)));
        assert_eq!(headline(&[&well, &well], 0, 0), "All is well");
        assert_eq!(headline(&[], 0, 0), "All is well");
        assert_eq!(headline(&[&well, &down], 1, 1), "Nothing gets through to 1 organization");
        assert_eq!(headline(&[&down, &down], 0, 0), "Nothing gets through to 2 organizations");
        assert_eq!(headline(&[&org(1, 0, None), &well], 1, 0), "1 sync error waits for somebody");
        assert_eq!(headline(&[&org(1_200, 9, Some(true))], 0, 0), "1,200 sync errors wait for somebody");
        assert_eq!(headline(&[&org(0, 1, None)], 0, 0), "1 conversation is parked");
        assert_eq!(headline(&[&org(0, 40, Some(true))], 2, 2), "40 conversations are parked");
        assert_eq!(headline(&[&org(0, 0, Some(true))], 2, 2), "Conversations get through again to 1 organization");
        assert_eq!(headline(&[&well], 1, 2), "1 thing needs an operator");
        assert_eq!(headline(&[&well], 2, 2), "2 things need an operator");
        assert_eq!(headline(&[&well], 0, 1), "1 source is silent");
        assert_eq!(headline(&[&well], 0, 2), "2 sources are silent");
    }
}
