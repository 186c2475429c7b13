//! The folders of policies and plugins: what gets into them is taken however it gets there, and nothing in them stops anybody.

mod put;
mod watching;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, Setup, TestHost, received};

const SCRIPT: &str = "fn route(conversation) { queue(\"Billing\") }\n";

/// The file of a policy whose revisions differ in this word.
fn toml(word: &str) -> String {
    format!("# {word}\nplugin = \"script\"\nscript = \"acme.rhai\"\n")
}

/// A folder with the policy `acme`.
fn filled(folder: &Path, word: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("acme.rhai"), SCRIPT).unwrap();
    std::fs::write(folder.join("acme.toml"), toml(word)).unwrap();
}

/// A host whose policies are in `policies`, a folder of its own, which `prepare` makes.
async fn host_with(prepare: impl FnOnce(&Path)) -> (TestHost, PathBuf) {
    let host = TestHost::start().await;
    let folder = host.policy_file("policies");
    prepare(&folder);
    let of = folder.clone();
    (host.restart_with(move |config| config.policies.folder = of).await, folder)
}

/// Returns once a trouble of this subject says this; answers it.
async fn trouble(host: &TestHost, subject: &str, words: &str) -> Value {
    let of = |troubles: &Value| {
        let mut all = troubles["troubles"].as_array().unwrap().iter();
        let says = |trouble: &&Value| trouble["what"].as_str().unwrap().contains(words);
        all.find(|trouble| trouble["subject"] == subject && says(trouble)).cloned()
    };
    of(&host.seen("/v1/troubles", |troubles| of(troubles).is_some()).await).unwrap()
}

/// Returns once there is none of this subject.
async fn no_trouble(host: &TestHost, subject: &str) {
    let none = |troubles: &Value| troubles["troubles"].as_array().unwrap().iter().all(|it| it["subject"] != subject);
    host.seen("/v1/troubles", none).await;
}

/// Returns once the texts with this word decide.
async fn decides(host: &TestHost, word: &str) {
    let first = format!("# {word}\n");
    host.seen("/v1/policies/acme", |policy| policy["source"]["toml"].as_str().is_some_and(|it| it.starts_with(&first)))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_no_utf_8_is_refused_with_its_file_line_and_column_and_the_one_in_force_goes_on() {
    let (host, folder) = host_with(|folder| filled(folder, "first")).await;
    let refused = async |file: &str, bytes: &[u8], words: &str| {
        std::fs::write(folder.join(file), bytes).unwrap();
        let problem = |policy: &Value| policy["last_rejection"]["problems"][0].clone();
        let says = |problem: &Value| problem["message"].as_str().is_some_and(|message| message.contains(words));
        let seen = |policy: &Value| problem(policy)["path"] == file && says(&problem(policy));
        let policy = host.seen("/v1/policies/acme", seen).await;
        assert!(policy["in_force"].is_object(), "{policy}");
        problem(&policy)
    };
    let problem = refused("acme.toml", b"# first\n# r\xe9sum\xe9\n", "not UTF-8").await;
    assert_eq!((&problem["line"], &problem["column"]), (&json!(2), &json!(4)), "{problem}");
    std::fs::write(folder.join("acme.toml"), toml("first")).unwrap();
    host.seen("/v1/policies/acme", |policy| policy["last_rejection"].is_null()).await;
    refused("acme.rhai", b"// \xe9\n", "not UTF-8").await;
    refused("acme.toml", b"\xff\xfep\0l\0u\0", "UTF-16").await;
    std::fs::write(folder.join("acme.rhai"), SCRIPT).unwrap();
    refused("acme.toml", b"\xef\xbb\xbfplugin = \"script\"\n", "byte order mark").await;
    let host = host.restart().await;
    assert!(host.get("/v1/policies/acme").await.1["in_force"].is_object(), "the last revision goes on");
    let told = trouble(&host, "acme.toml", "is refused (revision 2 goes on deciding)").await;
    assert_eq!(told["org"], "acme", "{told}");
    std::fs::write(folder.join("acme.toml"), toml("first")).unwrap();
    no_trouble(&host, "acme.toml").await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_none_and_files_that_are_too_large_or_cannot_be_read_stop_nobody() {
    let huge = vec![b'#'; 3 << 20];
    let files: [(&str, &[u8]); 5] = [
        ("acme copy.toml", b"plugin = \"script\"\n"),
        ("\u{e9}quipe.toml", b"plugin = \"script\"\n"),
        ("huge.toml", &huge),
        ("plugins/my router.wasm", b"\0asm"),
        ("plugins/dangling.wasm.minisig", b"signature"),
    ];
    let host = TestHost::set_up(Setup { files: &files, ..Setup::default() }).await;
    std::fs::create_dir(host.policy_file("folder.toml")).unwrap();
    symlink("/nowhere/at/all.toml", host.policy_file("dangling.toml")).unwrap();
    let host = host.restart().await;
    let (_, listed) = host.get("/v1/policies").await;
    let said = |name: &str| {
        let policy = listed["policies"].as_array().unwrap().iter().find(|policy| policy["name"] == name);
        policy.unwrap_or_else(|| panic!("{name}: {listed}"))["last_rejection"]["problems"][0]["message"].to_string()
    };
    assert!(said("huge").contains("1048576"), "{}", said("huge"));
    assert!(said("folder").contains("a folder"), "{}", said("folder"));
    assert!(said("dangling").contains("leads nowhere"), "{}", said("dangling"));
    let (_, revisions) = host.get("/v1/policies/huge/revisions").await;
    assert!(revisions["revisions"].is_null(), "what is too long is not kept: {revisions}");
    assert!(host.get("/v1/policies/acme").await.1["in_force"].is_object());
    for name in ["acme copy.toml", "\u{e9}quipe.toml", "my router.wasm"] {
        trouble(&host, name, "is left out").await;
    }
    trouble(&host, "huge.toml", "nothing is decided until it is mended").await;
    std::fs::remove_file(host.policy_file("acme copy.toml")).unwrap();
    no_trouble(&host, "acme copy.toml").await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_or_a_device_in_place_of_a_file_holds_up_nobody() {
    let host = TestHost::start().await;
    for name in ["pipe.toml", "plugins/pipe.wasm"] {
        let made = std::process::Command::new("mkfifo").arg(host.policy_file(name)).status().unwrap();
        assert!(made.success());
    }
    symlink("/dev/zero", host.policy_file("zero.toml")).unwrap();
    symlink("/dev/zero", host.policy_file("plugins/zero.wasm")).unwrap();
    let host = host.restart().await;
    for name in ["pipe", "zero"] {
        let (_, policy) = host.get(&format!("/v1/policies/{name}")).await;
        let said = policy["last_rejection"]["problems"][0]["message"].as_str().unwrap().to_owned();
        assert!(said.contains("not a regular file"), "{name}: {said}");
        let (_, plugins) = host.get("/v1/plugins").await;
        let trouble = plugins["troubles"].as_array().unwrap().iter().find(|trouble| trouble["name"] == name);
        assert!(trouble.unwrap()["reason"].as_str().unwrap().contains("not a regular file"), "{plugins}");
    }
    std::fs::write(host.policy_file("acme.rhai"), SCRIPT).unwrap();
    host.seen("/v1/policies/acme", |policy| policy["source"]["scripts"]["acme.rhai"] == SCRIPT).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_whose_file_has_gone_goes_on_by_its_last_revision_also_after_a_restart() {
    let host = TestHost::start().await;
    let text = std::fs::read(host.policy_file("acme.toml")).unwrap();
    std::fs::remove_file(host.policy_file("acme.toml")).unwrap();
    let told = trouble(&host, "acme.toml", "is gone; revision 1 goes on deciding").await;
    assert!(told["cure"].as_str().unwrap().contains("put the file back"), "{told}");
    let host = host.restart().await;
    trouble(&host, "acme.toml", "is gone; revision 1 goes on deciding").await;
    let (_, policy) = host.get("/v1/policies/acme").await;
    assert_eq!(policy["in_force"]["revision"], 1, "{policy}");
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    assert!(host.idle().await.is_empty());
    std::fs::write(host.policy_file("acme.toml"), text).unwrap();
    no_trouble(&host, "acme.toml").await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_whose_policy_is_not_there_stops_no_other_one() {
    let host = TestHost::set_up(Setup { other_policy: Some("nowhere"), ..Setup::default() }).await;
    let (_, policy) = host.get("/v1/policies/nowhere").await;
    let said = policy["last_rejection"]["problems"][0]["message"].as_str().unwrap().to_owned();
    assert!(said.contains("there is no file"), "{policy}");
    let mut elsewhere = received(1, 1, "billing", "jane@example.com");
    elsewhere["account"]["id"] = json!(13);
    host.notify(elsewhere).await;
    host.notify(received(2, 2, "billing", "jane@example.com")).await;
    assert!(host.idle().await.is_empty(), "acme's got through");
    host.seen("/v1/orgs/other", |org| org["sync_errors"]["pending"] == 1).await;
    std::fs::write(host.policy_file("nowhere.toml"), "plugin = \"keyword-router\"\n[settings]\ndefault = \"Care\"\n")
        .unwrap();
    host.seen("/v1/policies/nowhere", |policy| policy["in_force"].is_object()).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_goes_on_after_a_restart() {
    let host = TestHost::start().await;
    let texts = json!({ "toml": toml("shadow"), "scripts": { "acme.rhai": SCRIPT } });
    assert_eq!(host.call(Method::PUT, "/v1/policies/acme/shadow", ADMIN, Some(texts)).await.0, StatusCode::OK);
    let host = host.restart().await;
    let (_, policy) = host.get("/v1/policies/acme").await;
    assert_eq!(policy["shadow"]["revision"], 2, "{policy}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_whose_plugin_has_gone_waits_and_stops_no_other_one() {
    let router = include_bytes!("../../../plugins/prebuilt/keyword-router.wasm").as_slice();
    let policy = b"plugin = \"router\"\n[settings]\ndefault = \"Care\"\n".as_slice();
    let files = [("routed.toml", policy), ("plugins/router.wasm", router)];
    let host = TestHost::set_up(Setup { files: &files, other_policy: Some("routed"), ..Setup::default() }).await;
    std::fs::remove_file(host.plugin_file("router.wasm")).unwrap();
    let host = host.restart().await;
    let told = trouble(&host, "routed.toml", "nothing is decided until it is mended").await;
    assert!(told["org"] == "other" && told["what"].as_str().unwrap().contains("there is no plugin `router`"), "{told}");
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    assert!(host.idle().await.is_empty(), "acme's got through");
    std::fs::write(host.plugin_file("router.wasm"), router).unwrap();
    host.seen("/v1/policies/routed", |policy| policy["in_force"].is_object()).await;
    host.stop().await;
}
