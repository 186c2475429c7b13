//! The list that a sync error was opened from: the one before, the next one, and the way back.

use maud::{Markup, html};

use super::list_address::{address, with_fields};
use super::parts::format::counted;
use super::parts::{Icon, icon};
use crate::domain::{ErrorQuery, SyncError, SyncErrorId};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::error_query::ListAsked;
use crate::http::problem::Problem;
use crate::ledger::{Cursor, Paging};

/// What is around a sync error in a list.
pub(super) struct Around {
    query: ErrorQuery,
    total: Option<u64>,
    previous: Option<SyncErrorId>,
    next: Option<SyncErrorId>,
}

/// Finds them by its place, which it keeps whatever becomes of it. Nothing where it was opened from no list.
pub(super) async fn of(
    app: &App,
    caller: &Caller,
    list: Option<&str>,
    error: &SyncError,
) -> Result<Option<Around>, Problem> {
    let Some(list) = list else { return Ok(None) };
    let Ok(ListAsked { query, newest_first, .. }) = ListAsked::read(app, caller, list, false) else { return Ok(None) };
    let place = || (error.first_seen, error.id.clone());
    let (ledger, mut found, mut total) = (app.parts.engine.ledger(), Vec::new(), None);
    for cursor in [Cursor::before(place(), &query, newest_first), Cursor::behind(place(), &query, newest_first)] {
        let page = ledger.error_summaries(&query, &Paging { newest_first, cursor: Some(cursor), limit: 1 }).await?;
        total = page.total;
        found.push(page.items.into_iter().next().map(|error| error.id));
    }
    let (next, previous) = (found.pop().flatten(), found.pop().flatten());
    Ok(Some(Around { query, total, previous, next }))
}

/// The links to them.
pub(super) fn links(around: &Option<Around>) -> Markup {
    let Some(Around { query, total, previous, next }) = around else {
        return html! { nav.pages aria-label="The list" { a href="/sync-errors" { "All errors" } } };
    };
    let list = with_fields(query, &[]);
    let there = |id: &SyncErrorId| {
        let list = url::form_urlencoded::Serializer::new(String::new()).append_pair("list", &list).finish();
        format!("/sync-errors/{id}?{list}")
    };
    html! {
        nav.pages aria-label="The list" {
            a href=(address(query, None)) {
                "Back to the list" @if let Some(total) = total { " of " (counted(*total, "sync error", "sync errors")) }
            }
            @if let Some(id) = previous { a href=(there(id)) rel="prev" { (icon(Icon::Previous)) "Previous" } }
            @if let Some(id) = next { a href=(there(id)) rel="next" { "Next" (icon(Icon::Next)) } }
        }
    }
}
