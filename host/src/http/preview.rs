//! Previews: what would change if other texts were in force, a page at a time.
//!
//! A preview changes nothing, so it ends when whoever asked hangs up.

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::App;
use super::access::Caller;
use super::extract::{self, Asked, Id};
use super::policies::Texts;
use super::problem::Problem;
use crate::domain::{PolicyName, PolicySource};
use crate::engine;
use crate::ledger::{Cursor, Paging};

/// Sync errors of a page where nobody says how many, and the most that may be asked for.
const PAGE: usize = 1_000;
const LARGEST_PAGE: usize = 10_000;
/// From so many sync errors on, snapshots of the candidate save more time than they take.
const MANY: u64 = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct View {
    #[serde(flatten)]
    preview: engine::Preview,
    /// Asks for the next page, with the same texts; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What would change if these texts were in force. Nothing is written anywhere.
pub(super) async fn preview(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Asked(part): Asked<Part>,
    extract::Json(texts): extract::Json<Texts>,
) -> Result<Json<View>, Problem> {
    let limit = part.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: {limit} is not from 1 to {LARGEST_PAGE}")));
    }
    let (policies, engine) = (&app.parts.policies, &app.parts.engine);
    let source = texts.source(&app, &caller)?;
    let (made_of, query) = (digest(&name, &source), engine.previewed(&name));
    let cursor = part.cursor.as_deref().map(|text| {
        let (of, place) = text.split_once('~')?;
        Cursor::parse(place, query.as_ref()?, true).filter(|_| of == made_of)
    });
    let cursor = match cursor {
        Some(None) => return Err(Problem::bad_request("cursor: it is of another preview; begin anew without it")),
        Some(cursor) => cursor,
        None => None,
    };
    if cursor.is_none() {
        // Its plugins may be others than those of an earlier preview of the same texts.
        policies.drop_candidate(&made_of).await;
    }
    let open = match &query {
        Some(query) => engine.open_errors(query).await?,
        None => 0,
    };
    let candidate = match open > MANY {
        true => policies.candidate_for_many(made_of.clone(), name.clone(), source).await?,
        false => policies.candidate(name.clone(), source).await?,
    };
    let preview = engine.preview(&name, &candidate, Paging { newest_first: true, cursor, limit }).await?;
    let next_cursor = preview.next.as_ref().map(|next| format!("{made_of}~{next}"));
    if next_cursor.is_none() {
        policies.drop_candidate(&made_of).await;
    }
    Ok(Json(View { preview, next_cursor }))
}

/// What tells previews of other texts, or of other policies, apart.
fn digest(name: &PolicyName, PolicySource { toml, scripts, .. }: &PolicySource) -> String {
    let said = serde_json::to_vec(&(name, toml, scripts)).unwrap_or_default();
    hex::encode(&Sha256::digest(said)[..8])
}
