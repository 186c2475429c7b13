//! What each flow asks of the token endpoint, and what becomes of its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::domain::{Class, ContactSearch, RefreshToken, Refusal, Scope, Secret};
use crate::salesforce::tests::server::{Asked, StandIn};
use crate::salesforce::{Client, Error, OnRotated};

const CALLBACK: &str = "http://localhost:1717/oauth/callback";
const WEB_SERVER: &str = "flow = 'web-server'\nclient_id = 'key'\nclient_secret = 'hush-secret'\n";

fn nothing() -> Value {
    json!({"totalSize": 0, "done": true, "records": []})
}

async fn ask(client: &Client) -> Result<(), Refusal> {
    let search = ContactSearch { field: "Email".to_owned(), value: "jane@example.com".to_owned() };
    client.find_contacts(&[search], &[]).await.map(|_| ())
}

fn pairs(text: &str) -> HashMap<String, String> {
    reqwest::Url::parse(&format!("http://x/?{text}")).unwrap().query_pairs().into_owned().collect()
}

fn form(asked: &Asked) -> HashMap<String, String> {
    pairs(&asked.body)
}

/// Tokens that were stored, each with the number of requests that the server had got by then.
type Kept = Arc<Mutex<Vec<(String, usize)>>>;

fn keeper(server: &StandIn) -> (Kept, OnRotated) {
    let kept = Kept::default();
    let (server, into) = (server.clone(), Arc::clone(&kept));
    let on_rotated: OnRotated = Box::new(move |kept: RefreshToken| {
        into.lock().unwrap().push((kept.token.reveal().to_owned(), server.asked().len()));
        Box::pin(async { Ok(()) })
    });
    (kept, on_rotated)
}

fn forgetful() -> OnRotated {
    Box::new(|_| Box::pin(async { Ok(()) }))
}

#[tokio::test]
async fn a_signed_assertion_is_asked_with_alone_and_again_when_the_session_ends() {
    let server = StandIn::start().await;
    server.grant("one").reply(200, &nothing());
    let pem = include_str!("../testdata/not-a-secret.pem");
    let settings =
        format!("flow = 'jwt-bearer'\nclient_id = 'key'\nuser = 'sync@acme.example'\nprivate_key = '''\n{pem}'''\n");
    let client = server.client_of(&settings, forgetful());
    ask(&client).await.unwrap();
    let asked = form(&server.asked()[0]);
    assert_eq!(asked["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let claims = BASE64.decode(asked["assertion"].split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((claims["iss"].as_str(), claims["exp"].as_u64()), (Some("key"), Some(1_790_000_180)));
    assert_eq!(asked.len(), 2, "neither a consumer key nor a secret goes with it");

    server.expire("one").grant("two").reply(200, &nothing());
    ask(&client).await.unwrap();
    assert_eq!(server.token_requests(), 2);
    assert!(matches!(client.begin_authorization(CALLBACK.to_owned()), Err(Error::NobodyAuthorizes)));
}

#[tokio::test]
async fn client_credentials_are_asked_with_key_and_secret_and_a_refusal_says_what_to_mend() {
    let server = StandIn::start().await;
    let wrong = json!({"error": "invalid_grant", "error_description": "request not supported on this domain"});
    server.reply(400, &wrong).grant("one").reply(200, &nothing());
    let client = server
        .client_of("flow = 'client-credentials'\nclient_id = 'key'\nclient_secret = 'hush-secret'\n", forgetful());
    let refusal = ask(&client).await.unwrap_err();
    assert_eq!((refusal.class, refusal.scope), (Class::Auth, Scope::Org));
    assert!(crate::salesforce::advice(&refusal).check.contains("my.salesforce.com"));
    ask(&client).await.unwrap();
    let asked = form(&server.asked()[1]);
    assert_eq!(asked["grant_type"], "client_credentials");
    assert_eq!((asked["client_id"].as_str(), asked["client_secret"].as_str()), ("key", "hush-secret"));
}

#[tokio::test]
async fn an_authorization_proves_itself_and_stores_its_token_before_anything_is_sent_with_it() {
    let server = StandIn::start().await;
    let (kept, on_rotated) = keeper(&server);
    let client = server.client_of(WEB_SERVER, on_rotated);
    let refusal = ask(&client).await.unwrap_err();
    assert_eq!((refusal.class, refusal.code.as_str()), (Class::Auth, "NOT_AUTHORIZED"));
    assert!(server.asked().is_empty(), "there is nothing to ask with");

    let begun = client.begin_authorization(CALLBACK.to_owned()).unwrap();
    let (address, query) = begun.url.split_once('?').unwrap();
    assert_eq!(address, format!("{}/services/oauth2/authorize", server.url));
    let query = pairs(query);
    assert_eq!(query["response_type"], "code");
    assert_eq!((query["redirect_uri"].as_str(), query["code_challenge_method"].as_str()), (CALLBACK, "S256"));
    assert_eq!(query["state"], begun.state.reveal());
    assert_ne!(client.begin_authorization(CALLBACK.to_owned()).unwrap().state, begun.state);

    server.reply(200, &json!({"access_token": "one", "instance_url": server.url, "refresh_token": "given-refresh"}));
    server.reply(200, &nothing());
    assert_eq!(client.finish_authorization(begun, Secret::new("the-code")).await.unwrap(), server.url);
    assert_eq!(*kept.lock().unwrap(), [("given-refresh".to_owned(), 1)]);
    let asked = form(&server.asked()[0]);
    assert_eq!((asked["grant_type"].as_str(), asked["code"].as_str()), ("authorization_code", "the-code"));
    assert_eq!(asked["redirect_uri"], CALLBACK);
    assert_eq!(BASE64.encode(Sha256::digest(&asked["code_verifier"])), query["code_challenge"], "the proof fits");

    ask(&client).await.unwrap();
    assert_eq!(server.asked()[1].headers["authorization"], "Bearer one");
}

#[tokio::test]
async fn an_authorization_that_is_refused_or_gives_no_refresh_token_leaves_what_was_there() {
    let server = StandIn::start().await;
    server.grant("one").reply(200, &nothing());
    let (kept, on_rotated) = keeper(&server);
    let client = server.client_with("", on_rotated);
    ask(&client).await.unwrap();

    let begin = || client.begin_authorization(CALLBACK.to_owned()).unwrap();
    server.reply(400, &json!({"error": "invalid_grant", "error_description": "invalid code verifier the-code"}));
    let refusal = client.finish_authorization(begin(), Secret::new("the-code")).await.unwrap_err();
    assert!(
        crate::salesforce::advice(&refusal).check.contains("again") && !refusal.text.contains("the-code"),
        "{refusal:?}"
    );
    server.grant("two");
    let refusal = client.finish_authorization(begin(), Secret::new("the-code")).await.unwrap_err();
    assert_eq!((refusal.class, refusal.code.as_str()), (Class::Auth, "REFRESH_TOKEN_MISSING"));
    assert!(kept.lock().unwrap().is_empty());

    server.reply(200, &nothing());
    ask(&client).await.unwrap();
    let last = || server.asked().pop().unwrap();
    assert_eq!(last().headers["authorization"], "Bearer one", "not one that may be another user's");
    server.expire("one").grant("three").reply(200, &nothing());
    ask(&client).await.unwrap();
    let asked = server.asked();
    assert_eq!(form(&asked[asked.len() - 2])["refresh_token"], "first-refresh");
}

/// An answer with tokens of this organization.
fn tokens(server: &StandIn, access: &str, refresh: &str, organization: &str) -> Value {
    let id = format!("https://login.salesforce.com/id/{organization}/005000000000001AAA");
    json!({ "access_token": access, "instance_url": server.url, "refresh_token": refresh, "id": id })
}

#[tokio::test]
async fn tokens_of_another_organization_are_refused_and_what_was_there_stays() {
    let server = StandIn::start().await;
    let (kept, on_rotated) = keeper(&server);
    let client = server.client_of(WEB_SERVER, on_rotated);
    let begin = || client.begin_authorization(CALLBACK.to_owned()).unwrap();
    server.reply(200, &tokens(&server, "one", "given-refresh", "00D000000000001AAA"));
    client.finish_authorization(begin(), Secret::new("the-code")).await.unwrap();

    server.reply(200, &tokens(&server, "two", "foreign-refresh", "00D000000000002AAA"));
    let refusal = client.finish_authorization(begin(), Secret::new("the-code")).await.unwrap_err();
    assert_eq!((refusal.class, refusal.code.as_str()), (Class::Auth, "ANOTHER_ORGANIZATION"));
    assert!(refusal.text.contains("00D000000000002AAA") && refusal.text.contains("00D000000000001AAA"), "{refusal:?}");
    assert!(crate::salesforce::advice(&refusal).check.contains("organization_id"));
    assert_eq!(kept.lock().unwrap().len(), 1, "they are not stored");
    server.reply(200, &nothing());
    ask(&client).await.unwrap();
    assert_eq!(server.asked().pop().unwrap().headers["authorization"], "Bearer one");

    server.reply(200, &tokens(&server, "three", "newer-refresh", "00D000000000001"));
    client.finish_authorization(begin(), Secret::new("the-code")).await.unwrap();
}

#[tokio::test]
async fn tokens_are_for_the_configured_organization_whatever_they_were_for_before() {
    let server = StandIn::start().await;
    let client = server.client_with("organization_id = '00D000000000002'", forgetful());
    server.reply(200, &tokens(&server, "one", "first-refresh", "00D000000000001AAA"));
    assert_eq!(ask(&client).await.unwrap_err().code, "ANOTHER_ORGANIZATION");
    assert_eq!(server.asked().len(), 1, "nothing is sent with them");
    server.reply(200, &tokens(&server, "two", "first-refresh", "00D000000000002AAA")).reply(200, &nothing());
    ask(&client).await.unwrap();
}
