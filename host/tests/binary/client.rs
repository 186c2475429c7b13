//! How the command line finds its host, and what it says of organizations and environments.

use serde_json::Value;

use crate::acme::{TOKEN, acme, ask, hand_in, ids, said};
use crate::switchyard::{printed, switchyard};

#[test]
fn organizations_and_environments_are_told_as_they_stand() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=2);
    ids(&host, "pending", 2);
    let table = said(&host, &["org", "list"]);
    let lines: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..5], ["ORG", "POLICY", "PENDING", "RETRYING", "IGNORED"], "{table}");
    assert_eq!(lines[1][..5], ["acme", "default", "2", "0", "0"], "{table}");
    let line: Value = serde_json::from_str(&said(&host, &["org", "list", "--json"])).expect("one object in a line");
    assert_eq!(line["sync_errors"]["pending"], 2);
    let shown = said(&host, &["org", "show", "acme"]);
    assert!(
        shown.contains("sync errors 2 pending, 0 retrying") && shown.contains("source      shop last at "),
        "{shown}"
    );
    // Nobody answers at the address of its Salesforce.
    let (code, report, errors) = ask(&host, &["org", "check", "acme"]);
    assert!(
        code == Some(1) && report.contains("wrong    ") && errors.contains("points are not right"),
        "{report}{errors}"
    );
    let (code, _, errors) = ask(&host, &["org", "show", "nobody"]);
    assert!(code == Some(3) && errors.contains("nobody"), "{errors}");
    assert_eq!(said(&host, &["environment", "list"]), "");
}

#[test]
fn settings_are_changed_taken_back_and_not_overwritten_and_mails_muted() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    let table = said(&host, &["org", "set", "acme", "concurrency=9", "mode=by-team:billing,care"]);
    let line = |name: &str, table: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).expect("a line").to_owned();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("concurrency", &table)[1..4], ["9", "api", "4"], "{table}");
    assert_eq!(line("mode", &table)[1], "{by-team:[billing,care]}", "{table}");
    let tag = line("etag", &table).remove(1);
    let table = said(&host, &["org", "set", "acme", "--back", "mode", "--if-match", &tag]);
    assert_eq!(line("mode", &table)[1..], ["by-policy", "file"], "{table}");
    let (code, _, errors) = ask(&host, &["org", "set", "acme", "concurrency=5", "--if-match", &tag]);
    assert!(code == Some(3) && errors.contains("another version"), "{errors}");
    let (code, _, errors) = ask(&host, &["org", "set", "acme", "concurrency=0"]);
    assert!(code == Some(3) && errors.contains("concurrency"), "{errors}");
    assert!(said(&host, &["org", "mute", "acme", "--for", "8"]).contains("are muted until"));
    assert!(said(&host, &["org", "settings", "acme"]).contains("mails are muted until"));
    assert!(said(&host, &["org", "mute", "acme", "--end"]).contains("mails about acme are sent"));
    let (code, _, errors) = ask(&host, &["org", "test-mail", "acme"]);
    assert!(code == Some(3) && errors.contains("no [mail]"), "{errors}");
    assert_eq!(said(&host, &["mail", "list"]), "");
}

#[test]
fn a_file_names_the_host_and_its_token_where_nothing_else_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    let place = folder.path().join(".config/switchyard");
    std::fs::create_dir_all(&place).expect("a folder");
    let list = || {
        let output = switchyard(["org", "list"]).env("HOME", folder.path()).output().expect("it runs");
        (output.status.success(), printed(&output))
    };
    std::fs::write(place.join("client.toml"), format!("url = 'http://{}'\ntoken_file = 'token'\n", host.address))
        .expect("a file");
    let (done, (_, errors)) = list();
    assert!(!done && errors.contains("client.toml") && errors.contains("there is no such file"), "{errors}");
    std::fs::write(place.join("token"), format!("{TOKEN}\n")).expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let owner_alone = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(place.join("token"), owner_alone).expect("a mode");
    }
    let (done, (told, errors)) = list();
    assert!(done && told.contains("acme"), "{told}{errors}");
    // A host that the command line names is asked without the token of the file's.
    let other = host.address.replace("127.0.0.1", "localhost");
    let output =
        switchyard(["org", "list", "--url"]).arg(format!("http://{other}")).env("HOME", folder.path()).output();
    let output = output.expect("it runs");
    let (_, errors) = printed(&output);
    assert!(!output.status.success() && errors.contains("token") && !errors.contains(TOKEN), "{errors}");
}

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = switchyard(["completions", shell]).output().expect("it runs");
        let (script, errors) = printed(&output);
        assert!(output.status.success() && errors.is_empty(), "{errors}");
        for command in ["sync-error", "retry-all", "environment"] {
            assert!(script.contains(command), "{shell}: no {command}");
        }
    }
}
