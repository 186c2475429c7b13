//! The HTTP front, as somebody meets it who means no good, or who knows no better.

use reqwest::{Method, StatusCode};
use serde_json::json;
use switchyard_tests::{ADMIN, OPERATOR, READER, TestHost, received};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::browser::Browser;

/// Sends this and answers the status, while the connection stays open.
async fn status(host: &TestHost, request: &str) -> String {
    let mut connection = TcpStream::connect(host.app.address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_is_read_of_a_notification_without_a_signature_or_for_nobody() {
    let host = TestHost::start().await;
    let address = host.app.address;
    // None of them sends a byte of what it announces.
    let notification = |environment: &str, signature: &str, bytes: usize| {
        format!(
            "POST /alcmeon/{environment}/notify HTTP/1.1\r\nHost: {address}\r\n{signature}Content-Length: {bytes}\r\n\r\n"
        )
    };
    let signed = |hex: &str| format!("x-alcmeon-webhook-signature: {hex}\r\n");
    let large = 15 << 20;
    assert_eq!(status(&host, &notification("main", "", large)).await, "HTTP/1.1 401");
    assert_eq!(status(&host, &notification("main", &signed("00"), large)).await, "HTTP/1.1 401");
    assert_eq!(status(&host, &notification("nobody", &signed(&"0".repeat(64)), large)).await, "HTTP/1.1 404");
    assert_eq!(status(&host, &notification("main", &signed(&"0".repeat(64)), 17 << 20)).await, "HTTP/1.1 413");
    let login = format!("POST /login HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n");
    let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 900000\r\n\r\n";
    assert_eq!(status(&host, &(login + form)).await, "HTTP/1.1 413");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_one_host_and_its_scheme_in_any_case() {
    let host = TestHost::start().await;
    let get = |version: &str, headers: &str| format!("GET /healthz HTTP/{version}\r\n{headers}\r\n");
    assert_eq!(status(&host, &get("1.1", "Host: here\r\n")).await, "HTTP/1.1 200");
    assert_eq!(status(&host, &get("1.1", "")).await, "HTTP/1.1 400");
    assert_eq!(status(&host, &get("1.1", "Host: here\r\nHost: there\r\n")).await, "HTTP/1.1 400");
    assert_eq!(status(&host, &get("1.0", "")).await, "HTTP/1.0 200");
    let orgs = format!("GET /v1/orgs HTTP/1.1\r\nHost: here\r\nAuthorization: bearer {READER}\r\n\r\n");
    assert_eq!(status(&host, &orgs).await, "HTTP/1.1 200");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_one_line_of_plain_text_in_an_object() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    let id = host.idle().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/sync-errors/{id}/ignore");
    for hidden in ["a\u{0}b", "a\u{1b}[31mb", "a\r\nb", "a\u{202e}b"] {
        let (status, problem) = host.post(&path, json!({ "reason": hidden })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    }
    let (status, problem) = host.post(&path, json!(["spam"])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    assert_eq!(host.post(&path, json!({ "reason": "spam" })).await.1["state"], "ignored");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_changes_things_only_from_a_page_of_the_console() {
    let host = TestHost::start().await;
    let (url, own) = (format!("http://{}", host.app.address), format!("http://{}", host.app.address));
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sign_in = |token: &'static str| {
        client.post(format!("{url}/login")).header("origin", &own).form(&[("token", token)]).send()
    };
    assert_eq!(sign_in("a-wrong-token-0123456789").await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let signed_in = sign_in(OPERATOR).await.unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let retry = || client.post(format!("{url}/v1/orgs/acme/retry-all")).header("cookie", &cookie);
    assert_eq!(retry().send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let foreign = reqwest::header::HeaderValue::from_bytes("http://évil".as_bytes()).unwrap();
    assert_eq!(retry().header("origin", foreign.clone()).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let by_token = client.post(format!("{url}/v1/orgs/acme/retry-all")).bearer_auth(OPERATOR);
    assert_eq!(by_token.header("origin", foreign).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(retry().header("origin", &own).send().await.unwrap().status(), StatusCode::ACCEPTED);
    let guess = host.call(Method::GET, "/v1/orgs", "another-wrong-token-01234", None).await;
    assert_eq!(guess.0, StatusCode::UNAUTHORIZED);
    let counted = host.app.metrics.render();
    assert!(counted.contains("wrong_tokens_total{at=\"the API\"} 1"), "{counted}");
    assert!(counted.contains("wrong_tokens_total{at=\"the console\"} 1"), "{counted}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_may_show_what_customers_wrote_and_needs_the_scope_for_that() {
    const POLICIES: &str = "policies-token-0123456789";
    let host = TestHost::start().await;
    let texts = json!({ "toml": std::fs::read_to_string(host.policy_file("acme.toml")).unwrap(), "scripts": {
        "acme.rhai": std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap(),
    } });
    let host = host
        .restart_with(|config| {
            let mut token = config.http.tokens[0].clone();
            (token.name, token.secret) = ("policies".to_owned(), switchyard::domain::Secret::new(POLICIES));
            token.scopes = vec![switchyard::http::Scope::Policies];
            config.http.tokens.push(token);
        })
        .await;
    let preview = |token| host.call(Method::POST, "/v1/policies/acme/preview", token, Some(texts.clone()));
    let (status, problem) = preview(POLICIES).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("errors"), "{problem}");
    assert_eq!(preview(ADMIN).await.0, StatusCode::OK);
    assert_eq!(preview(OPERATOR).await.0, StatusCode::FORBIDDEN);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_that_nothing_of_others_is_run_and_home_of_a_new_host_that_all_is_well() {
    let host = TestHost::start().await;
    let home = Browser::sign_in(&host, READER).await.get("/").await;
    home.says(&["<title>Home ·", "All is well"]);
    assert!(!home.text.contains("The causes that wait"), "{}", home.text);
    let style = home.text.split_once("<link rel=\"stylesheet\" href=\"").expect("a style").1;
    let style = style.split_once('"').expect("an end").0;
    for (path, status) in [("/login", 200), (style, 200), ("/problems/not-found", 200), ("/nothing/is/here", 404)] {
        let answer = host.http.get(format!("http://{}{path}", host.app.address)).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert_eq!(answer.status(), status, "{path}");
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.split("; ").any(|it| it == rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
    host.stop().await;
}
