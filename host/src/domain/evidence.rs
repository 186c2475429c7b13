//! What was sent to Salesforce and what came back, as it is kept with a refusal: within a bound, and without secrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bounds::{MARK, cut};

/// How much of an answer's body is kept, in bytes.
pub const ANSWER_BYTES: usize = 8 * 1024;
/// The longest header that is kept, in bytes.
const HEADER_BYTES: usize = 256;
/// How deep JSON may be nested that is kept as JSON: what is deeper could not be read again within a record.
const DEPTH: usize = 32;

/// A request as it was sent, without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestSent {
    /// GET, PATCH, ...
    pub method: String,
    /// Path and query; never the host's credentials.
    pub path: String,
    /// The JSON body, `null` where there was none.
    pub body: Value,
}

/// An answer as it was received, without secrets. Of a call with many records it is the part about this one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerReceived {
    /// The HTTP status of the call.
    pub status: u16,
    /// Headers that say who answered, and what Salesforce's support asks for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body: as JSON, or as text where it is none or was cut off; `null` for none.
    pub body: Value,
    /// How many bytes the body had, where it was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_from: Option<usize>,
}

impl AnswerReceived {
    /// A whole answer.
    #[must_use]
    pub fn new(status: u16, headers: BTreeMap<String, String>, body: &[u8]) -> Self {
        let json = if body.len() <= ANSWER_BYTES { serde_json::from_slice(body).ok() } else { None };
        let answer = match json.filter(|json| fits(json, DEPTH)) {
            Some(json) => Self { body: json, ..Self::default() },
            None if body.is_empty() => Self::default(),
            // One byte beyond the bound is enough to know that there was more.
            None => Self::text(&String::from_utf8_lossy(&body[..body.len().min(ANSWER_BYTES + 1)]), body.len()),
        };
        answer.with(status, headers)
    }

    /// The part of an answer that is about one record; the call has status and headers.
    #[must_use]
    pub fn of_part(part: &Value) -> Self {
        let written = part.to_string();
        match written.len() <= ANSWER_BYTES && fits(part, DEPTH) {
            true => Self { body: part.clone(), ..Self::default() },
            false => Self::text(&written, written.len()),
        }
    }

    /// The same with the status and the headers of the call.
    #[must_use]
    pub fn with(mut self, status: u16, mut headers: BTreeMap<String, String>) -> Self {
        headers.values_mut().for_each(|value| cut(value, HEADER_BYTES));
        (self.status, self.headers) = (status, headers);
        self
    }

    fn text(text: &str, bytes: usize) -> Self {
        let is_cut = bytes > ANSWER_BYTES || text.len() > ANSWER_BYTES;
        // The last character may have been cut in two.
        let mut text = if is_cut { text.trim_end_matches('\u{fffd}').to_owned() } else { text.to_owned() };
        cut(&mut text, ANSWER_BYTES);
        if is_cut && !text.ends_with(MARK) {
            text.truncate(text.floor_char_boundary(ANSWER_BYTES - MARK.len_utf8()));
            text.push(MARK);
        }
        Self { body: Value::String(text), cut_from: is_cut.then_some(bytes), ..Self::default() }
    }
}

/// Whether JSON is nested no deeper than this, and reads back as it is written.
fn fits(json: &Value, depth: usize) -> bool {
    match json {
        Value::Number(number) => serde_json::from_str(&number.to_string()).is_ok_and(|read: Value| read == *json),
        Value::Array(items) => depth > 0 && items.iter().all(|item| fits(item, depth - 1)),
        Value::Object(fields) => depth > 0 && fields.values().all(|value| fits(value, depth - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn received(body: &[u8]) -> AnswerReceived {
        AnswerReceived::new(503, BTreeMap::new(), body)
    }

    #[test]
    fn json_stays_json_and_a_page_stays_text() {
        assert_eq!(received(br#"[{"errorCode": "X"}]"#).body, json!([{ "errorCode": "X" }]));
        assert_eq!(received(b"<h1>Down\x00</h1>").body, json!("<h1>Down</h1>"));
        assert_eq!(received(b"").body, Value::Null);
    }

    #[test]
    fn a_number_that_would_read_back_as_another_one_is_kept_as_text() {
        let long = "77000000000000000000000000005702597266304814269";
        assert_eq!(received(long.as_bytes()).body, json!(long));
        assert_eq!(received(b"[1, -2.5, 18446744073709551615]").body, json!([1, -2.5, 18_446_744_073_709_551_615_u64]));
    }

    #[test]
    fn what_is_longer_is_cut_between_characters_and_says_how_long_it_was() {
        for body in ["é".repeat(ANSWER_BYTES), format!("x{}", "é".repeat(ANSWER_BYTES)), "🙂".repeat(ANSWER_BYTES)]
        {
            let answer = received(body.as_bytes());
            let kept = answer.body.as_str().unwrap();
            assert!(
                kept.len() <= ANSWER_BYTES && kept.len() > ANSWER_BYTES - 8 && kept.ends_with('…'),
                "{}",
                kept.len()
            );
            assert!(!kept.contains('\u{fffd}'), "no half a character");
            assert_eq!(answer.cut_from, Some(body.len()));
        }
        let part = AnswerReceived::of_part(&json!({ "errors": ["y".repeat(ANSWER_BYTES)] }));
        assert!(part.body.is_string() && part.cut_from > Some(ANSWER_BYTES));
        assert_eq!(received("z".repeat(ANSWER_BYTES).as_bytes()).cut_from, None);
    }

    #[test]
    fn json_that_is_nested_too_deep_for_a_record_is_kept_as_text() {
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(received(deep.as_bytes()).body, json!(deep));
        let part = serde_json::from_str(&deep).unwrap();
        assert_eq!(AnswerReceived::of_part(&part).body, json!(deep));
    }
}
