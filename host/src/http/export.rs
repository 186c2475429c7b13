//! Everything that a query matches, as lines for other programs or as a table for people.

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;

use super::App;
use super::access::Caller;
use super::api::SyncError as View;
use super::error_query::ListAsked;
use super::filters::Exported;
use super::problem::Problem;
use crate::domain::{ErrorQuery, SyncError};
use crate::ledger::Paging;
use crate::store;

/// Sync errors that are read at a time.
const CHUNK: usize = 200;
/// The columns of the table.
const COLUMNS: [&str; 23] = [
    "id",
    "organization",
    "conversation",
    "message",
    "state",
    "class",
    "code",
    "text",
    "group",
    "team",
    "channel",
    "customer",
    "email",
    "phone",
    "policy",
    "revision",
    "first_seen",
    "last_seen",
    "next_attempt_at",
    "attempts",
    "affected_messages",
    "reason",
    "changed_by",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Lines,
    Table,
}

/// Reads an export page by page while it is sent.
struct Export {
    app: App,
    caller: Caller,
    query: ErrorQuery,
    format: Format,
    /// The next page; `None` at the end.
    paging: Option<Paging>,
    /// Whether the names of the columns are still to be sent.
    header: bool,
}

/// Why an export breaks off.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the token was revoked or has expired")]
    Ended,
}

/// Export sync errors
///
/// All that match, as they are read: what changes meanwhile is as it is then. `format=jsonl` has one sync error a line,
/// `format=csv` a table that spreadsheets take for no formulas. The answer ends early, and its connection with it, where it cannot
/// go on.
#[utoipa::path(get, path = "/v1/sync-errors/export", operation_id = "export_sync_errors", tag = "sync errors",
    params(Exported),
    responses((status = 200, description = "What matches.", content(
        (View = "application/x-ndjson"), (String = "text/csv")))))]
pub(super) async fn export(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    RawQuery(address): RawQuery,
) -> Result<Response, Problem> {
    let (mut format, mut rest) = (Format::Lines, Vec::new());
    for (name, value) in url::form_urlencoded::parse(address.unwrap_or_default().as_bytes()) {
        match (&*name, &*value) {
            ("format", "jsonl" | "") => format = Format::Lines,
            ("format", "csv") => format = Format::Table,
            ("format", _) => return Err(Problem::bad_request("format: neither jsonl nor csv")),
            ("cursor" | "limit", _) => return Err(Problem::bad_request(format!("{name}: an export has no pages"))),
            (name, value) => rest.push((name.to_owned(), value.to_owned())),
        }
    }
    let rest = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
    let asked = ListAsked::read(&app, &caller, &rest, true)?;
    let paging = Some(Paging { limit: CHUNK, ..asked.paging()? });
    let export = Export { app, caller, query: asked.query, format, paging, header: format == Format::Table };
    let pieces = stream::try_unfold(export, |mut export| async move {
        let piece = export.piece().await.inspect_err(|error| tracing::error!(%error, "an export breaks off"))?;
        Ok::<_, Broken>(piece.map(|piece| (piece, export)))
    });
    let (kind, name) = match format {
        Format::Lines => ("application/x-ndjson", "sync-errors.jsonl"),
        Format::Table => ("text/csv; charset=utf-8", "sync-errors.csv"),
    };
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

impl Export {
    /// The next piece; `None` at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Broken> {
        if std::mem::take(&mut self.header) {
            return Ok(Some(row(COLUMNS.map(str::to_owned).as_slice()).into()));
        }
        let Some(asked) = self.paging.take() else { return Ok(None) };
        if !self.app.access.stands(&self.caller) {
            return Err(Broken::Ended);
        }
        let page = self.app.parts.engine.ledger().sync_errors(&self.query, &asked).await?;
        self.paging = asked.next(&page);
        let mut piece = Vec::new();
        for error in page.items {
            match self.format {
                Format::Lines => {
                    piece.extend(serde_json::to_vec(&View::from(error)).unwrap_or_default());
                    piece.push(b'\n');
                }
                Format::Table => piece.extend(row(&cells(&error))),
            }
        }
        Ok(Some(piece.into()))
    }
}

fn cells(error: &SyncError) -> [String; 23] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let person = error.person.as_deref().cloned().unwrap_or_default();
    [
        error.id.to_string(),
        error.org.to_string(),
        error.conversation.to_string(),
        error.message.to_string(),
        error.state.to_string(),
        error.refusal.class.to_string(),
        error.refusal.code.clone(),
        error.refusal.text.clone(),
        error.group.to_string(),
        text(&error.team),
        error.channel.clone(),
        text(&person.name),
        text(&person.email),
        text(&person.phone),
        error.judged_by.as_ref().map(|policy| policy.name.to_string()).unwrap_or_default(),
        error.judged_by.as_ref().map(|policy| policy.revision.to_string()).unwrap_or_default(),
        error.first_seen.to_string(),
        error.last_seen.to_string(),
        error.next_attempt_at.map(|at| at.to_string()).unwrap_or_default(),
        error.attempts.to_string(),
        error.affected_count.to_string(),
        text(&error.reason),
        text(&error.touched_by),
    ]
}

/// A line of the table. What a spreadsheet would take for a formula begins with an apostrophe.
fn row(cells: &[String]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let harmless = |cell: &String| match cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        true => format!("'{cell}"),
        false => cell.clone(),
    };
    // A row in memory can always be written.
    let _ = writer.write_record(cells.iter().map(harmless));
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_a_spreadsheet_would_take_for_a_formula_is_a_text() {
        let cells = ["=HYPERLINK(\"http://x\")", "+33 6", "-1", "@SUM(1)", "\tx", "plain", "a,\"b\"\nc", ""];
        let line = String::from_utf8(row(&cells.map(str::to_owned))).unwrap();
        let expected = "\"'=HYPERLINK(\"\"http://x\"\")\",'+33 6,'-1,'@SUM(1),'\tx,plain,\"a,\"\"b\"\"\nc\",\r\n";
        assert_eq!(line, expected);
    }
}
