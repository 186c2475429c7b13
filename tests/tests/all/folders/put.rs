//! What is put and deleted over the API, in the folders: whole or not at all.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, Setup, TestHost};

use super::{SCRIPT, toml};

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_cannot_be_kept_is_not_in_force_and_leaves_no_file() {
    let host = TestHost::start().await;
    std::fs::create_dir_all(host.policy_file("torn.toml").join("in the way")).unwrap();
    let texts = json!({ "toml": "plugin = \"script\"\nscript = \"torn.rhai\"\n", "scripts": { "torn.rhai": SCRIPT } });
    let (status, problem) = host.call(Method::PUT, "/v1/policies/torn", ADMIN, Some(texts)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("nothing is changed"), "{problem}");
    assert!(!host.policy_file("torn.rhai").exists(), "no half of it");
    assert!(host.get("/v1/policies/torn").await.1["in_force"].is_null());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_a_power_cut_broke_off_between_two_files_is_finished_at_the_next_start() {
    let host = TestHost::start().await;
    let kept = host.policy_file(".acme.put");
    std::fs::create_dir(&kept).unwrap();
    std::fs::write(kept.join("acme.toml"), toml("put")).unwrap();
    std::fs::write(host.policy_file("acme.rhai"), SCRIPT).unwrap();
    let host = host.restart().await;
    let (_, policy) = host.get("/v1/policies/acme").await;
    assert!(policy["source"]["toml"].as_str().unwrap().starts_with("# put"), "{policy}");
    assert!(!kept.exists());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_put_nor_a_restore_changes_the_script_of_another_policy() {
    let host = TestHost::start().await;
    let acmes = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    let texts = |script: &str, text: &str| {
        json!({ "toml": format!("plugin = \"script\"\nscript = \"{script}\"\n[settings.queues]\nbilling = \"Care\"\n"),
                "scripts": { script: text } })
    };
    let put = async |name: &str, texts: Value| {
        host.call(Method::PUT, &format!("/v1/policies/{name}"), ADMIN, Some(texts)).await
    };
    let (status, problem) = put("second", texts("acme.rhai", SCRIPT)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("acme.toml"), "{problem}");
    assert_eq!(std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap(), acmes);
    assert_eq!(put("second", texts("acme.rhai", &acmes)).await.0, StatusCode::OK, "the same text changes nothing");
    assert_eq!(put("second", texts("second.rhai", SCRIPT)).await.0, StatusCode::OK);
    let mut unnamed = texts("second.rhai", SCRIPT);
    unnamed["scripts"]["acme.rhai"] = json!(SCRIPT);
    assert_eq!(put("second", unnamed).await.0, StatusCode::OK);
    assert_eq!(
        std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap(),
        acmes,
        "what it does not name is let be"
    );
    let changed = format!("{acmes}// changed\n");
    assert_eq!(put("acme", texts("acme.rhai", &changed)).await.0, StatusCode::OK);
    let (status, problem) = host.post("/v1/policies/second/revisions/1/restore", json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap(), changed);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_no_organization_uses_is_deleted_with_its_files_and_comes_back_only_by_a_person() {
    let host = TestHost::start().await;
    let texts =
        json!({ "toml": "plugin = \"script\"\nscript = \"extra.rhai\"\n", "scripts": { "extra.rhai": SCRIPT } });
    assert_eq!(host.call(Method::PUT, "/v1/policies/extra", ADMIN, Some(texts)).await.0, StatusCode::OK);
    let delete = async |name: &str| host.call(Method::DELETE, &format!("/v1/policies/{name}"), ADMIN, None).await;
    let (status, problem) = delete("acme").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("acme and other use it"), "{problem}");
    assert_eq!(delete("default").await.0, StatusCode::CONFLICT);
    assert_eq!(delete("nobody").await.0, StatusCode::NOT_FOUND);
    assert_eq!(delete("extra").await.0, StatusCode::NO_CONTENT);
    assert!(!host.policy_file("extra.toml").exists() && !host.policy_file("extra.rhai").exists());
    let host = host.restart().await;
    assert_eq!(host.get("/v1/policies/extra").await.0, StatusCode::NOT_FOUND);
    let (status, answer) = host.post("/v1/policies/extra/revisions/1/restore", json!({})).await;
    assert_eq!((status, &answer["in_force"]["revision"]), (StatusCode::OK, &json!(1)), "{answer}");
    assert!(host.policy_file("extra.toml").exists());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_no_policy_uses_is_deleted_with_its_files() {
    let router = include_bytes!("../../../../plugins/prebuilt/keyword-router.wasm").as_slice();
    let policy = b"plugin = \"router\"\n[settings]\ndefault = \"Care\"\n".as_slice();
    let files =
        [("uses.toml", policy), ("plugins/router.wasm", router), ("plugins/router.wasm.minisig", b"text".as_slice())];
    let host = TestHost::set_up(Setup { files: &files, ..Setup::default() }).await;
    let delete = async |path: &str| host.call(Method::DELETE, path, ADMIN, None).await;
    let (status, problem) = delete("/v1/plugins/router").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("uses use it"), "{problem}");
    assert_eq!(delete("/v1/plugins/script").await.0, StatusCode::CONFLICT);
    assert_eq!(delete("/v1/plugins/keyword-router").await.0, StatusCode::CONFLICT, "it is part of the program");
    assert_eq!(delete("/v1/plugins/nobody").await.0, StatusCode::NOT_FOUND);
    assert_eq!(delete("/v1/policies/uses").await.0, StatusCode::NO_CONTENT);
    assert_eq!(delete("/v1/plugins/router").await.0, StatusCode::NO_CONTENT);
    assert!(!host.plugin_file("router.wasm").exists() && !host.plugin_file("router.wasm.minisig").exists());
    let (_, plugins) = host.get("/v1/plugins").await;
    assert!(plugins["plugins"].as_array().unwrap().iter().all(|plugin| plugin["name"] != "router"), "{plugins}");
    assert_eq!(plugins["troubles"], json!([]), "{plugins}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_can_be_no_file_is_refused_as_such() {
    let host = TestHost::start().await;
    let texts = json!({ "toml": "plugin = \"keyword-router\"\n[settings]\ndefault = \"Care\"\n" });
    for name in [".hidden", "acme%20copy", "%C3%A9quipe", &"a".repeat(129)] {
        let (status, problem) =
            host.call(Method::PUT, &format!("/v1/policies/{name}"), ADMIN, Some(texts.clone())).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {problem}");
        let (status, problem) = host.call(Method::PUT, &format!("/v1/plugins/{name}"), ADMIN, None).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {problem}");
    }
    host.stop().await;
}
