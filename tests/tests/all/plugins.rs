//! Plugins: from a folder that is watched, and from an OCI registry; what is not taken leaves the one before in force.

mod pulled;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, Keys, OPERATOR, Setup, TestHost, digest, received};

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
