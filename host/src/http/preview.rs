//! Previews: what would change if other texts were in force, a page at a time.
//!
//! A preview changes nothing, so it ends when whoever asked hangs up.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::{PolicyTexts as Texts, Preview as View};
use super::extract::{self, Asked, Id, page_size};
use super::policies::source_of;
use super::problem::Problem;
use crate::domain::{PolicyName, PolicySource};
use crate::ledger::{Cursor, Paging};

/// Sync errors of a page where nobody says how many, and the most that may be asked for.
const PAGE: usize = 1_000;
const LARGEST_PAGE: usize = 10_000;
/// From so many sync errors on, snapshots of the candidate save more time than they take.
const MANY: u64 = 200;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// The `next_cursor` of a page, with the same texts.
    pub(super) cursor: Option<String>,
    /// Sync errors of a page; 1,000 without it.
    #[param(minimum = 1, maximum = 10_000)]
    pub(super) limit: Option<usize>,
}

/// Preview a policy
///
/// What would change if these texts were in force, over all sync errors that are not over and the newest conversations that got
/// through, in pages. Nothing is written anywhere.
#[utoipa::path(post, path = "/v1/policies/{name}/preview", operation_id = "preview_policy", tag = "policies",
    params(("name" = PolicyName, Path), Part), request_body = Texts,
    responses((status = 200, description = "A page of what would change.", body = View)))]
pub(super) async fn preview(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(name): Id<PolicyName>,
    Asked(part): Asked<Part>,
    extract::Json(texts): extract::Json<Texts>,
) -> Result<Json<View>, Problem> {
    let limit = page_size(part.limit, PAGE, LARGEST_PAGE)?;
    let (policies, engine) = (&app.parts.policies, &app.parts.engine);
    let source = source_of(&texts, &app, &caller)?;
    let (made_of, query) = (digest(&name, &source), engine.previewed(&name));
    let cursor = part.cursor.as_deref().filter(|cursor| !cursor.is_empty()).map(|text| {
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
    Ok(Json(View::of(preview, next_cursor)))
}

/// What tells previews of other texts, or of other policies, apart.
fn digest(name: &PolicyName, PolicySource { toml, scripts, .. }: &PolicySource) -> String {
    let said = serde_json::to_vec(&(name, toml, scripts)).unwrap_or_default();
    hex::encode(&Sha256::digest(said)[..8])
}
