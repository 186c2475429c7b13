//! The folders of policies and plugins: what gets into them is taken however it gets there, and nothing in them stops anybody.

use std::io::Write;
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
async fn a_folder_that_another_one_replaces_is_read_and_goes_on_being_watched() {
    let (host, folder) = host_with(|folder| filled(folder, "first")).await;
    let beside = |name: &str| folder.with_file_name(name);
    filled(&beside("new"), "renamed");
    std::fs::rename(&folder, beside("old")).unwrap();
    std::fs::rename(beside("new"), &folder).unwrap();
    decides(&host, "renamed").await;
    std::fs::write(folder.join("acme.toml"), toml("edited")).unwrap();
    decides(&host, "edited").await;
    std::fs::remove_dir_all(&folder).unwrap();
    trouble(&host, folder.to_str().unwrap(), "there is no such folder any more").await;
    assert!(host.get("/v1/policies/acme").await.1["in_force"].is_object());
    let texts = json!({ "toml": toml("put"), "scripts": { "acme.rhai": SCRIPT } });
    let (status, problem) = host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(texts)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "the file would come back with the folder: {problem}");
    filled(&folder, "made anew");
    decides(&host, "made anew").await;
    std::fs::write(folder.join("acme.toml"), toml("edited again")).unwrap();
    decides(&host, "edited again").await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_a_link_is_read_again_when_the_link_leads_elsewhere() {
    let link = |folder: &Path, to: &str| {
        let draft = folder.with_file_name("draft");
        symlink(to, &draft).unwrap();
        std::fs::rename(draft, folder).unwrap();
    };
    let (host, folder) = host_with(|folder| {
        filled(&folder.with_file_name("r1"), "first");
        filled(&folder.with_file_name("r2"), "second");
        link(folder, "r1");
    })
    .await;
    decides(&host, "first").await;
    link(&folder, "r2");
    decides(&host, "second").await;
    std::fs::write(folder.join("acme.toml"), toml("edited")).unwrap();
    decides(&host, "edited").await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_a_config_map_are_taken_when_its_data_is_swapped() {
    let swap = |folder: &Path, to: &str| {
        symlink(to, folder.join("..data_tmp")).unwrap();
        std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    };
    let (host, folder) = host_with(|folder| {
        filled(&folder.join("..2026_1"), "first");
        swap(folder, "..2026_1");
        for file in ["acme.toml", "acme.rhai"] {
            symlink(Path::new("..data").join(file), folder.join(file)).unwrap();
        }
    })
    .await;
    decides(&host, "first").await;
    filled(&folder.join("..2026_2"), "second");
    swap(&folder, "..2026_2");
    decides(&host, "second").await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_edited_where_no_event_tells_is_taken_within_a_minute() {
    let (host, folder) = host_with(|folder| {
        filled(&folder.with_file_name("elsewhere"), "first");
        filled(folder, "unused");
        std::fs::remove_file(folder.join("acme.toml")).unwrap();
        symlink("../elsewhere/acme.toml", folder.join("acme.toml")).unwrap();
    })
    .await;
    decides(&host, "first").await;
    std::fs::write(folder.with_file_name("elsewhere").join("acme.toml"), toml("edited")).unwrap();
    host.seen_while_time_passes("/v1/policies/acme", |policy| {
        policy["source"]["toml"].as_str().is_some_and(|it| it.starts_with("# edited"))
    })
    .await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_which_half_is_written_does_not_decide() {
    let (host, folder) = host_with(|folder| filled(folder, "first")).await;
    // Once another one is in force, the folder was looked at since it was put there.
    let looked_at = async |beacon: &str| {
        let text = "plugin = \"keyword-router\"\n[settings]\ndefault = \"Care\"\n";
        std::fs::write(folder.join(format!("{beacon}.toml")), text).unwrap();
        host.seen(&format!("/v1/policies/{beacon}"), |policy| policy["in_force"].is_object()).await;
    };
    looked_at("before").await;
    let mut script = std::fs::File::create(folder.join("acme.rhai")).unwrap();
    script.write_all(b"fn route(conversation) { queue(\"Half\") }\n").unwrap();
    script.sync_all().unwrap();
    looked_at("meanwhile").await;
    assert_eq!(host.get("/v1/policies/acme").await.1["source"]["scripts"]["acme.rhai"], SCRIPT);
    script.write_all(b"// the other half\n").unwrap();
    drop(script);
    let whole = "fn route(conversation) { queue(\"Half\") }\n// the other half\n";
    host.seen("/v1/policies/acme", |policy| policy["source"]["scripts"]["acme.rhai"] == whole).await;
    let (_, revisions) = host.get("/v1/policies/acme/revisions").await;
    assert_eq!(revisions["revisions"].as_array().unwrap().len(), 3, "one of the first host's, and two: {revisions}");
    host.stop().await;
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
    let router = include_bytes!("../../../plugins/prebuilt/keyword-router.wasm").as_slice();
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
