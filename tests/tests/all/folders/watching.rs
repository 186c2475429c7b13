//! A change is taken however it gets into a folder, and whole.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::json;
use switchyard_tests::ADMIN;

use super::{SCRIPT, decides, filled, host_with, toml, trouble};

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
