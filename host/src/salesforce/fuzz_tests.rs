//! Hands bytes in as what Salesforce answers: to a call of its REST API, and at the token endpoint.

use reqwest::header::HeaderValue;
use serde_json::Value;

use super::customers::rows;
use super::http::HttpAnswer;
use super::refusals::{
    Stage, Written, explain, is_salesforces, judge, may_be_about_a_dead_link, may_have_moved, outcome_unknown, parts,
    read, record, wants_fewer,
};
use super::transport::granted;
use crate::domain::{Cause, Contact, OrgId, Refusal, Scope};
use crate::foreign_json;

const STATUSES: [u16; 16] = [200, 201, 204, 207, 300, 302, 400, 401, 403, 404, 409, 414, 429, 500, 503, 504];
/// What a refusal may have as JSON: some thousand characters of words, fifty fields and fifty records, each quoted.
const REFUSAL: usize = 64 << 10;

/// An answer of the REST API: its first byte chooses the status, what follows is the body.
///
/// # Panics
/// When a refusal does not hold its bounds, or an answer that is broken is taken for a yes.
pub fn answers(bytes: &[u8]) {
    let Some((status, body)) = status_and_body(bytes) else { return };
    for refusal in explain(Some(status), &String::from_utf8_lossy(body)) {
        bounded(&refusal);
    }
    let json = match judge(Stage::Rest, Ok(HttpAnswer { status, body: body.to_vec(), ..HttpAnswer::default() })) {
        Ok(json) => json,
        Err(refusal) => return bounded(&refusal),
    };
    assert!(status < 300, "{status} says yes");
    let strict = serde_json::from_slice::<Value>(body).is_ok();
    assert!(strict || body.is_empty() || json.is_object() || json.is_array(), "{json} was made of a page");
    let list = foreign_json::elements(body).map(|elements| elements.len());
    for found in rows(json.clone()) {
        found.map_or_else(|refusal| bounded(&refusal), |contact| bounded_contact(&contact));
    }
    let is_list = json.is_array();
    let parts = parts(json);
    assert!(strict || !is_list || list == Some(parts.len()), "{list:?} elements made {} parts", parts.len());
    for part in parts {
        let yes = part.as_ref().is_ok_and(|part| part.get("success").is_none_or(|said| *said == Value::Bool(true)));
        assert!(yes || part.is_err(), "what does not say that it was done is taken for done");
        if let Err(refusal) = part.and_then(read::<Written>).and_then(|written| record(&written.id)) {
            bounded(&refusal);
        }
    }
}

/// An answer of the token endpoint, in the same way.
///
/// # Panics
/// When a refusal does not hold its bounds, or a token is taken that no call could carry.
pub fn tokens(bytes: &[u8]) {
    let Some((status, body)) = status_and_body(bytes) else { return };
    let outcome = judge(Stage::Token, Ok(HttpAnswer { status, body: body.to_vec(), ..HttpAnswer::default() }));
    match outcome.and_then(granted) {
        Ok((access, refresh, server)) => {
            let address = server.to_string();
            assert!(address.starts_with("https://") || address.starts_with("http://"), "{address}");
            for token in [Some(access), refresh].into_iter().flatten() {
                let shown = format!("Bearer {}", token.reveal());
                assert!(!token.is_blank() && HeaderValue::from_str(&shown).is_ok(), "no call could carry it");
            }
        }
        Err(refusal) => {
            assert_eq!(refusal.scope, Scope::Org, "without a token nothing gets through");
            bounded(&refusal);
        }
    }
}

fn status_and_body(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (first, body) = bytes.split_first()?;
    Some((STATUSES[usize::from(*first) % STATUSES.len()], body))
}

/// A refusal is kept with each conversation that it stopped, shown, and read back.
fn bounded(refusal: &Refusal) {
    let json = serde_json::to_vec(refusal).expect("JSON");
    assert!(json.len() <= REFUSAL, "a refusal of {} bytes", json.len());
    assert!(refusal.code.len() <= 400 && !refusal.code.is_empty(), "the code `{}`", refusal.code);
    assert!(serde_json::from_slice::<Refusal>(&json).expect("a refusal") == *refusal, "it reads back as another one");
    let org = OrgId::new("fuzzed").expect("a name");
    let cause = Cause::new(&org, refusal).identify();
    assert!(cause.title.len() <= 120 && cause.text.len() <= 1024, "{cause:?}");
    let _ = (super::advice(refusal), wants_fewer(refusal), may_be_about_a_dead_link(refusal));
    let _ = (outcome_unknown(refusal), may_have_moved(refusal), is_salesforces(refusal));
}

/// What is told to a policy, and kept where its choice fails.
fn bounded_contact(contact: &Contact) {
    let texts = [Some(&contact.name), contact.email.as_ref(), contact.phone.as_ref()];
    assert!(texts.into_iter().flatten().all(|text| text.len() <= 3 * 255), "a contact whose texts have no end");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Bodies that begin as those of Salesforce, of which any part may be missing, broken or longer than anybody wants.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let word = prop::sample::select(vec![
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "\"success\":",
            "\"errors\":",
            "\"statusCode\":",
            "\"errorCode\":",
            "\"message\":",
            "\"fields\":",
            "\"id\":",
            "\"records\":",
            "\"Id\":",
            "\"error\":",
            "\"error_description\":",
            "\"access_token\":",
            "\"refresh_token\":",
            "\"instance_url\":",
            "\"https://a.example\"",
            "\"compositeResponse\":",
            "\"httpStatusCode\":",
            "true",
            "false",
            "null",
            "tru",
            "1e999",
            "400",
            "\"UNABLE_TO_LOCK_ROW\"",
            "\"invalid_grant\"",
            "\"001000000000001AAA\"",
            "\"\\ud83d\"",
            "\"\\u0001 cut",
            "\"",
            "<html>",
        ]);
        let long = "[a-z\u{e9}]{1,3}".prop_map(|text| format!("\"{}\"", text.repeat(3_000)).into_bytes());
        let piece = prop_oneof![
            12 => word.prop_map(|word| word.as_bytes().to_vec()),
            1 => long,
            1 => prop::collection::vec(any::<u8>(), 1..4),
        ];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_answer_makes_a_refusal_without_end_or_a_yes_of_what_is_broken(status in any::<u8>(), body in body()) {
            super::answers(&[&[status], body.as_slice()].concat());
            super::tokens(&[&[status], body.as_slice()].concat());
        }
    }
}
