//! Plugins that mean no good, handed in like any other: the registry says whose decision failed, and how.

#[path = "../../../host/src/policy/tests/component.rs"]
#[expect(dead_code, reason = "the host's own tests make more of them")]
mod component;
#[path = "../../../host/src/policy/tests/corpus.rs"]
#[expect(dead_code, reason = "the host's own tests ask it more")]
mod corpus;
#[path = "../../../host/src/policy/tests/worlds.rs"]
mod worlds;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, TestHost, received};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_decision_is_a_sync_error_that_names_policy_revision_and_question() {
    // Time enough for most of them to fail in their own way, however busy the machine is.
    let host = TestHost::with("[policies.limits]\ndeadline_ms = 1000\n").await;
    let fail = corpus::in_decisions().into_iter().filter(|hostile| hostile.way != corpus::ANSWERS);
    for (number, corpus::Hostile { name: does, plugin, way }) in (1..).zip(fail) {
        let url = format!("http://{}/v1/plugins/hostile-{number}", host.app.address);
        let taken = host.http.put(url).bearer_auth(ADMIN).body(plugin).send().await.unwrap();
        assert_eq!(taken.status(), StatusCode::OK, "{does}");
        let toml = format!("[routing]\nplugin = \"hostile-{number}\"\n");
        let source = json!({ "toml": toml, "scripts": {} });
        let (status, answer) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(source)).await;
        assert_eq!(status, StatusCode::OK, "{does}: {answer}");
        // All of them wait for a conversation that is closed.
        let mut closing = received(number, number, "billing", "jane@example.com");
        closing["type"] = json!("close-conversation");
        host.notify(closing).await;
        let errors = host.idle().await;
        let of = |error: &&Value| error["message"] == format!("main:{}", 5000 + number);
        let refusal = &errors.iter().find(of).unwrap_or_else(|| panic!("{does}: {errors:?}"))["refusal"];
        assert_eq!((refusal["code"].as_str(), refusal["class"].as_str()), (Some(way), Some("policy")), "{refusal}");
        let blame = &refusal["blame"];
        assert_eq!(blame["policy"], json!({ "name": "acme", "revision": number + 1 }), "{does}: {blame}");
        assert_eq!(blame["question"], "route", "{does}: {blame}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_put_in_force_is_not_undone_by_the_file_of_the_call_before() {
    let host = TestHost::start().await;
    // Long enough to be tried that the folder's watcher reads the file of one while the next one is being tried.
    let dawdles = "(local $i i32) (loop $again (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 60000000))))";
    let plugin = component::Plugin { configure: dawdles.into(), ..component::Plugin::default() };
    let url = format!("http://{}/v1/plugins/dawdler", host.app.address);
    let taken = host.http.put(url).bearer_auth(ADMIN).body(plugin.bytes()).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::OK);
    for number in 2..12 {
        let toml = format!("[routing]\nplugin = \"dawdler\"\n[routing.settings]\nnumber = {number}\n");
        let texts = json!({ "toml": toml, "scripts": {} });
        let (status, answer) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(texts)).await;
        assert_eq!((status, &answer["in_force"]["revision"]), (StatusCode::OK, &json!(number)), "{answer}");
    }
    // Whoever watches the folder takes its files in turn: with this one there, all before it have been looked at.
    std::fs::write(host.policy_file("last.toml"), "plugin = \"script\"\nscript = \"acme.rhai\"\n").unwrap();
    host.seen("/v1/policies", |all| all["policies"].as_array().unwrap().iter().any(|one| one["name"] == "last")).await;
    // What came back by its file would have come into force by a file, after it was retired.
    let (_, list) = host.get("/v1/policies/acme/revisions").await;
    for (revision, number) in list["revisions"].as_array().unwrap().iter().zip((2..12).rev()) {
        assert_eq!((&revision["number"], &revision["origin"]["from"]), (&json!(number), &json!("api")), "{list}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_taken_and_decides_although_whoever_handed_it_in_hangs_up() {
    let host = TestHost::start().await;
    let plugin = |core: &str| component::Plugin { core: core.into(), ..component::Plugin::default() }.bytes();
    let url = format!("http://{}/v1/plugins/mine", host.app.address);
    let taken = host.http.put(url).bearer_auth(ADMIN).body(plugin("")).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::OK);
    let texts = json!({ "toml": "[routing]\nplugin = \"mine\"\n", "scripts": {} });
    assert_eq!(host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(texts)).await.0, StatusCode::OK);
    // Much to compile, so that there is time to hang up.
    let other = plugin(&"(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))".repeat(20_000));
    let mut connection = TcpStream::connect(host.app.address).await.unwrap();
    let head = format!(
        "PUT /v1/plugins/mine HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {ADMIN}\r\nContent-Length: {}\r\n\r\n",
        host.app.address,
        other.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&other).await.unwrap();
    drop(connection);
    host.seen("/v1/policies/acme", |policy| policy["in_force"]["revision"] == 3).await;
    let kept = std::fs::read(host.plugin_file("mine.wasm")).unwrap();
    assert!(kept == other, "the file is that of the one in force");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_200_megabytes_is_refused_before_a_byte_of_it_was_sent() {
    let host = TestHost::start().await;
    let mut connection = TcpStream::connect(host.app.address).await.unwrap();
    let head = format!(
        "PUT /v1/plugins/large HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {ADMIN}\r\nContent-Length: {}\r\n\r\n",
        host.app.address,
        200 << 20
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(std::str::from_utf8(&answer).unwrap(), "HTTP/1.1 413");
    drop(connection);
    host.stop().await;
}
