//! Several calls in one that know nothing of each other; each is final as it is done.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::calls::Call;
use super::composite;
use super::org::Org;
use super::refusal::Refusal;

/// Calls in one batch.
const LIMIT: usize = 25;

/// POST /composite/batch
pub(crate) fn run(org: &mut Org, call: &Call, version: u32) -> Result<Answer, Refusal> {
    let body = call.object()?;
    let halt = body.get("haltOnError").and_then(Value::as_bool).unwrap_or(false);
    let Some(requests) = body.get("batchRequests").and_then(Value::as_array) else {
        return Err(Refusal::new("MISSING_ARGUMENT", "The batchRequests field is required"));
    };
    if requests.len() > LIMIT {
        return Err(Refusal::new("LIMIT_EXCEEDED", format!("No more than {LIMIT} subrequests in one batch.")));
    }
    let mut failed = false;
    let mut results = Vec::with_capacity(requests.len());
    for request in requests {
        let result = if failed && halt {
            let message = "The batch processing was halted by an error in a subrequest.";
            Err(Refusal::with_status(StatusCode::PRECONDITION_FAILED.as_u16(), "BATCH_PROCESSING_HALTED", message))
        } else {
            one(org, call, request)
        };
        failed |= result.is_err();
        let answer = result.unwrap_or_else(|refusal| refusal.answer(version));
        results.push(json!({"statusCode": answer.status, "result": answer.body}));
    }
    Ok(Answer::json(200, json!({"hasErrors": failed, "results": results})))
}

fn one(org: &mut Org, call: &Call, request: &Value) -> Result<Answer, Refusal> {
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let headers: Map<String, Value> =
        call.headers.iter().filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?)))).collect();
    // The address may leave out `/services/data`.
    let url = match text("url").trim_start_matches('/') {
        url if url.starts_with("services/") => format!("/{url}"),
        url => format!("/services/data/{url}"),
    };
    let mark = org.mark();
    let inner = call.inner(text("method"), &url, Some(&headers), request.get("richInput"))?;
    let result = composite::run_inner(org, &inner);
    if result.is_err() {
        org.roll_back(mark);
        org.totals.refused += 1;
    }
    result
}
