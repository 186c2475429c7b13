//! Plugins: from a folder that is watched, and from an OCI registry; what is not taken leaves the one before in force.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, Keys, OPERATOR, Registry, Setup, TestHost, digest, received};

use crate::browser::Browser;

const ROUTER: &[u8] = include_bytes!("../../../plugins/prebuilt/keyword-router.wasm");
const POLICY: &[u8] = b"plugin = \"router\"\n[settings]\ndefault = \"Care\"\n";
const COMPONENT: &str = "application/wasm";

/// The same plugin with another digest: a custom section more.
fn variant(name: &str) -> Vec<u8> {
    let length = |length: usize| u8::try_from(length).expect("a short name");
    let section = [&[0, length(name.len() + 1), length(name.len())], name.as_bytes()].concat();
    [ROUTER, &section].concat()
}

/// As the API writes it.
fn sha256(bytes: &[u8]) -> String {
    digest(bytes).trim_start_matches("sha256:").to_owned()
}

/// The digest of the plugin `router`, where there is one.
fn router(plugins: &Value) -> Option<&str> {
    let plugins = plugins["plugins"].as_array().expect("a list");
    plugins.iter().find(|plugin| plugin["name"] == "router")?["digest"].as_str()
}

/// Why it is not another one.
fn trouble(plugins: &Value) -> Option<&str> {
    plugins["troubles"][0]["reason"].as_str()
}

/// The digest of the plugin that decides for `acme`.
fn decides(policy: &Value) -> Option<&str> {
    policy["in_force"]["answered_by"][0]["plugin_digest"].as_str()
}

async fn queue_of(host: &TestHost, conversation: u64) -> Value {
    host.notify(received(conversation, conversation, "nobody", "jane@example.com")).await;
    host.idle().await;
    host.query("SELECT alcmeon__To_SF_Queue_Id__c FROM alcmeon__Conversation__c").await[0]["alcmeon__To_SF_Queue_Id__c"]
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_is_taken_without_a_restart_and_policies_that_name_no_digest_decide_by_it() {
    let files = [("acme.toml", POLICY), ("plugins/router.wasm", ROUTER)];
    let host = TestHost::set_up(Setup { files: &files, ..Setup::default() }).await;
    let pinned = format!("plugin = \"router\"\ndigest = \"{}\"\n[settings]\ndefault = \"Care\"\n", digest(ROUTER));
    host.call(Method::PUT, "/v1/policies/pinned", ADMIN, Some(json!({ "toml": pinned }))).await;
    let next = variant("next");
    std::fs::write(host.plugin_file("router.wasm"), &next).unwrap();
    host.seen("/v1/policies/acme", |policy| decides(policy) == Some(&sha256(&next))).await;
    let (_, plugins) = host.get("/v1/plugins").await;
    assert_eq!((router(&plugins), trouble(&plugins)), (Some(&*sha256(&next)), None));
    let (_, policy) = host.get("/v1/policies/pinned").await;
    assert_eq!((decides(&policy), &policy["last_rejection"]), (Some(&*sha256(ROUTER)), &Value::Null));
    let care = host.query("SELECT Id FROM Group WHERE DeveloperName = 'Care'").await;
    assert_eq!(queue_of(&host, 1).await, care[0]["Id"]);
    std::fs::remove_file(host.plugin_file("router.wasm")).unwrap();
    let plugins = host.seen("/v1/plugins", |plugins| trouble(plugins).is_some()).await;
    assert!(trouble(&plugins).unwrap().contains("stays until the host is started again"), "{plugins}");
    assert_eq!(router(&plugins), Some(&*sha256(&next)));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_half_written_is_refused_with_its_reason_and_taken_when_it_is_whole() {
    let files = [("acme.toml", POLICY), ("plugins/router.wasm", ROUTER)];
    let host = TestHost::set_up(Setup { files: &files, ..Setup::default() }).await;
    let next = variant("next");
    std::fs::write(host.plugin_file("router.wasm"), &next[..next.len() / 2]).unwrap();
    let plugins = host.seen("/v1/plugins", |plugins| trouble(plugins).is_some()).await;
    assert_eq!(router(&plugins), Some(&*sha256(ROUTER)));
    assert_eq!(decides(&host.get("/v1/policies/acme").await.1), Some(&*sha256(ROUTER)));
    std::fs::write(host.plugin_file("router.wasm"), &next).unwrap();
    host.seen("/v1/policies/acme", |policy| decides(policy) == Some(&sha256(&next))).await;
    assert_eq!(trouble(&host.get("/v1/plugins").await.1), None);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_whose_signature_comes_after_it_is_taken_when_the_signature_is_there() {
    let keys = Keys::default();
    let more = format!("[policies.limits]\nplugin_keys = ['{}']\n", keys.public());
    let host = TestHost::set_up(Setup { more: &more, ..Setup::default() }).await;
    let file = host.plugin_file("router.wasm");
    std::fs::write(&file, ROUTER).unwrap();
    let plugins = host.seen("/v1/plugins", |plugins| trouble(plugins).is_some()).await;
    assert!(trouble(&plugins).unwrap().contains("not signed") && router(&plugins).is_none(), "{plugins}");
    std::fs::write(file.with_extension("wasm.minisig"), keys.sign(ROUTER)).unwrap();
    let plugins = host.seen("/v1/plugins", |plugins| router(plugins).is_some()).await;
    assert_eq!((router(&plugins), trouble(&plugins)), (Some(&*sha256(ROUTER)), None));
    std::fs::write(&file, variant("altered")).unwrap();
    let plugins = host.seen("/v1/plugins", |plugins| trouble(plugins).is_some()).await;
    assert!(trouble(&plugins).unwrap().contains("altered"), "{plugins}");
    assert_eq!(router(&plugins), Some(&*sha256(ROUTER)));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_handed_in_by_the_form_of_the_console_and_what_cannot_be_one_changes_nothing() {
    let keys = Keys::default();
    let more = format!("[policies.limits]\nplugin_bytes = 5_000_000\nplugin_keys = ['{}']\n", keys.public());
    let host = TestHost::set_up(Setup { more: &more, ..Setup::default() }).await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    browser
        .get("/plugins")
        .await
        .says(&["action=\"/plugins\" enctype=\"multipart/form-data\"", "5,000,000 bytes at most"]);
    let signature = keys.sign(ROUTER);
    let (name, signature) =
        (("name", None, &b" router "[..]), ("signature", Some("router.wasm.minisig"), signature.as_bytes()));
    let file = |bytes| ("file", Some("router.wasm"), bytes);
    let (altered, too_large, far_too_large) = (variant("altered"), vec![0; 5_000_001], vec![0; 6_000_000]);
    for (form, status, says) in [
        (&[name, signature][..], StatusCode::BAD_REQUEST, "File: the form does not say it"),
        (&[name, file(&b""[..])], StatusCode::BAD_REQUEST, "File: the form does not say it"),
        (&[file(ROUTER), signature], StatusCode::BAD_REQUEST, "Name: the form does not say it"),
        (&[("name", None, b".router"), file(ROUTER)], StatusCode::UNPROCESSABLE_ENTITY, "a hidden file"),
        (&[("name", None, b"../router"), file(ROUTER)], StatusCode::UNPROCESSABLE_ENTITY, "../router"),
        (&[name, file(ROUTER)], StatusCode::UNPROCESSABLE_ENTITY, "not signed"),
        (&[name, file(&altered), signature], StatusCode::UNPROCESSABLE_ENTITY, "altered"),
        (&[name, file(b"no component"), signature], StatusCode::UNPROCESSABLE_ENTITY, "altered"),
        (&[name, file(ROUTER), ("surname", None, b"x")], StatusCode::BAD_REQUEST, "name, file and signature"),
        (&[name, file(&too_large)], StatusCode::PAYLOAD_TOO_LARGE, "5000000 bytes"),
        (&[name, file(&far_too_large)], StatusCode::PAYLOAD_TOO_LARGE, "5000000 bytes"),
    ] {
        let page = browser.upload("/plugins", form).await;
        assert_eq!(page.status, status, "{}", page.text);
        page.says(&[says]);
    }
    let half = browser.upload_as("/plugins", "multipart/form-data; boundary=edge", b"--edge\r\nContent-Disp").await;
    assert_eq!(half.status, StatusCode::BAD_REQUEST, "{}", half.text);
    assert_eq!(router(&host.get("/v1/plugins").await.1), None);
    let reader = Browser::sign_in(&host, OPERATOR).await;
    assert_eq!(reader.upload("/plugins", &[name, file(ROUTER), signature]).await.status, StatusCode::FORBIDDEN);
    let page = browser.upload("/plugins", &[name, signature, file(ROUTER)]).await;
    browser.get(page.leads_to()).await.says(&["The plugin was taken", ">router<"]);
    assert_eq!(router(&host.get("/v1/plugins").await.1), Some(&*sha256(ROUTER)));
    let (_, actions) = host.get("/v1/actions?what=plugin-put").await;
    assert_eq!(
        (&actions["actions"][0]["via"], actions["actions"].as_array().map(Vec::len)),
        (&json!("console"), Some(1))
    );
    host.stop().await;
}

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
