//! The one function that says what an answer of Salesforce means; nobody else looks at a status or at an error's code.

mod complaints;

use serde_json::Value;

use self::complaints::{Complaint, collect};
use super::{body, rules};
use crate::domain::{AnswerReceived, Class, Refusal, Scope};
use crate::salesforce::http::{HttpAnswer, HttpError};
use crate::salesforce::soql::cut;

/// How much of Salesforce's words is kept, in characters.
const WORDS_KEPT: usize = 2000;
/// How many fields, and how many records, a refusal names.
const NAMES_KEPT: usize = 50;

/// What answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The token endpoint: `{error, error_description}`.
    Token,
    /// The REST API: `[{errorCode, message, fields}]`, or per record `{success, errors}`.
    Rest,
}

/// The JSON of an answer that says yes (`null` for an empty body), or else the refusal.
pub(crate) fn judge(stage: Stage, outcome: Result<HttpAnswer, HttpError>) -> Result<Value, Refusal> {
    let (refusal, status, request_id, answer) = match outcome {
        Err(error) => (unanswered(&error), None, None, None),
        Ok(answer) => match said(stage, &answer) {
            Ok(json) => return Ok(json),
            Err(refusal) => {
                let received = answer.received();
                (refusal, Some(answer.status), answer.request_id, Some(received))
            }
        },
    };
    // Without a token nothing gets through, whatever the reason.
    let scope = if stage == Stage::Token { Scope::Org } else { refusal.scope };
    Err(Refusal { scope, status, request_id, answer, ..refusal })
}

/// Whether a write may have been refused because a record that it leads to is not there any more. Triggers and flows
/// repeat the code in their words.
#[must_use]
pub fn may_be_about_a_dead_link(refusal: &Refusal) -> bool {
    const CODES: [&str; 5] = [
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "MALFORMED_ID",
        "FIELD_INTEGRITY_EXCEPTION",
    ];
    CODES.iter().any(|code| refusal.code == *code || refusal.text.contains(code))
}

/// Whether a write that was refused like this may have been carried out all the same.
#[must_use]
pub fn outcome_unknown(refusal: &Refusal) -> bool {
    match refusal.code.as_str() {
        // The first connection was never made, and a page in place of a redirect's aim is none of Salesforce's answers.
        "CONNECTION_FAILED" | "UNSENDABLE" => false,
        code if code.starts_with("HTTP_") => refusal.class == Class::Transient && !code.starts_with("HTTP_3"),
        "TIMEOUT" | "CONNECTION_BROKE_OFF" | "UNREADABLE_ANSWER" | "ANSWER_TOO_LARGE" | "BROKEN_OFF" => true,
        _ => refusal.class == Class::Transient && refusal.status.is_some_and(|status| status >= 500),
    }
}

/// Whether a refusal may come from an address that the organization has left: a new token names the present one.
pub(crate) fn may_have_moved(refusal: &Refusal) -> bool {
    match refusal.code.as_str() {
        "CONNECTION_FAILED" | "UNREADABLE_ANSWER" | "URL_NOT_RESET" | "ORG_NOT_OWNED_BY_INSTANCE" => true,
        code if code.starts_with("HTTP_") => matches!(refusal.status, Some(300..=407 | 409..=412 | 415)),
        _ => false,
    }
}

/// Whether it was Salesforce that refused, and not somebody else at its address or on the way there.
pub(crate) fn is_salesforces(refusal: &Refusal) -> bool {
    refusal.status.is_some() && !refusal.code.starts_with("HTTP_") && !may_have_moved(refusal)
}

/// Whether a call that was refused like this was certainly not carried out, so that it may be sent to another address.
pub(crate) fn not_carried_out(refusal: &Refusal) -> bool {
    !outcome_unknown(refusal) || refusal.status == Some(404)
}

fn said(stage: Stage, answer: &HttpAnswer) -> Result<Value, Refusal> {
    let json = body::json(&answer.body).filter(body::is_clear);
    Err(match (answer.status, json) {
        (200..=299, Some(json)) if json.get("success") != Some(&Value::Bool(false)) => return Ok(json),
        // Only these have no body.
        (204 | 205, None) if answer.body.is_empty() => return Ok(Value::Null),
        (200..=299, None) => {
            let what = if answer.body.is_empty() { "an empty body".to_owned() } else { raw(&answer.body) };
            let words = format!("HTTP {} with what is no answer of Salesforce: {what}", answer.status);
            Refusal::new(Class::Transient, "UNREADABLE_ANSWER", words).of_org()
        }
        (300, Some(json @ Value::Array(_))) => several(&json),
        (status, Some(json)) => refused(stage, status, &json).unwrap_or_else(|| by_status(answer, &json)),
        (_, None) => by_status(answer, &Value::Null),
    })
}

/// The parts of an answer that said yes as a whole, in its order: the elements of a collection, or the answers inside a
/// composite, a batch or the graphs. A part that was halted or rolled back with another passes by itself, for alone it may
/// get through; its words name the cause. A refusal has its own part as the answer, and nothing of the others; a part that cannot
/// be read says nothing of them.
pub(crate) fn parts(json: Value) -> Vec<Result<Value, Refusal>> {
    let mut all = Vec::new();
    let unfolded = unfold(json);
    let any_is_read = unfolded.iter().flatten().any(is_readable);
    for parts in unfolded {
        let parts: Vec<_> = parts.into_iter().map(|json| part(json, any_is_read)).collect();
        let mut causes = parts.iter().filter_map(|part| part.as_ref().err());
        let cause = causes.find(|refusal| !rules::follows(&refusal.code)).cloned();
        all.extend(parts.into_iter().map(|part| {
            part.map_err(|refusal| match &cause {
                Some(cause) if rules::follows(&refusal.code) => {
                    let text = format!("{} It was because of {}: {}", refusal.text, cause.code, cause.text);
                    Refusal { class: Class::Transient, text: cut(&text, WORDS_KEPT).to_owned(), ..refusal }
                }
                _ => refusal,
            })
        }));
    }
    all
}

/// The parts by what was done or undone together: each graph is a transaction of its own.
fn unfold(mut json: Value) -> Vec<Vec<Value>> {
    let mut list = |key: &str| match json.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => Some(items),
        _ => None,
    };
    if let Some(graphs) = list("graphs") {
        let response = |mut graph: Value| graph.get_mut("graphResponse").map(Value::take).unwrap_or_default();
        return graphs.into_iter().flat_map(|graph| unfold(response(graph))).collect();
    }
    match list("compositeResponse").or_else(|| list("results")) {
        Some(parts) => vec![parts],
        None => vec![if let Value::Array(items) = json { items } else { vec![json] }],
    }
}

fn is_readable(part: &Value) -> bool {
    part.is_object() && body::is_clear(part)
}

fn part(json: Value, any_is_read: bool) -> Result<Value, Refusal> {
    if !is_readable(&json) {
        let raw = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        let words = format!("what was answered about this record cannot be read: {}", cut(&raw, WORDS_KEPT / 2));
        let refusal = Refusal::new(Class::Transient, "UNREADABLE_ANSWER", words);
        // Where nothing can be read, it is not Salesforce that answers.
        return Err(if any_is_read { refusal } else { refusal.of_org() });
    }
    let status = json.get("httpStatusCode").or_else(|| json.get("statusCode")).and_then(Value::as_u64);
    let status = status.and_then(|status| u16::try_from(status).ok());
    let refused_by_status = status.is_some_and(|status| status >= 300 && status != 304);
    if !refused_by_status && json.get("success") != Some(&Value::Bool(false)) {
        return Ok(json);
    }
    let answer = Some(Box::new(AnswerReceived::of_part(&json)));
    if status == Some(300) {
        return Err(Refusal { status, answer, ..several(&json["body"]) });
    }
    let refusal = refused(Stage::Rest, status.unwrap_or(200), &json).unwrap_or_else(|| {
        let (class, scope) = rules::of_status(status.unwrap_or(200));
        let code = status.map_or("UNREADABLE_ANSWER".to_owned(), |status| format!("HTTP_{status}"));
        Refusal { scope, ..Refusal::new(class, &code, cut(&json.to_string(), WORDS_KEPT)) }
    });
    Err(Refusal { status, answer, ..refusal })
}

/// No answer: whether the request was carried out is unknown, and an upsert may simply be sent again.
fn unanswered(error: &HttpError) -> Refusal {
    let words = error.to_string();
    match error {
        HttpError::TimedOut(_) => Refusal::new(Class::Transient, "TIMEOUT", words).of_org(),
        HttpError::NotConnected(_) => Refusal::new(Class::Transient, "CONNECTION_FAILED", words).of_org(),
        HttpError::BrokeOff(_) => Refusal::new(Class::Transient, "CONNECTION_BROKE_OFF", words).of_org(),
        HttpError::Unsendable(_) => Refusal::new(Class::Request, "UNSENDABLE", words),
        HttpError::TooLarge => Refusal::new(Class::Transient, "ANSWER_TOO_LARGE", words).of_org(),
    }
}

/// 300: more than one record has this external id; the body lists their paths and nothing was written.
fn several(json: &Value) -> Refusal {
    let paths = json.as_array().into_iter().flatten().filter_map(Value::as_str);
    let records: Vec<String> =
        paths.filter_map(|path| path.rsplit('/').next()).take(NAMES_KEPT).map(|id| cut(id, 18).to_owned()).collect();
    let words = "more than one record has this external id: is its field unique?";
    Refusal { records, ..Refusal::new(Class::Config, "DUPLICATE_EXTERNAL_ID", words) }
}

/// What a body of JSON complains of; `None` where it complains of nothing, or not in a way that is Salesforce's.
fn refused(stage: Stage, status: u16, json: &Value) -> Option<Refusal> {
    let mut complaints = Vec::new();
    collect(stage, json, &mut complaints);
    // An entry that was only rolled back with its sibling is never the cause.
    let cause = complaints.iter().position(|one| !rules::follows(&one.code));
    let Some(cause) = cause else {
        // Where all were halted, the one whose reference led nowhere says why.
        let lost = complaints.iter().position(|one| one.text.to_lowercase().contains("reference specified"));
        let class = if lost.is_some() { Class::Request } else { Class::Transient };
        let follower = complaints.into_iter().nth(lost.unwrap_or(0))?;
        return Some(Refusal::new(class, &follower.code, cut(&follower.text, WORDS_KEPT)));
    };
    let Complaint { code, text, mut fields, mut records } = complaints.swap_remove(cause);
    let known = rules::of(&code, &text, &fields).filter(|known| known.class != Class::Unclassified);
    let (class, scope) = match known {
        // A session that has ended is a 401, in every language; 403 says that no session will do.
        Some(known) if known.class == Class::Auth && stage == Stage::Rest && status == 403 => {
            (Class::Config, known.scope)
        }
        Some(known) => (known.class, known.scope),
        None if stage == Stage::Token => (rules::of_token_error(status), Scope::Org),
        None => match rules::of_status(status) {
            // A gateway's status says more than a code that nobody knows; a plain 500 does not.
            passing @ (Class::Transient, _) if status != 500 => passing,
            _ => (Class::Unclassified, Scope::Record),
        },
    };
    fields.truncate(NAMES_KEPT);
    for id in rules::ids_in(&text) {
        if records.iter().all(|known| known != id) {
            records.push(id.to_owned());
        }
    }
    records.truncate(NAMES_KEPT);
    // What nobody knows is kept as it came.
    let text = if known.is_none() { json.to_string() } else { text };
    Some(Refusal { scope, fields, records, ..Refusal::new(class, cut(&code, 100), cut(&text, WORDS_KEPT)) })
}

/// An HTML page, an empty body, or JSON that complains of nothing in Salesforce's way.
fn by_status(answer: &HttpAnswer, json: &Value) -> Refusal {
    let (class, scope) = match (answer.status, json.get("message")) {
        // Without a code too, the text says whether a new token would help.
        (401, Some(Value::String(words))) => rules::of("INVALID_SESSION_ID", words, &[])
            .map_or_else(|| rules::of_status(401), |known| (known.class, known.scope)),
        (status, _) => rules::of_page(status, answer.body.is_empty()),
    };
    let text = match (&answer.location, answer.body.is_empty()) {
        // Without the query: what a redirect carries may be a token.
        (Some(to), _) => format!("redirected to {}", cut(to.split(['?', '#']).next().unwrap_or_default(), 200)),
        (None, true) => format!("HTTP {} with an empty body", answer.status),
        (None, false) => raw(&answer.body),
    };
    Refusal { scope, ..Refusal::new(class, &format!("HTTP_{}", answer.status), text) }
}

fn raw(body: &[u8]) -> String {
    // Four bytes a character at most, so this never reads more than it needs.
    let head = &body[..body.len().min(WORDS_KEPT * 4)];
    cut(&String::from_utf8_lossy(head), WORDS_KEPT).to_owned()
}

#[cfg(test)]
mod tests;
