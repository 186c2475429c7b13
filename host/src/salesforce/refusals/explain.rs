//! What this host would make of an answer that somebody has at hand: a body from a log, a ticket or a thread.

use serde_json::{Value, json};

use super::classify::{Stage, judge, parts};
use super::rules;
use crate::domain::Refusal;
use crate::salesforce::http::HttpAnswer;

/// The refusals in an answer, one for each part that says no; none where it says yes.
///
/// The body is JSON as Salesforce sends it, a page, or `CODE: words` as logs have it. Where no status is known, it is the
/// one that such a body comes with.
#[must_use]
pub fn explain(status: Option<u16>, body: &str) -> Vec<Refusal> {
    let body = body.trim();
    let json = serde_json::from_str::<Value>(body).ok().or_else(|| from_log(body));
    let stage = match &json {
        Some(Value::Object(one)) if one.contains_key("error") && !one.contains_key("errorCode") => Stage::Token,
        _ => Stage::Rest,
    };
    let status = status.unwrap_or_else(|| if json.as_ref().is_some_and(is_of_parts) { 200 } else { 400 });
    let body = json.map_or_else(|| body.as_bytes().to_vec(), |json| json.to_string().into_bytes());
    match judge(stage, Ok(HttpAnswer { status, body, ..HttpAnswer::default() })) {
        Ok(json) => parts(json).into_iter().filter_map(Result::err).collect(),
        Err(refusal) => vec![refusal],
    }
}

/// Whether it is the answer to a call of many records or calls, or one element of it.
fn is_of_parts(json: &Value) -> bool {
    let part = |one: &Value| one.get("success").is_some();
    let several = ["compositeResponse", "results", "graphs"].iter().any(|key| json.get(key).is_some());
    several || part(json) || json.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(part))
}

/// `CODE: words` or `CODE, words`, as logs and screens show a refusal.
fn from_log(line: &str) -> Option<Value> {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(line.len());
    let (code, rest) = line.split_at(end);
    let words = rest.trim_start_matches([':', ',', ' ', '-']);
    let is_code =
        code.len() > 2 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if is_code {
        return Some(json!([{ "errorCode": code, "message": words }]));
    }
    let of_token = code.contains('_') && rules::of(code, words, &[]).is_some();
    of_token.then(|| json!({ "error": code, "error_description": words }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Class;

    #[test]
    fn a_body_is_explained_however_it_was_copied() {
        for (status, body, class) in [
            (
                None,
                r#"[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access"}]"#,
                Class::Transient,
            ),
            (None, "UNABLE_TO_LOCK_ROW: unable to obtain exclusive access", Class::Transient),
            (None, "INVALID_OPERATION, Cola no asociada: [OwnerId]", Class::Config),
            (None, r#"{"error":"invalid_grant","error_description":"inactive user"}"#, Class::Auth),
            (None, "invalid_grant: expired access/refresh token", Class::Auth),
            (
                None,
                r#"{"success":false,"errors":[{"statusCode":"STRING_TOO_LONG","message":"too long"}]}"#,
                Class::Record,
            ),
            (Some(200), "<html>maintenance</html>", Class::Transient),
            (Some(403), "<html>blocked</html>", Class::Transient),
            (Some(503), "", Class::Transient),
        ] {
            let refusals = explain(status, body);
            assert_eq!(refusals.iter().map(|one| one.class).collect::<Vec<_>>(), [class], "{body}");
        }
        assert_eq!(explain(Some(200), r#"[{"id":"003000000000001AAA","success":true,"errors":[]}]"#), []);
        assert_eq!(explain(None, r#"[{"success":true},{"success":false,"errors":[]}]"#).len(), 1);
    }
}
