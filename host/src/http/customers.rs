//! Customers who ask what is kept of them, or to be forgotten.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::{CustomerList, Erasure, ErasureRequest, OfCustomer as View};
use super::error_query::{PAGE, not_empty};
use super::extract::{self, Asked, page_size};
use super::problem::Problem;
use crate::domain::{ConversationId, OrgId};
use crate::ledger::OfCustomer;

/// Conversations of one page, and of one erasure, at most.
pub(super) const MOST: usize = 100;
/// The longest text that is looked for, in bytes.
const LONGEST: usize = 200;

/// What an erasure does not reach.
pub(super) const NOT_REACHED: [&str; 3] = [
    "Salesforce: the records that conversations became there are not changed",
    "the source: its own copy is its owner's to erase, and a message that the customer sends later is kept again",
    "backups and exports of this host that were made before",
];

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// The source's id of the customer, how a word of their name, or an address, begins, a contact of Salesforce, a conversation or a message.
    #[param(min_length = 2, max_length = 200)]
    pub(super) q: String,
    #[param(value_type = Option<OrgId>)]
    pub(super) org: Option<String>,
    /// Conversations of a page; 50 without it.
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<usize>,
    /// The `next_cursor` of a page.
    pub(super) cursor: Option<String>,
}

/// Find what is kept of a customer
///
/// Their conversations, with a sync error or without, in all organizations that the token is for, and what is kept of each. At most
/// 1,000 are found, 200 where a name only begins so: `complete` says whether there are more.
#[utoipa::path(get, path = "/v1/customers", operation_id = "find_customer", tag = "customers", params(Query),
    responses((status = 200, description = "Conversations.", body = CustomerList)))]
pub(super) async fn find(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<Query>,
) -> Result<Json<CustomerList>, Problem> {
    not_empty(query.org.as_deref())?;
    page(&app, &caller, &query).await.map(Json)
}

/// A page of what is found.
pub(super) async fn page(app: &App, caller: &Caller, query: &Query) -> Result<CustomerList, Problem> {
    let limit = page_size(query.limit, PAGE, MOST)?;
    let q = query.q.trim();
    if !(2..=LONGEST).contains(&q.chars().count()) {
        return Err(Problem::bad_request(format!(
            "q: give from 2 to {LONGEST} characters of a name, an address, a number or an id"
        )));
    }
    let org = query.org.as_deref().filter(|org| !org.is_empty()).map(OrgId::new).transpose();
    let org = org.map_err(|error| Problem::bad_request(format!("org: {error}")))?;
    let orgs = seen(app, caller, org).await?;
    let found = app.parts.engine.ledger().find_customer(&orgs, q).await?;
    let total = found.items.len();
    let after = query.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let place = |of: &OfCustomer| format!("{}/{}", of.org, of.id);
    let after = after.map(place_of).transpose()?;
    let left = found.items.into_iter();
    let mut left: Vec<_> =
        left.filter(|of| after.as_ref().is_none_or(|(org, id)| (&of.org, &of.id) > (org, id))).collect();
    let more = left.len() > limit;
    left.truncate(limit);
    let next_cursor = left.last().filter(|_| more).map(place);
    let mut conversations = Vec::with_capacity(left.len());
    for of in left {
        conversations.push(view(app, of).await?);
    }
    Ok(CustomerList { conversations, total: total as u64, complete: found.is_complete, next_cursor })
}

fn place_of(cursor: &str) -> Result<(OrgId, ConversationId), Problem> {
    let parts = cursor.split_once('/').and_then(|(org, id)| Some((org.parse().ok()?, id.parse().ok()?)));
    parts.ok_or_else(|| {
        Problem::bad_request(format!("cursor: `{cursor}` is not one that a list gave as its next_cursor"))
    })
}

/// The organizations that a caller sees, or the one of them that is meant.
async fn seen(app: &App, caller: &Caller, org: Option<OrgId>) -> Result<Vec<OrgId>, Problem> {
    let mut orgs: BTreeSet<_> = org.into_iter().collect();
    caller.narrow(app, &mut orgs)?;
    if orgs.is_empty() {
        return Ok(app.parts.engine.ledger().orgs().await?);
    }
    Ok(orgs.into_iter().collect())
}

pub(super) async fn view(app: &App, of: OfCustomer) -> Result<View, Problem> {
    let engine = &app.parts.engine;
    let pages = engine.ledger().audit_pages(&of.org, &of.id).await?;
    let connected = engine.org(&of.org).ok().map(|(org, _)| org);
    let records = connected.map(|org| org.salesforce.pages(&of.delivery.records)).unwrap_or_default();
    let OfCustomer { org, id, conversation, delivery } = of;
    let said = conversation.iter().flat_map(|of| &of.messages);
    let messages = said.filter(|message| !message.body.is_empty()).count() as u64;
    let last_message_at = conversation.as_ref().and_then(|of| of.newest()).map(|message| message.sent_at);
    let erased_until = conversation.as_ref().and_then(|of| of.erased_until);
    let channel = conversation.as_ref().map(|of| of.channel.clone());
    let who = conversation.map(|of| of.customer).unwrap_or_default();
    Ok(View {
        org,
        conversation: id,
        customer: Some(who.id).filter(|id| !id.is_empty()),
        name: who.name,
        email: who.email,
        phone: who.phone,
        channel,
        last_message_at,
        messages,
        sync_errors: delivery.errors.into(),
        audit_entries: pages.iter().map(|(_, page)| page.entries.len() as u64).sum(),
        records: records.into_iter().map(Into::into).collect(),
        erased_until,
    })
}

/// Erase what is kept of a customer
///
/// What was said in conversations and who said it: messages, names, addresses, what sync errors, audits and reasons have of them, what
/// is in the quarantine, and answers that are kept for idempotency. That there was a conversation, its ids and what happened to it
/// stay. It is kept in order to be done before it is answered, and cannot be undone.
#[utoipa::path(post, path = "/v1/erasures", operation_id = "erase", tag = "customers", request_body = ErasureRequest,
    responses((status = 202, description = "They are erased, or will be.", body = Erasure)))]
pub(super) async fn erase(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    extract::Json(ErasureRequest { conversations, org }): extract::Json<ErasureRequest>,
) -> Result<(StatusCode, Json<Erasure>), Problem> {
    let found = named(&app, &caller, &conversations, org).await?;
    Ok((StatusCode::ACCEPTED, Json(erased(&app, &caller, &found).await?)))
}

/// Where conversations are that a caller names.
pub(super) async fn named(
    app: &App,
    caller: &Caller,
    ids: &[ConversationId],
    org: Option<OrgId>,
) -> Result<Vec<OfCustomer>, Problem> {
    if !(1..=MOST).contains(&ids.len()) {
        return Err(Problem::invalid(format!("conversations: name from 1 to {MOST} of them")));
    }
    let ids: BTreeSet<_> = ids.iter().collect();
    let orgs = seen(app, caller, org).await?;
    let places = orgs.iter().flat_map(|org| ids.iter().map(move |id| (org.clone(), (*id).clone()))).collect();
    let found = app.parts.engine.ledger().of_places(places).await?;
    match ids.into_iter().find(|id| found.iter().all(|of| of.id != **id)) {
        Some(unknown) => Err(Problem::not_found(format!("nothing is known of conversation {unknown}"))),
        None => Ok(found),
    }
}

/// Erases them.
pub(super) async fn erased(app: &App, caller: &Caller, found: &[OfCustomer]) -> Result<Erasure, Problem> {
    let erasing = app.parts.engine.erase(found, &caller.asker()).await?;
    let (asked, waiting) = (erasing.asked as u64, erasing.waiting as u64);
    Ok(Erasure { asked, erased: asked - waiting, not_reached: NOT_REACHED.map(str::to_owned).into() })
}
