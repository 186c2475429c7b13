//! What `serve` and `check-config` refuse, and how a host stops.

use std::path::PathBuf;

use crate::switchyard::{Host, post, printed, switchyard};

const CONFIG: &str = "[http]\nlisten = '127.0.0.1:0'\n[[http.tokens]]\nname = 'ops'\nsecret = 'a-long-enough-secret'\nscopes = ['read', 'intake']\n\
    [[orgs]]\nid = 'acme'\naccounts = ['shop/*']\n\
    [orgs.salesforce]\nlogin_url = 'http://127.0.0.1:9'\nclient_id = 'app'\nrefresh_token = 'a-refresh-token'\n\
    [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n";

/// A folder with a configuration.
fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("switchyard.toml");
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}

/// What `serve` says before it gives up.
fn refused(text: &str) -> String {
    let (_folder, path) = written(text);
    let output = switchyard(["serve", "--config"]).arg(path).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    printed(&output).1
}

#[test]
fn check_config_says_what_would_be_served_and_starts_nothing() {
    let (folder, path) = written(CONFIG);
    let output = switchyard(["check-config", "--config"]).arg(path).output().expect("it runs");
    let (said, errors) = printed(&output);
    assert!(output.status.success() && said.contains("1 organizations"), "{said}{errors}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "something was made");
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    let said = refused(&CONFIG.replace("accounts =", "acounts ="));
    assert!(said.contains("switchyard.toml:9:1") && said.contains("`acounts`"), "{said}");
    assert!(!said.contains("a-refresh-token"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = switchyard(["serve", "--config", "/nowhere/switchyard.toml"]).output().expect("it runs");
    assert!(printed(&output).1.contains("/nowhere/switchyard.toml"), "{output:?}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn nothing_is_served_to_everybody() {
    let without = CONFIG
        .replace("[[http.tokens]]\nname = 'ops'\nsecret = 'a-long-enough-secret'\nscopes = ['read', 'intake']\n", "");
    assert!(refused(&without).contains("http.tokens: at least one is needed"));
    let public = refused(&without.replace("127.0.0.1:0", "0.0.0.0:0"));
    assert!(public.contains("http.tokens: at least one is needed"), "{public}");
}

#[test]
fn a_host_that_may_have_to_store_tokens_needs_a_key_to_seal_them_with() {
    let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let without = CONFIG.replace(&format!("keys = ['{key}']"), "");
    assert!(refused(&without).contains("secrets.keys: one is needed") && refused(&without).contains("openssl rand"));
    let said = refused(&CONFIG.replace(key, "hush-hush"));
    assert!(said.contains("64 hexadecimal digits") && !said.contains("hush"), "{said}");
    assert!(refused(&CONFIG.replace(key, "env:NOBODY_SETS_THIS")).contains("NOBODY_SETS_THIS"));
    let other_flow = without.replace("refresh_token = 'a-refresh-token'", "flow = 'web-server'\nrefresh_token = 'x'");
    let said = refused(&other_flow);
    assert!(said.contains("`acme`") && said.contains("refresh_token is of no use"), "{said}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = refused(&CONFIG.replace("127.0.0.1:0", &address));
    assert!(said.contains(&address), "{said}");
}

#[test]
fn a_second_process_on_one_store_refuses_to_start() {
    let (_folder, path) = written(CONFIG);
    let first = Host::serve(&path);
    let output = switchyard(["serve", "--config"]).arg(&path).output().expect("it runs");
    let said = printed(&output).1;
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("in use") && said.contains("data"), "{said}");
    drop(first);
}

#[test]
fn a_host_that_is_told_to_stop_finishes_and_keeps_what_it_acknowledged() {
    for signal in ["TERM", "INT"] {
        let (folder, path) = written(CONFIG);
        let host = Host::serve(&path);
        let message = r#"{"id":"1","account":"web","channel":"chat","customer":{"name":"Ann"},"messages":[{"id":"m1","sent_at":"2026-09-21T10:00:00Z","body":"Hello"}]}"#;
        let answer = post(&host.address, "/v1/intake/shop", message);
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        let (status, log) = host.end(signal);
        assert!(status.success() && log.contains("stopped"), "{status} {log}");
        assert!(!log.contains("a-refresh-token") && !log.contains("a-long-enough-secret"), "{log}");
        let store = folder.path().join("data");
        let output = switchyard(["store", "export", "--path"]).arg(store).output().expect("it runs");
        assert!(printed(&output).0.contains("shop:1"), "{output:?}");
    }
}
