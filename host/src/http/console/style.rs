//! The page of the parts, in the demo only: whoever changes a class sees what it is for.

use axum::Extension;
use axum::extract::State;
use maud::{Markup, html};

use super::parts::format;
use super::parts::{Icon, Section, Visit, cell, icon, spark, table};
use crate::domain::{Class, State as ErrorState, Timestamp};
use crate::http::App;
use crate::http::api::Hour;
use crate::http::problem::Problem;

/// All parts, each with its classes.
pub(super) async fn show(State(app): State<App>, Extension(visit): Extension<Visit>) -> Result<Markup, Problem> {
    if !app.shows_parts {
        return Err(Problem::not_found("there is nothing at this address"));
    }
    let now = app.parts.clock.now();
    let content = html! {
        h1 { "The parts of the console" }
        p.hint { "Space goes in steps of 4 px, type has four sizes, and a colour is named by what it means." }
        h2 { "Colours" }
        div.swatches { @for name in COLOURS { span.swatch { span class={ "colour " (name) } {} code { (name) } } } }
        h2 { "Type" }
        p.title { "Title, 1.5 rem" } p.large { "Large, 1.125 rem" } p { "Text, 0.9375 rem" } p.hint { "Small, 0.8125 rem (.hint)" }
        h2 { "Icons" }
        div.swatches { @for of in Icon::ALL { span.swatch { (icon(of)) code { (format!("{of:?}")) } } } }
        h2 { "What can be done" }
        div.actions {
            button type="button" { (icon(Icon::Retry)) "Retry these 800" }
            button.quiet type="button" { (icon(Icon::Ignore)) "Ignore these 800" }
            button.danger type="button" { "Erase 3 conversations" }
            button type="button" disabled { "Not now" }
        }
        h2 { "How something stands" }
        p {
            @for state in ErrorState::ALL { (format::state(state)) " " }
            @for class in [Class::Record, Class::Auth] { (format::class(class)) " " }
            span.badge.wait { "wait" } " " span.badge.good { "good" } " " span.badge.bad { "bad" }
        }
        div.notice { div { ".notice: what was done, and what became of it" } }
        div.notice.good { div { ".notice.good" } }
        div.notice.wait { div { ".notice.wait" } }
        div.notice.bad { div { ".notice.bad" } }
        (numbers(now))
        (tables(now))
        (fields())
    };
    Ok(visit.page("Parts", Section::Other, &content))
}

const COLOURS: [&str; 12] =
    ["page", "paper", "raised", "ink", "soft", "line", "edge", "link", "good", "bad", "amber", "note"];

fn numbers(now: Timestamp) -> Markup {
    let hours: Vec<_> = (0..14_u64).map(|day| hour(now, day)).collect();
    html! {
        h2 { "Numbers" }
        ul.figures { li { b { "5,487" } span.hint { "pending" } } li { b { "12" } span.hint { "causes" } } }
        p { (spark(&hours, now)) }
        progress max="100" value="40" aria-label="40 of 100" {}
        p { meter min="0" max="100" value="40" aria-label="40 of 100" {} }
    }
}

/// An hour of each of the last days, in which more and more failed.
fn hour(now: Timestamp, day: u64) -> Hour {
    let from = Timestamp::from_millis(now.as_millis().saturating_sub((13 - day) * 86_400_000));
    Hour { from, failures: u32::try_from(day * day).unwrap_or(u32::MAX) }
}

fn tables(now: Timestamp) -> Markup {
    let row = html! {
        tr role="row" { (cell("Point", &html! { "A table, whose rows are cards on a phone" })) (cell("When", &format::time(now))) }
    };
    html! {
        h2 { "Tables" }
        (table(&["Point", "When"], &row))
        table.lines role="table" {
            thead role="rowgroup" { tr role="row" {
                th.w-l role="columnheader" scope="col" { "Customer" } th role="columnheader" scope="col" { "What is wrong" }
                th.w-s role="columnheader" scope="col" { "Last seen" }
            } }
            tbody role="rowgroup" { tr role="row" {
                td.main role="cell" { div { "table.lines" } }
                td.main role="cell" { div { "One line of 40 px for each, which ends in dots where there is no room for all of it" } }
                td.side role="cell" { div { (format::time(now)) } }
            } }
        }
    }
}

fn fields() -> Markup {
    html! {
        h2 { "Forms" }
        form.filters method="get" action="/style" {
            label { "A field" input name="field" value="text"; }
            label { "A choice" select name="choice" { option { "one" } option { "another" } } }
            label { input type="checkbox" name="box"; " A box" }
            button.quiet type="submit" { "Show" }
        }
        ul.tabs { li { a href="/style" aria-current="page" { "Here" } } li { a href="/style" { "Elsewhere" } } }
        div.empty { p { b { "There is none." } } }
    }
}
