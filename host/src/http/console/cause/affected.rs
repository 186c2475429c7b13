//! Who is affected by a cause: the customers whose conversations failed last, and what they wrote.

use maud::{Markup, html};

use crate::domain::SyncError;
use crate::http::App;
use crate::http::console::notices::who;
use crate::http::console::parts::format;
use crate::http::problem::Problem;

/// Those that failed last, the newest first, each with its last words for who may read them.
pub(crate) async fn affected(app: &App, samples: &[SyncError], may: bool) -> Result<Markup, Problem> {
    let of: Vec<_> = samples.iter().map(|error| (&error.org, &error.conversation)).collect();
    let said = if may { app.parts.engine.ledger().last_words(&of).await? } else { vec![None; of.len()] };
    if samples.is_empty() {
        return Ok(html! { p.empty { "None of those that failed last is on record any more." } });
    }
    let head = |class: &str, words: &str| html! { th class=(class) role="columnheader" scope="col" { (words) } };
    Ok(html! {
        table.lines role="table" {
            thead role="rowgroup" {
                tr role="row" {
                    (head("w-l", "Customer"))
                    @if may { (head("", "Last words")) }
                    (head("w-s", "Channel")) (head("w-s", "Team")) (head("w-s", "Failed")) (head("w-s", "State"))
                }
            }
            tbody role="rowgroup" data-rows {
                @for (error, words) in samples.iter().zip(&said).rev() { (row(error, words.as_deref().unwrap_or_default(), may)) }
            }
        }
    })
}

fn row(error: &SyncError, words: &str, may: bool) -> Markup {
    let who = who(error);
    html! {
        tr role="row" data-key=(error.id) {
            td.main role="cell" title=(who) { div { a href={ "/sync-errors/" (error.id) } data-open { bdi { (who) } } } }
            @if may { td.main role="cell" title=(words) { div.soft { bdi { (words) } } } }
            td.side role="cell" { div { (error.channel) } }
            td.side role="cell" { div { bdi { (error.team.as_deref().unwrap_or_default()) } } }
            td.side role="cell" { div { (format::time(error.last_seen)) } }
            td.side role="cell" { div { (format::state(error.state)) } }
        }
    }
}
