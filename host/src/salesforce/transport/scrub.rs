//! Takes secrets out of a refusal, here and nowhere else: a proxy's error page may repeat what it was sent, and an answer of
//! Salesforce may hold what nobody asked for.

use serde_json::Value;

use crate::domain::{Refusal, Secret};

/// Stands where a secret was.
const REMOVED: &str = "[secret]";
/// A text that was cut may end within a secret: with so many of its characters at least.
const PREFIX: usize = 4;
/// What ends a text that was cut.
const MARK: char = '…';
/// Fields of JSON whose values are secrets, whoever gave them; in lower case, without underscores.
const FIELDS: [&str; 9] = [
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "sessionid",
    "clientsecret",
    "assertion",
    "password",
    "authorization",
    "sid",
];
/// What stands before a secret in a text, in lower case.
const BEFORE: [&str; 9] = [
    "bearer ",
    "authorization: basic ",
    "sid=",
    "_token=",
    "_token\":\"",
    "_token\": \"",
    "sessionid\":\"",
    "client_secret\":\"",
    "assertion\":\"",
];
/// What ends a secret in a text.
const AFTER: [char; 9] = ['"', '\'', '<', '>', '&', ';', ',', ')', '\\'];
/// The shortest secret that a text is known to hold by what stands before it; shorter ones are words.
const SHORTEST: usize = 16;
/// How the signs are written between the organization's id and the rest of a session's id.
const BANGS: [&str; 3] = ["!", "%21", "&#33;"];

/// The refusal without secrets in its words and its answer: those that were sent, and what looks like one.
pub(super) fn scrub<'a>(mut refusal: Refusal, secrets: impl IntoIterator<Item = &'a Secret>) -> Refusal {
    let sent: Vec<_> = secrets.into_iter().map(Secret::reveal).filter(|secret| !secret.is_empty()).collect();
    refusal.text = clean(&refusal.text, &sent);
    if let Some(answer) = &mut refusal.answer {
        answer.headers.values_mut().for_each(|value| *value = clean(value, &sent));
        clean_json(&mut answer.body, &sent);
    }
    refusal
}

fn clean_json(json: &mut Value, sent: &[&str]) {
    match json {
        Value::String(text) => *text = clean(text, sent),
        Value::Array(items) => items.iter_mut().for_each(|item| clean_json(item, sent)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('_', "").to_ascii_lowercase();
                match value {
                    Value::String(text) if FIELDS.contains(&name.as_str()) => REMOVED.clone_into(text),
                    other => clean_json(other, sent),
                }
            }
        }
        _ => {}
    }
}

fn clean(text: &str, sent: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in sent {
        text = without_end(&text.replace(secret, REMOVED), secret);
    }
    for before in BEFORE {
        text = without_next(text, before);
    }
    without_session_ids(&text)
}

/// A text that was cut within a secret, without that part of it.
fn without_end(text: &str, secret: &str) -> String {
    let (kept, mark) = text.strip_suffix(MARK).map_or((text, ""), |kept| (kept, "…"));
    let parts = secret.char_indices().map(|(end, _)| &secret[..end]).filter(|part| part.len() >= PREFIX);
    match parts.rev().find_map(|part| kept.strip_suffix(part)) {
        Some(kept) => format!("{kept}{REMOVED}{mark}"),
        None => text.to_owned(),
    }
}

/// A text without what stands behind these words, in any case of their letters.
fn without_next(text: String, before: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if !lower.contains(before) {
        return text;
    }
    let (mut cleaned, mut from) = (String::new(), 0);
    while let Some(found) = lower[from..].find(before) {
        let begin = from + found + before.len();
        let ends = |character: char| character.is_whitespace() || AFTER.contains(&character);
        let end = text[begin..].find(ends).map_or(text.len(), |end| begin + end);
        cleaned.push_str(&text[from..begin]);
        cleaned.push_str(if end - begin < SHORTEST { &text[begin..end] } else { REMOVED });
        from = end;
    }
    cleaned + &text[from..]
}

/// A text without ids of sessions: the organization's id, an exclamation mark, and the secret.
fn without_session_ids(text: &str) -> String {
    let (mut cleaned, mut rest) = (String::new(), text);
    while let Some(begin) = rest.find("00D") {
        let from = &rest[begin..];
        let id = from.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(from.len());
        let bang = BANGS.into_iter().find(|bang| from[id..].starts_with(bang));
        let end = match bang {
            Some(bang) if matches!(id, 15 | 18) => {
                let secret = &from[id + bang.len()..];
                let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '%'));
                id + bang.len() + secret.find(ends).unwrap_or(secret.len())
            }
            _ => 0,
        };
        cleaned.push_str(&rest[..begin]);
        cleaned.push_str(if end > 0 { REMOVED } else { "00D" });
        rest = &from[end.max(3)..];
    }
    cleaned + rest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::domain::{AnswerReceived, Class};

    const TOKEN: &str = "00D000000000001AAA!AQ0AQFakeFakeFake.Fake_Fake";

    fn scrubbed(body: &str, sent: &[Secret]) -> String {
        let headers = BTreeMap::from([("server".to_owned(), format!("proxy {TOKEN}"))]);
        let answer = Some(Box::new(AnswerReceived::new(400, headers, body.as_bytes())));
        let scrubbed = scrub(Refusal { answer, ..Refusal::new(Class::Request, "X", body) }, sent);
        let told = serde_json::to_string(&scrubbed).unwrap();
        assert!(!told.contains("AQFake"), "{told}");
        told
    }

    #[test]
    fn what_was_sent_is_gone_from_words_headers_and_answer_also_where_it_was_cut() {
        let sent = [Secret::new("not-like-a-token-1234567")];
        let told = scrubbed("you sent not-like-a-token-1234567 here", &sent);
        assert!(!told.contains("not-like") && told.contains("you sent [secret] here"), "{told}");
        let long = format!("{}not-like-a-token-1234567", "x".repeat(crate::domain::ANSWER_BYTES - 12));
        assert!(!scrubbed(&long, &sent)[200..].contains("xnot-l"), "half a secret");
    }

    #[test]
    fn what_looks_like_a_secret_is_gone_whoever_sent_it() {
        for body in [
            format!("<pre>GET / Authorization: Bearer {TOKEN}</pre>"),
            format!("https://x/?sid={}&y=1", TOKEN.replace('!', "%21")),
            json!([{ "message": format!("session {TOKEN} has ended") }]).to_string(),
            json!({ "access_token": TOKEN, "refresh_token": "5Aep861AQFakeFakeFake", "deep": [{ "sessionId": "AQFakeFakeFakeFake" }] })
                .to_string(),
            "authorization: basic QUFGYWtlAQFakeFake== and more".to_owned(),
        ] {
            let told = scrubbed(&body, &[]);
            assert!(told.contains(REMOVED), "{told}");
        }
    }

    #[test]
    fn words_and_ids_of_organizations_stay() {
        let body = "Bearer token is missing for 00D000000000001AAA, é 00Dx!y";
        assert!(scrubbed(body, &[]).contains(body));
    }
}
