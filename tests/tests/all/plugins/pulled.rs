//! Plugins that are pulled from a registry: bounded, signed, and there while the registry is not.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{Keys, OPERATOR, Registry, Setup, TestHost, digest, received};

use super::{COMPONENT, POLICY, ROUTER, decides, router, sha256, trouble, variant};

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_pulled_at_the_start_and_a_tag_that_moved_is_followed_when_somebody_asks() {
    let registry = Registry::locked().await;
    registry.push("acme/router:1", COMPONENT, ROUTER, None);
    let reference = registry.reference("acme/router:1");
    let more = format!(
        "[policies.oci]\nrouter = '{reference}'\n[policies.registries.'{}']\nuser = 'user'\npassword = 'password'\n",
        registry.address
    );
    let host = TestHost::set_up(Setup { more: &more, files: &[("acme.toml", POLICY)], ..Setup::default() }).await;
    let (_, plugins) = host.get("/v1/plugins").await;
    assert_eq!((router(&plugins), trouble(&plugins)), (Some(&*sha256(ROUTER)), None));
    let next = variant("next");
    registry.push("acme/router:1", COMPONENT, &next, None);
    assert_eq!(decides(&host.get("/v1/policies/acme").await.1), Some(&*sha256(ROUTER)));
    let (status, taken) = host.post("/v1/plugins/router/pull", json!({})).await;
    assert_eq!((status, &taken["applied"]), (StatusCode::OK, &json!(["acme"])), "{taken}");
    assert_eq!(taken["origin"], json!({ "from": "registry", "reference": reference }));
    assert_eq!(decides(&host.get("/v1/policies/acme").await.1), Some(&*sha256(&next)));
    let other = json!({ "reference": registry.reference("acme/router:2") });
    assert_eq!(host.post("/v1/plugins/router/pull", other).await.0, StatusCode::CONFLICT);
    let (status, _) = host.call(Method::POST, "/v1/plugins/router/pull", OPERATOR, Some(json!({}))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_registry_is_down_what_was_pulled_last_decides_and_without_it_only_its_own_organization_waits() {
    let mut registry = Registry::start().await;
    registry.push("acme/router:1", COMPONENT, ROUTER, None);
    let more = format!("[policies.oci]\nrouter = '{}'\n", registry.reference("acme/router:1"));
    let script = b"plugin = \"script\"\nscript = \"acme.rhai\"\n[settings.queues]\nbilling = \"Billing\"\n".as_slice();
    let files = [("acme.toml", POLICY), ("other.toml", script)];
    let host =
        TestHost::set_up(Setup { more: &more, files: &files, other_policy: Some("other"), ..Setup::default() }).await;
    registry.pause().await;
    let host = host.restart().await;
    let (_, plugins) = host.get("/v1/plugins").await;
    assert_eq!(router(&plugins), Some(&*sha256(ROUTER)));
    assert!(trouble(&plugins).unwrap().contains("the one that was pulled last is used"), "{plugins}");
    // An altered file is as good as none.
    std::fs::write(host.data().join("plugins").join(format!("{}.wasm", sha256(ROUTER))), variant("altered")).unwrap();
    let host = host.restart().await;
    let (_, policy) = host.get("/v1/policies/acme").await;
    assert_eq!((&policy["in_force"], &policy["last_rejection"]["waits_for"]), (&Value::Null, &json!("router")));
    let mut elsewhere = received(1, 1, "billing", "jane@example.com");
    elsewhere["account"]["id"] = json!(13);
    host.notify(elsewhere).await;
    host.notify(received(2, 2, "billing", "jane@example.com")).await;
    let errors = host.idle().await;
    assert_eq!(errors.len(), 1);
    let refusal = &errors[0]["refusal"];
    assert!(refusal["text"].as_str().unwrap().contains("the registry cannot be asked"), "{refusal}");
    host.seen("/v1/orgs/other", |org| org["unmerged"] == 0 && org["sending"] == 0).await;
    assert_eq!(host.get("/v1/orgs/other").await.1["sync_errors"]["pending"], 0);
    registry.resume().await;
    let (status, taken) = host.post("/v1/plugins/router/pull", json!({})).await;
    assert_eq!((status, &taken["applied"]), (StatusCode::OK, &json!(["acme"])), "{taken}");
    host.post("/v1/orgs/acme/retry-all", json!({})).await;
    host.until("it got through", |health| health.sync_errors.resolved == 1).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_reference_that_was_pulled_before_asks_no_registry_at_the_start() {
    let mut registry = Registry::start().await;
    let pinned = registry.push("acme/router:1", "application/vnd.wasm.content.layer.v1+wasm", ROUTER, None);
    let more = format!("[policies.oci]\nrouter = '{}@{pinned}'\n", registry.reference("acme/router:1"));
    let host = TestHost::set_up(Setup { more: &more, files: &[("acme.toml", POLICY)], ..Setup::default() }).await;
    registry.push("acme/router:1", COMPONENT, &variant("moved"), None);
    assert_eq!(host.post("/v1/plugins/router/pull", json!({})).await.0, StatusCode::OK);
    assert_eq!(router(&host.get("/v1/plugins").await.1), Some(&*sha256(ROUTER)), "the digest decides, not the tag");
    registry.pause().await;
    let host = host.restart().await;
    let (_, plugins) = host.get("/v1/plugins").await;
    assert_eq!((router(&plugins), trouble(&plugins)), (Some(&*sha256(ROUTER)), None));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_gives_is_bounded_and_has_the_digest_that_its_manifest_says() {
    let registry = Registry::start().await;
    let host =
        TestHost::set_up(Setup { more: "[policies.limits]\nplugin_bytes = 8000000\n", ..Setup::default() }).await;
    let layer = |kind: &str, size: usize| json!([{ "mediaType": kind, "digest": digest(ROUTER), "size": size }]);
    let pull = async |name: &str| {
        let body = json!({ "reference": registry.reference(name) });
        let (status, problem) = host.post("/v1/plugins/router/pull", body).await;
        (status, problem["detail"].as_str().unwrap_or_default().to_owned())
    };
    registry.push_manifest("acme/large:1", layer(COMPONENT, 8_000_001), None);
    registry.push_manifest("acme/image:1", layer("application/vnd.oci.image.layer.v1.tar", 10), None);
    for (name, words) in [
        ("acme/large:1", "8000000 are allowed"),
        ("acme/image:1", "0 layers"),
        ("acme/none:1", "no such manifest"),
        ("endless:1", "its manifest has more than the 4194304 bytes"),
    ] {
        let (status, said) = pull(name).await;
        assert!(status == StatusCode::UNPROCESSABLE_ENTITY && said.contains(words), "{name}: {status} {said}");
    }
    assert_eq!(registry.asked("blobs"), 0, "the bound is looked at before anything is read");
    registry.push_manifest("acme/more:1", layer(COMPONENT, 10), None);
    registry.push_manifest("acme/altered:1", layer(COMPONENT, ROUTER.len()), None);
    registry.put_blob(&digest(ROUTER), &ROUTER.iter().map(|byte| byte ^ 1).collect::<Vec<_>>());
    for (name, words) in [("acme/more:1", "more than the 10 bytes"), ("acme/altered:1", "Invalid digest")] {
        let (status, said) = pull(name).await;
        assert!(status == StatusCode::UNPROCESSABLE_ENTITY && said.contains(words), "{name}: {status} {said}");
    }
    assert!(router(&host.get("/v1/plugins").await.1).is_none() && !host.plugin_file("router.wasm").exists());
    let nobody = json!({ "reference": "127.0.0.1:9/acme/router:1" });
    assert_eq!(host.post("/v1/plugins/router/pull", nobody).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(host.post("/v1/plugins/router/pull", json!({ "reference": "?" })).await.0, StatusCode::BAD_REQUEST);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulled_plugin_is_signed_by_an_annotation_of_its_manifest_and_kept_like_one_that_is_handed_in() {
    let registry = Registry::start().await;
    let keys = Keys::default();
    let more = format!("[policies.limits]\nplugin_keys = ['{}']\n", keys.public());
    let host = TestHost::set_up(Setup { more: &more, ..Setup::default() }).await;
    registry.push("acme/router:1", COMPONENT, ROUTER, None);
    registry.push("acme/router:2", COMPONENT, ROUTER, Some(&keys.sign(ROUTER)));
    let pull = async |tag: u32| {
        let reference = registry.reference(&format!("acme/router:{tag}"));
        host.post("/v1/plugins/router/pull", json!({ "reference": reference })).await
    };
    let (status, problem) = pull(1).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains("not signed"), "{problem}");
    let (status, taken) = pull(2).await;
    assert_eq!(status, StatusCode::OK, "{taken}");
    drop(registry);
    let host = host.restart().await;
    let (_, plugins) = host.get("/v1/plugins").await;
    assert_eq!((router(&plugins), trouble(&plugins)), (Some(&*sha256(ROUTER)), None));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registrys_password_goes_to_no_other_address_whatever_the_registry_says() {
    let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listening.set_nonblocking(true).unwrap();
    // By its address it is this machine as well, but not the registry.
    let elsewhere = format!("http://localhost:{}/token", listening.local_addr().unwrap().port());
    for (realm, words) in [(&*elsewhere, "not of its own domain"), ("http://reg.example/token", "not reached by https")]
    {
        let registry = Registry::locked_by(realm).await;
        registry.push("acme/router:1", COMPONENT, ROUTER, None);
        let more = format!("[policies.registries.'{}']\nuser = 'user'\npassword = 'password'\n", registry.address);
        let host = TestHost::set_up(Setup { more: &more, ..Setup::default() }).await;
        let body = json!({ "reference": registry.reference("acme/router:1") });
        let (status, problem) = host.post("/v1/plugins/router/pull", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains(words) && said.contains(realm), "{said}");
        host.stop().await;
    }
    assert!(listening.accept().is_err(), "nobody came");
}
