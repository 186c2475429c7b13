//! The list that a sync error was opened from: the one before, the next one, and the way back.

use maud::{Markup, html};

use super::list_address::{address, address_in};
use super::parts::format::{counted, grouped};
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
    /// Its number in the list, as far as the address that it was opened by tells, and whether it is in the list still.
    at: Option<u64>,
    is_in: bool,
    total: Option<u64>,
    previous: Option<SyncErrorId>,
    next: Option<SyncErrorId>,
}

/// Finds them by its place, which it keeps whatever becomes of it. Nothing where it was opened from no list.
pub(super) async fn of(
    app: &App,
    caller: &Caller,
    list: Option<&str>,
    at: Option<u64>,
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
    let is_in = query.states.is_empty() || query.states.contains(&error.state);
    Ok(Some(Around { query, at, is_in, total, previous, next }))
}

impl Around {
    /// `3 of 107`: not where the list has become shorter than that.
    fn place(&self) -> Option<(u64, u64)> {
        self.at.filter(|_| self.is_in).zip(self.total).filter(|(at, total)| at <= total)
    }

    /// The address of another one in the list. The next one takes the place of one that is not in the list any more.
    fn there(&self, id: &SyncErrorId, by: i64) -> String {
        address_in(id, &self.query, self.at.and_then(|at| at.checked_add_signed(by)).filter(|at| *at > 0))
    }
}

/// The links to them.
pub(super) fn links(around: &Option<Around>) -> Markup {
    let Some(around) = around else {
        return html! { nav.pages aria-label="The list" { a href="/sync-errors" { "All errors" } } };
    };
    let next = i64::from(around.is_in);
    html! {
        nav.pages aria-label="The list" {
            a href=(address(&around.query, None)) data-key="b" {
                "Back to the list"
                @if let (None, Some(total)) = (around.place(), around.total) { " of " (counted(total, "sync error", "sync errors")) }
            }
            @if let Some((at, total)) = around.place() { span.hint { (grouped(at)) " of " (grouped(total)) } }
            @if let Some(id) = &around.previous { a href=(around.there(id, -1)) rel="prev" { (icon(Icon::Previous)) "Previous" } }
            @if let Some(id) = &around.next { a href=(around.there(id, next)) rel="next" { "Next" (icon(Icon::Next)) } }
        }
    }
}
