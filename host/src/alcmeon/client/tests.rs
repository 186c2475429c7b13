//! What Alcmeon answers, and what follows from it for the next call.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};

use super::*;

fn now() -> Timestamp {
    "2024-01-22T13:05:00Z".parse().unwrap()
}

#[test]
fn the_time_in_a_python_dictionary_is_understood() {
    let body = |details: &str| serde_json::json!({"error": "rate limited", "details": details}).to_string();
    let until = |body: &str| limited_until(body.as_bytes(), now());
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(until(&body("{'rate_limited_until': '2024-01-22T13:05:41Z'}")), at("2024-01-22T13:05:41Z"));
    assert_eq!(until(&body("{'rate_limited_until': '2024-01-22T13:05:41.5'}")), at("2024-01-22T13:05:41.5Z"));
    assert_eq!(until(&body("{\"rate_limited_until\": \"2024-01-22T14:05:41+01:00\"}")), at("2024-01-22T13:05:41Z"));
    for silent in ["", "<html>", &body("soon"), &body("{'rate_limited_until': None}"), "rate_limited_until"] {
        assert_eq!(until(silent), now().after(WINDOW), "{silent}");
    }
    assert_eq!(until(&body("{'rate_limited_until': '1999-01-01T00:00:00Z'}")), now(), "never in the past");
    assert_eq!(until(&body("{'rate_limited_until': '9999-01-01T00:00:00Z'}")), now().after(LONGEST_WAIT));
}

/// A server that always gives one answer, and the requests that it got.
async fn server(status: u16, body: &str) -> (Client, Arc<Mutex<Vec<(Uri, HeaderMap)>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = format!("base_url = 'http://{}'\ninstance_id = '7'\nsecret = 'hush'", listener.local_addr().unwrap());
    let (answer, into) = ((StatusCode::from_u16(status).unwrap(), body.to_owned()), Arc::clone(&asked));
    let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap| async move {
        into.lock().unwrap().push((uri, headers));
        answer
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    // Whoever comes first installs it; the outcome is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::new(toml::from_str(&config).unwrap(), reqwest::Client::new(), SourceId::new("main").unwrap());
    (client, asked)
}

#[tokio::test]
async fn a_page_is_asked_for_with_the_secret_and_read_in_the_order_of_events() {
    let action = |id: u32| {
        serde_json::json!({"id": id, "type": "task-create", "account": {"id": 12},
        "task": {"conversation_id": 321, "message": {"id": 556}}})
    };
    let page = serde_json::json!([action(9), {"id": 11, "type": "future"}, action(8)]).to_string();
    let (client, asked) = server(200, &page).await;
    let page = client.poll(7, now()).await.unwrap();
    assert_eq!(page.arrivals.iter().map(|arrival| arrival.event).collect::<Vec<_>>(), [8, 9]);
    assert_eq!(page.highest, Some(11), "what cannot be used is not asked for again and again");
    assert_eq!(page.unusable[0].why.to_string(), "`[1].account.id` must be an id");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked[0].0, "/actions?min_action_id=7");
    assert_eq!(asked[0].1["authorization"], "Basic NzpodXNo");
    assert_eq!(server(200, "[]").await.0.poll(7, now()).await.unwrap().highest, None);
}

#[tokio::test]
async fn every_no_says_what_the_caller_can_do() {
    let limited = r#"{"error": "rate", "details": "{'rate_limited_until': '2024-01-22T13:05:41Z'}"}"#;
    let until = "2024-01-22T13:05:41Z".parse().unwrap();
    let poll = async |status: u16, body: &str| server(status, body).await.0.poll(0, now()).await.unwrap_err();
    assert_eq!(poll(429, limited).await, CallError::RateLimited { until });
    let refused = CallError::Refused { status: 401, words: "unauthorized: bad [secret]".to_owned() };
    assert_eq!(poll(401, r#"{"error": "unauthorized", "details": "bad hush"}"#).await, refused);
    let reason = CallError::Refused { status: 403, words: "insufficient-permissions".to_owned() };
    assert_eq!(poll(403, r#"{"error": {"reason": "insufficient-permissions"}}"#).await, reason);
    assert_eq!(poll(502, "<html>").await, CallError::Unreachable("HTTP 502: <html>".to_owned()));
    assert!(matches!(poll(200, "{}").await, CallError::Unreadable(_)));
}

/// A server that takes only the newest of its tokens, and how often it was asked for one.
async fn guarded() -> (Client, Arc<Mutex<u32>>) {
    let given = Arc::new(Mutex::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counted = Arc::clone(&given);
    let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap| async move {
        let mut given = counted.lock().unwrap();
        if uri.path() == "/v1/oauth2/token" {
            *given += 1;
            return (
                StatusCode::OK,
                json!({ "access_token": format!("token-{given}"), "expires_in": 3600 }).to_string(),
            );
        }
        let wanted = format!("Bearer token-{given}");
        match headers.get("authorization").is_some_and(|shown| shown == wanted.as_str()) {
            true => (StatusCode::OK, "[]".to_owned()),
            false => (StatusCode::UNAUTHORIZED, json!({ "error": "unauthorized" }).to_string()),
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = format!("base_url = 'http://{address}'\ninstance_id = '7'\nsecret = 'hush'\nauth = 'oauth'");
    let source = SourceId::new("main").unwrap();
    (Client::new(toml::from_str(&config).unwrap(), reqwest::Client::new(), source), given)
}

#[tokio::test]
async fn a_token_serves_until_it_is_nearly_over_or_no_longer_taken_and_is_asked_for_once() {
    let (client, given) = guarded().await;
    client.poll(0, now()).await.unwrap();
    client.poll(0, now().after(Duration::from_secs(3_500))).await.unwrap();
    assert_eq!(*given.lock().unwrap(), 1);
    client.poll(0, now().after(Duration::from_secs(3_550))).await.unwrap();
    assert_eq!(*given.lock().unwrap(), 2, "its last minute is not used");
    // As when the secret's tokens are all revoked.
    *given.lock().unwrap() = 9;
    let later = now().after(Duration::from_secs(3_600));
    client.poll(0, later).await.unwrap();
    assert_eq!(*given.lock().unwrap(), 10);
    let (one, other) = tokio::join!(client.poll(0, later), client.poll(0, later));
    assert!(one.is_ok() && other.is_ok() && *given.lock().unwrap() == 10);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_and_no_secret_is_in_print() {
    let config = "base_url = 'http://127.0.0.1:1'\ninstance_id = '7'\nsecret = 'hush'";
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::new(toml::from_str(config).unwrap(), reqwest::Client::new(), SourceId::new("main").unwrap());
    let error = client.poll(0, now()).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable(_)));
    assert!(!format!("{error:?} {client:?}").contains("hush"));
}
