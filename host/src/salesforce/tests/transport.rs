//! What goes over the wire, against a server on this machine: tokens, replays, time-outs and bounds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{FutureExt, join_all};
use serde_json::{Value, json};

use crate::domain::{Class, ContactSearch, Quota, RefreshToken, Refusal, Scope};
use crate::salesforce::tests::server::{EXPIRED, StandIn, response};
use crate::salesforce::{Client, OnRotated};

fn nothing() -> Value {
    json!({"totalSize": 0, "done": true, "records": []})
}

async fn ask(client: &Client) -> Result<(), Refusal> {
    let search = ContactSearch { field: "Email".to_owned(), value: "jane@example.com".to_owned() };
    client.find_contacts(&[search], &[]).await.map(|_| ())
}

#[tokio::test]
async fn many_who_need_a_token_cause_one_token_request() {
    let server = StandIn::start().await;
    server.grant("one");
    for _ in 0..20 {
        server.reply(200, &nothing());
    }
    let client = server.client();
    let outcomes = join_all((0..20).map(|_| ask(&client))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(server.token_requests(), 1);
    assert_eq!((client.calls(), client.usage()), (20, Some(Quota { used: 22, allowed: 15_000 })));
    let asked = server.asked();
    assert_eq!(asked[1].headers["authorization"], "Bearer one");
    assert!(asked[0].body.contains("refresh_token=first-refresh"), "{}", asked[0].body);
}

#[tokio::test]
async fn a_failed_token_request_is_shared_by_all_who_waited_for_it() {
    let server = StandIn::start().await;
    server.reply(400, &json!({"error": "invalid_grant", "error_description": "expired access/refresh token"}));
    let client = server.client();
    let outcomes = join_all((0..20).map(|_| ask(&client))).await;
    assert_eq!(server.token_requests(), 1);
    for outcome in outcomes {
        let refusal = outcome.unwrap_err();
        assert_eq!((refusal.class, refusal.scope, refusal.code.as_str()), (Class::Auth, Scope::Org, "invalid_grant"));
        let request = refusal.request.unwrap();
        assert_eq!(
            (request.path.as_str(), request.body),
            ("/services/oauth2/token", json!({"grant_type": "refresh_token"}))
        );
    }
}

#[tokio::test]
async fn an_expired_session_is_renewed_once_and_the_call_replayed_once() {
    let server = StandIn::start().await;
    server.grant("one").reply_with(Some(response(401, EXPIRED))).grant("two").reply(200, &nothing());
    let client = server.client();
    ask(&client).await.unwrap();
    assert_eq!(server.asked()[3].headers["authorization"], "Bearer two");

    server.reply_with(Some(response(401, EXPIRED))).grant("three").reply_with(Some(response(401, EXPIRED)));
    let refusal = ask(&client).await.unwrap_err();
    assert_eq!((refusal.class, server.token_requests()), (Class::Auth, 3), "401 after a fresh token is final");
}

#[tokio::test]
async fn many_whose_session_expired_at_once_cause_one_token_request() {
    let server = StandIn::start().await;
    server.grant("one").reply(200, &nothing());
    let client = server.client();
    ask(&client).await.unwrap();
    server.expire("one").grant("two");
    for _ in 0..20 {
        server.reply(200, &nothing());
    }
    let outcomes = join_all((0..20).map(|_| ask(&client))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(server.token_requests(), 2);
}

#[tokio::test]
async fn a_session_that_no_new_token_can_mend_starts_no_refresh() {
    for text in ["This session is not valid for use with the REST API", "Connected app is not attached to Agent"] {
        let server = StandIn::start().await;
        server.grant("one").reply(401, &json!([{"message": text, "errorCode": "INVALID_SESSION_ID"}]));
        let refusal = ask(&server.client()).await.unwrap_err();
        assert_eq!((refusal.class, refusal.scope), (Class::Config, Scope::Org));
        assert_eq!(server.token_requests(), 1);
    }
}

const PAGE: &str = "<html><body>nothing here</body></html>";

#[tokio::test]
async fn an_organization_that_moved_is_found_by_a_new_token_whatever_its_old_address_says() {
    let redirect = axum::http::Response::builder().status(301).header("location", "https://new.my.salesforce.com/");
    let old_says = [
        Some(redirect.body(axum::body::Body::empty()).unwrap()),
        Some(response(404, PAGE)),
        Some(response(403, PAGE)),
        Some(response(200, PAGE)),
        Some(response(200, "")),
        None,
    ];
    for says in old_says {
        let (login, old, new) = (StandIn::start().await, StandIn::start().await, StandIn::start().await);
        login.grant_at("one", &old.url).grant_at("two", &new.url);
        old.reply(200, &nothing());
        new.reply(200, &nothing());
        let client = login.client();
        ask(&client).await.unwrap();
        match says {
            Some(says) => drop(old.reply_with(Some(says))),
            None => old.vanish().await,
        }
        ask(&client).await.unwrap();
        assert_eq!((login.token_requests(), new.asked().len()), (2, 1));
        assert_eq!(new.asked()[0].headers["authorization"], "Bearer two");
    }
}

#[tokio::test]
async fn an_address_that_a_new_token_names_again_is_not_asked_about_until_it_has_answered() {
    let server = StandIn::start().await;
    server.grant("one").reply(200, &nothing()).reply_with(Some(response(404, PAGE))).grant("two");
    let client = server.client();
    ask(&client).await.unwrap();
    for _ in 0..3 {
        let refusal = ask(&client).await.unwrap_err();
        assert_eq!((refusal.class, refusal.scope, refusal.code.as_str()), (Class::Transient, Scope::Org, "HTTP_404"));
        server.reply_with(Some(response(404, PAGE)));
    }
    assert_eq!(server.token_requests(), 2, "one for the start, and one because it may have moved");
}

#[tokio::test]
async fn an_insert_whose_outcome_is_unknown_is_not_sent_to_the_new_address_as_well() {
    let (login, old, new) = (StandIn::start().await, StandIn::start().await, StandIn::start().await);
    login.grant_at("one", &old.url).grant_at("two", &new.url);
    old.reply(200, &nothing()).reply_with(Some(response(200, PAGE)));
    let client = login.client();
    ask(&client).await.unwrap();
    let named = crate::domain::Attribute { name: "LastName".to_owned(), value: "Doe".to_owned() };
    let refusal = client.create_contact(&[named]).await.unwrap_err();
    assert_eq!((refusal.code.as_str(), new.asked().len()), ("UNREADABLE_ANSWER", 0));
}

#[tokio::test]
async fn the_token_endpoint_is_asked_again_after_an_answer_that_is_none_of_its_own() {
    for (status, body) in [(200, PAGE), (200, ""), (403, PAGE), (200, r#"{"status":"ok"}"#), (404, "")] {
        let server = StandIn::start().await;
        server.reply_with(Some(response(status, body))).grant("one").reply(200, &nothing());
        let client = server.client();
        let refusal = ask(&client).await.unwrap_err();
        assert_eq!((refusal.class, refusal.scope), (Class::Transient, Scope::Org), "{status} {body}");
        ask(&client).await.unwrap();
    }
}

/// The tokens that were stored, each with the number of requests that the server had got by then.
type Kept = Arc<Mutex<Vec<(String, usize)>>>;

/// A caller that stores what is rotated, or fails to: the last of `fails` goes first.
fn keeper(server: &StandIn, fails: &[bool]) -> (Kept, OnRotated) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (server, into) = (server.clone(), Arc::clone(&kept));
    let fails = Mutex::new(fails.to_vec());
    let on_rotated: OnRotated = Box::new(move |kept: RefreshToken| {
        let failing = fails.lock().unwrap().pop().unwrap_or(false);
        into.lock().unwrap().push((kept.token.reveal().to_owned(), server.asked().len()));
        Box::pin(async move { if failing { Err("disk full".to_owned()) } else { Ok(()) } })
    });
    (kept, on_rotated)
}

fn rotated(server: &StandIn) -> Value {
    json!({"access_token": "one", "instance_url": server.url, "refresh_token": "second-refresh"})
}

#[tokio::test]
async fn a_rotated_token_is_stored_before_the_access_token_is_used() {
    let server = StandIn::start().await;
    server.reply(200, &rotated(&server)).reply(200, &nothing());
    let (kept, on_rotated) = keeper(&server, &[]);
    let client = server.client_with("", on_rotated);
    ask(&client).await.unwrap();
    assert_eq!(*kept.lock().unwrap(), [("second-refresh".to_owned(), 1)], "only the token had been asked for");

    server.reply_with(Some(response(401, EXPIRED))).grant("two").reply(200, &nothing());
    ask(&client).await.unwrap();
    assert!(server.asked()[3].body.contains("refresh_token=second-refresh"), "the old one is gone");
}

#[tokio::test]
async fn a_rotated_token_that_could_not_be_stored_is_kept_and_stored_later() {
    let server = StandIn::start().await;
    server.reply(200, &rotated(&server)).reply(200, &nothing());
    let (kept, on_rotated) = keeper(&server, &[false, true]);
    let client = server.client_with("", on_rotated);
    let refusal = ask(&client).await.unwrap_err();
    assert_eq!((refusal.class, refusal.code.as_str()), (Class::Transient, "TOKEN_NOT_STORED"));
    assert_eq!(server.asked().len(), 1, "nothing was sent with it");
    ask(&client).await.unwrap();
    assert_eq!(server.token_requests(), 1);
    assert_eq!(kept.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_take_the_rotated_token_with_it() {
    let server = StandIn::start().await;
    server.reply(200, &rotated(&server));
    let (done, mut stored) = tokio::sync::mpsc::unbounded_channel();
    let on_rotated: OnRotated = Box::new(move |token| {
        let done = done.clone();
        Box::pin(async move { done.send(token.token.reveal().to_owned()).map_err(|error| error.to_string()) })
    });
    let client = server.client_with("", on_rotated);
    // Polled once, so that the request is on its way, and then dropped.
    let mut call = Box::pin(ask(&client));
    assert!((&mut call).now_or_never().is_none());
    drop(call);
    assert_eq!(stored.recv().await.unwrap(), "second-refresh");
}

#[tokio::test]
async fn a_server_that_does_not_answer_or_is_not_there_is_a_passing_refusal() {
    let server = StandIn::start().await;
    server.grant("one").reply_with(None);
    let client = server.client_with("timeout_ms = 200", Box::new(|_| Box::pin(async { Ok(()) })));
    let refusal = ask(&client).await.unwrap_err();
    assert_eq!((refusal.class, refusal.scope, refusal.code.as_str()), (Class::Transient, Scope::Org, "TIMEOUT"));
    assert!(refusal.request.unwrap().path.starts_with("/services/data/v62.0/query?q=SELECT"));

    let mut gone = server;
    gone.url = "http://127.0.0.1:1".to_owned();
    let refusal = ask(&gone.client()).await.unwrap_err();
    assert_eq!((refusal.class, refusal.code.as_str()), (Class::Transient, "CONNECTION_FAILED"));
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    let server = StandIn::start().await;
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
    server.grant("one").reply_with(Some(response(200, axum::body::Body::from_stream(endless))));
    assert_eq!(ask(&server.client()).await.unwrap_err().code, "ANSWER_TOO_LARGE");
}

#[tokio::test]
async fn a_token_is_never_taken_to_a_server_in_the_open() {
    let server = StandIn::start().await;
    server.reply(200, &json!({"access_token": "one", "instance_url": "http://elsewhere.example"}));
    let refusal = ask(&server.client()).await.unwrap_err();
    assert_eq!(refusal.code, "UNREADABLE_ANSWER");
    assert!(refusal.text.contains("elsewhere.example"), "{}", refusal.text);
}

#[tokio::test]
async fn no_secret_is_in_a_refusal_or_in_print() {
    let server = StandIn::start().await;
    let echo = "<html>you sent refresh_token=first-refresh with hush-secret</html>";
    server.reply_with(Some(response(502, echo)));
    let client = server.client();
    let refusal = ask(&client).await.unwrap_err();
    assert!(refusal.text.contains("you sent"));
    server.grant("access-one").reply_with(Some(response(502, "Authorization: Bearer access-one")));
    let second = ask(&client).await.unwrap_err();
    let shown = format!("{refusal:?} {second:?} {client:?}");
    for secret in ["first-refresh", "hush-secret", "access-one"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_query_is_followed_page_by_page() {
    let server = StandIn::start().await;
    let page = |id: &str, next: Option<&str>| {
        json!({"done": next.is_none(), "nextRecordsUrl": next,
        "records": [{"Id": id, "Name": id, "DeveloperName": id}]})
    };
    server.grant("one");
    server.reply(200, &page("00G000000000001", Some("/services/data/v62.0/query/0r8-2000")));
    server.reply(200, &page("00G000000000002", None)).reply(200, &nothing());
    let queues = server.client().queues(crate::domain::Timestamp::default(), Duration::ZERO).await.unwrap();
    assert_eq!(queues.iter().count(), 2);
    assert_eq!(server.asked()[2].uri, "/services/data/v62.0/query/0r8-2000");
}
