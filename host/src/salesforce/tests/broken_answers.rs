//! Answers of which a part is broken: each record gets what was said of it, and what is no answer at all is an outage.

use std::sync::Arc;

use serde_json::json;

use super::operations::{started, write_all, yes};
use super::server::{StandIn, response};
use crate::domain::{Class, Scope};
use crate::salesforce::Client;

/// The next answer: 200, with these bytes.
fn say(server: &StandIn, body: impl Into<Vec<u8>>) {
    server.reply_with(Some(response(200, body.into())));
}

async fn one_write(client: &Arc<Client>) -> crate::domain::Refusal {
    write_all(client, 0..1).await.swap_remove(0).unwrap_err()
}

#[tokio::test]
async fn an_element_that_cannot_be_read_leaves_the_answers_about_the_others() {
    let server = started().await;
    say(&server, format!("[{}, {{\"id\": \"a01\", \"success\": }}, {}]", yes(0), yes(2)));
    let client = server.client();
    let written = write_all(&client, 0..3).await;
    assert_eq!(written.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let refusal = written[1].as_ref().unwrap_err();
    assert_eq!((refusal.class, refusal.scope), (Class::Transient, Scope::Record));
    assert_eq!(refusal.code, "UNREADABLE_ANSWER");
    assert!(refusal.text.contains("\"success\": }"), "{}", refusal.text);
    // Whether it was written is not known: it is looked for before it is sent again.
    server.reply(200, &json!({"totalSize": 0, "done": true, "records": []})).reply(200, &json!([yes(1)]));
    write_all(&client, 1..2).await.swap_remove(0).unwrap();
    assert!(server.asked()[2].uri.contains("/query?q="));
}

#[tokio::test]
async fn words_with_half_a_character_or_other_bytes_are_understood_by_their_code() {
    let server = started().await;
    let no = |words: &[u8]| {
        let before = b"{\"success\": false, \"errors\": [{\"statusCode\": \"STRING_TOO_LONG\", \"message\": \"Canal: ";
        [before.as_slice(), words, b"\", \"fields\": [\"Channel__c\"]}]}"].concat()
    };
    let yes = yes(2).to_string().into_bytes();
    say(&server, [b"[".as_slice(), &no(b"caf\xe9"), b",", &no(br"cut \ud83d"), b",", &yes, b"]"].concat());
    let written = write_all(&server.client(), 0..3).await;
    for refusal in written[..2].iter().map(|one| one.as_ref().unwrap_err()) {
        assert_eq!((refusal.class, refusal.code.as_str()), (Class::Record, "STRING_TOO_LONG"));
        assert!(refusal.text.ends_with('\u{fffd}'), "{}", refusal.text);
    }
    assert!(written[2].is_ok());
}

#[tokio::test]
async fn an_answer_that_does_not_say_whether_it_was_written_is_no_yes() {
    for unclear in ["tru", "\"true\"", "1e999", "null"] {
        let server = started().await;
        say(
            &server,
            format!("[{}, {}]", yes(0), yes(1).to_string().replace("true,\"errors", &format!("{unclear},\"errors"))),
        );
        let written = write_all(&server.client(), 0..2).await;
        assert!(written[0].is_ok(), "{unclear}");
        assert_eq!(written[1].as_ref().unwrap_err().code, "UNREADABLE_ANSWER", "{unclear}");
    }
}

#[tokio::test]
async fn a_body_of_which_nothing_can_be_read_is_an_outage() {
    for body in
        ["", "<html></html>", "[down]", "[\"down\"]", "[null]", "[{\"id\": }]", "[7", "{\"id\" 1}", "\u{feff}down"]
    {
        let server = started().await;
        say(&server, body);
        // An address that was left may answer like this; the new token names the same one.
        server.grant("two");
        say(&server, body);
        let refusal = one_write(&server.client()).await;
        assert_eq!((refusal.class, refusal.scope), (Class::Transient, Scope::Org), "{body}");
        assert_eq!(refusal.code, "UNREADABLE_ANSWER", "{body}");
    }
}

#[tokio::test]
async fn a_token_that_comes_with_a_broken_text_is_used_and_one_that_is_broken_itself_is_not() {
    let server = StandIn::start().await;
    let granted = |token: &str| {
        format!("{{\"access_token\": \"{token}\", \"instance_url\": \"{}\", \"signature\": \"\\ud83d\"}}", server.url)
    };
    for broken in ["\\ud83d", "two\\nlines", "", "caf\u{e9}"] {
        say(&server, granted(broken));
        let refusal = one_write(&server.client()).await;
        assert_eq!((refusal.class, refusal.scope), (Class::Transient, Scope::Org), "{broken}");
        assert!(!refusal.text.contains("lines"), "it may be a part of a token");
    }
    say(&server, granted("one"));
    say(&server, json!([yes(0)]).to_string());
    assert!(write_all(&server.client(), 0..1).await[0].is_ok());
}

#[tokio::test]
async fn a_rotated_token_is_stored_also_where_the_access_token_beside_it_is_broken() {
    let server = StandIn::start().await;
    let stored = Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = Arc::clone(&stored);
    let client = server.client_with(
        "",
        Box::new(move |kept| {
            keep.lock().unwrap().push(kept.token.reveal().to_owned());
            Box::pin(async { Ok(()) })
        }),
    );
    say(
        &server,
        format!("{{\"access_token\": \"\\ud83d\", \"refresh_token\": \"next\", \"instance_url\": \"{}\"}}", server.url),
    );
    assert_eq!(one_write(&client).await.code, "UNREADABLE_ANSWER");
    assert_eq!(*stored.lock().unwrap(), ["next"]);
    // And one that is broken itself does not take its place.
    say(&server, "{\"access_token\": \"one\", \"refresh_token\": \"ne\u{e9}xt\"}");
    one_write(&client).await;
    server.grant("one");
    // Another record: the first is looked for before it is sent again.
    say(&server, json!([yes(1)]).to_string());
    assert!(write_all(&client, 1..2).await[0].is_ok());
    assert!(server.asked()[2].body.contains("refresh_token=next"));
}
