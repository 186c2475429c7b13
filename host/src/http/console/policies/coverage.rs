//! What a policy covers: teams, channels and tags that it refuses, and lines of its text that nobody came by lately.

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};
use serde_json::Value;

use super::super::parts::format::{self, counted, grouped};
use super::super::parts::{Visit, cell, table};
use super::listing::{Mark, Marks, listing};
use super::shared::{known, page, texts_in_force, up};
use crate::domain::PolicyName;
use crate::engine::{Coverage, Uncovered};
use crate::http::App;
use crate::http::extract::Id;
use crate::http::problem::Problem;
use crate::policy::mapped_teams;

/// What is covered.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Id(name): Id<PolicyName>,
) -> Result<Markup, Problem> {
    known(&app, &name)?;
    let coverage = app.parts.engine.coverage(&name).await?;
    let toml = texts_in_force(&app, &name).map(|texts| texts.toml).unwrap_or_default();
    let refused = [("Team", &coverage.teams), ("Channel", &coverage.channels), ("Tag", &coverage.tags)];
    let content = html! {
        (up(&name))
        h1 { "What " (name) " covers" }
        p.hint {
            "It was asked where " (counted(coverage.looked_at as u64, "conversation", "conversations"))
            " of the last days would go. Nothing is changed by that."
        }
        @if refused.iter().all(|(_, found)| found.is_empty()) {
            p { "It has a queue, an owner or a reason for each of them." }
        }
        @for (what, found) in refused { @if !found.is_empty() { (refusals(what, found)) } }
        (unseen(&coverage))
        h2 { "Its teams, line by line" }
        (by_line(&name, &toml, &coverage))
    };
    Ok(page(&visit, &format!("What {name} covers"), &content))
}

fn refusals(what: &str, found: &[Uncovered]) -> Markup {
    let row = |of: &Uncovered| {
        html! {
            tr role="row" {
                th role="rowheader" scope="row" { @match &of.value { Some(value) => { (value) } None => { "none" } } }
                (cell("Refused", &html! { (grouped(of.refused as u64)) " of " (grouped(of.seen as u64)) }))
                (cell("It says", &html! { (format::cut(&says(&of.says))) }))
            }
        }
    };
    let rows = html! { @for of in found { (row(of)) } };
    html! { h2 { (what) "s that it refuses" } (table(&[what, "Refused", "It says"], &rows)) }
}

fn says(value: &Value) -> String {
    value.get("says").and_then(Value::as_str).map_or_else(|| value.to_string(), str::to_owned)
}

fn unseen(coverage: &Coverage) -> Markup {
    html! {
        @if !coverage.unseen_teams.is_empty() {
            h2 { "Teams that nobody wrote to yet, and that it would refuse" }
            ul { @for team in &coverage.unseen_teams { li { (team.team) " " span.hint { (team.source) } } } }
        }
    }
}

fn by_line(name: &PolicyName, toml: &str, coverage: &Coverage) -> Markup {
    let teams = mapped_teams(toml);
    let mut marks = Marks::new();
    for (team, mapped) in &teams {
        let words = match coverage.seen_teams.get(team) {
            None => "never decided: no conversation of this team was seen lately".to_owned(),
            Some(seen) => format!("{} of this team lately", counted(*seen as u64, "conversation", "conversations")),
        };
        let wrong = !coverage.seen_teams.contains_key(team);
        marks.entry(mapped.line).or_default().push(Mark { wrong, words });
    }
    html! {
        @if teams.is_empty() { p.hint { "Its text has no table of teams and queues." } }
        @else { (listing(&format!("{name}.toml"), toml, &marks)) }
    }
}
