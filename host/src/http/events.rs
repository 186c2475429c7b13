//! What changed, told to clients as it happens: server-sent events, from now on or from where a client has read to.

mod filter;
mod frame;
mod listener;
mod seats;
mod tail;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use self::filter::Filter;
use self::frame::Place;
use self::listener::{HEARTBEAT, Listener};
pub(super) use self::seats::Listeners;
pub(super) use self::tail::Tail;
use super::App;
use super::api::Event;
use super::caller::Caller;
use super::problem::Problem;

/// Listen to what changes
///
/// Server-sent events: sync errors, causes, incidents, operations and policies, each as soon as it would survive a power cut, in one
/// order over all organizations. Without `Last-Event-ID` they come from now on; with it, those that followed. Where these are not
/// kept any more (the newest 100,000 are), or the id is of another store, the first event is a `reset`: read the lists anew. An id
/// without an event comes at first, and every 15 seconds. A stream ends when the host stops, and when its token does; a client that
/// takes nothing for 30 seconds is cut off. Come again with the last id.
#[utoipa::path(get, path = "/v1/events", operation_id = "stream_events", tag = "events",
    params(Filter, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was read.")),
    responses((status = 200, description = "Events, as they come.", content((Event = "text/event-stream")))))]
pub(super) async fn listen(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    mut filter: Filter,
) -> Result<Response, Problem> {
    caller.narrow(&app, &mut filter.orgs)?;
    let after = headers.get("last-event-id").filter(|id| !id.is_empty()).map(Place::read).transpose()?;
    let seat = app.listeners.admit(caller.identity())?;
    // A token ends, or is taken away, while a stream goes on.
    let may = {
        let app = app.clone();
        Box::new(move || app.access.stands(&caller))
    };
    let listener = Listener::new(&app.tail, filter, after, may, app.stopping.clone(), HEARTBEAT);
    let pieces = stream::unfold((listener, seat), |(mut listener, seat)| async move {
        let piece = listener.piece().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), (listener, seat)))
    });
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(pieces)).into_response())
}

#[cfg(test)]
mod tests;
