//! Tokens from the command line, on a host that runs.

use serde_json::Value;

use crate::acme::{acme, ask, asking, hand_in, ids, said};
use crate::switchyard::{Host, printed};

/// The exit code and both outputs of a command that asks with this token.
fn ask_with(host: &Host, token: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = asking(host, arguments).env("SWITCHYARD_TOKEN", token).output().expect("it runs");
    let (said, errors) = printed(&output);
    (output.status.code(), said, errors)
}

#[test]
fn a_token_is_printed_alone_once_is_listed_without_its_secret_and_opens_nothing_once_it_is_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=1);
    let error = ids(&host, "pending", 1).remove(0);
    let make = ["token", "make", "billing robot", "--scope", "read,errors", "--org", "acme", "--expires-in", "90d"];
    let (code, secret, aside) = ask(&host, &make);
    assert_eq!(code, Some(0), "{aside}");
    assert!(secret.starts_with("swy_") && secret.trim_end().len() == 42 && secret.lines().count() == 1, "{secret}");
    let id = aside.split_whitespace().next().expect("an id").to_owned();
    assert!(id.starts_with("tok-") && aside.contains("is made until ") && !aside.contains("swy_"), "{aside}");
    let secret = secret.trim_end();
    let (code, _, errors) = ask_with(&host, secret, &["sync-error", "ignore", &error, "--reason", "a test"]);
    assert_eq!(code, Some(0), "{errors}");
    let list = said(&host, &["token", "list"]);
    let line = list.lines().find(|line| line.starts_with(&id)).expect("it is listed");
    for words in ["billing robot", "valid", "read,errors", "acme", "ops"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(!list.contains("swy_") && list.contains("the configuration"), "{list}");
    let told = said(&host, &["action", "list", "--what", "ignore"]);
    assert!(told.contains(&format!("[{id} 127.0.0.1 req-")), "{told}");
    let whole: Value =
        serde_json::from_str(&said(&host, &["token", "make", "x", "--scope", "read", "--json"])).expect("JSON");
    assert!(whole["secret"].is_string() && whole["token"]["expires_at"].is_null(), "{whole}");

    // What was printed is on disk.
    let (_, log) = host.end("KILL");
    assert!(log.contains("token-make") && !log.contains("swy_"), "{log}");
    let host = Host::serve(&folder.path().join("switchyard.toml"));
    assert_eq!(ask_with(&host, secret, &["sync-error", "list"]).0, Some(0), "it survives a kill");
    for _ in 0..2 {
        let (code, _, aside) = ask(&host, &["token", "revoke", &id]);
        assert_eq!((code, aside), (Some(0), format!("{id} is revoked\n")));
    }
    let (code, _, errors) = ask_with(&host, secret, &["sync-error", "list"]);
    assert!(code == Some(3) && errors.contains("Not authorized"), "{errors}");
    let (code, _, errors) = ask(&host, &["token", "make", "x", "--scope", "policies"]);
    assert!(code == Some(3) && errors.contains("`policies`"), "{errors}");
    let (code, _, errors) = ask(&host, &["token", "make", "x", "--scope", "everything"]);
    assert!(code == Some(2) && errors.contains("none of read, errors"), "{errors}");
}
