//! What `store` writes and reads, and what it refuses.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::switchyard::{Host, post, printed, switchyard};

const TOKEN: &str = "a-long-enough-secret";

const OLD: &str = concat!(
    "{\"key\":\"cursor/main\",\"value\":\"{\\\"1\\\":7}\"}\n",
    "{\"key\":\"cursor/shop\",\"value\":\"{\\\"1\\\":8}\"}\n"
);

fn store(arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Output {
    let mut command = switchyard(["store"]);
    arguments.iter().for_each(|argument| {
        command.arg(argument.as_ref());
    });
    command.output().expect("it runs")
}

/// What it says when it refuses.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    printed(output).1
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("a folder").next().is_none()
}

/// A store with two records, and its export.
fn exported(folder: &Path) -> PathBuf {
    let (old, path, to) = (folder.join("old"), folder.join("data"), folder.join("export"));
    std::fs::write(&old, OLD).expect("a file");
    let output = store(&[&"import", &"--path", &path, &"--from", &old, &"--headerless"]);
    assert!(output.status.success(), "{output:?}");
    let output = store(&[&"export", &"--path", &path, &"--to", &to]);
    assert!(output.status.success() && printed(&output).1.contains("2 records exported"), "{output:?}");
    to
}

#[test]
fn a_folder_without_a_store_is_an_error_and_nothing_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let typing_error = folder.path().join("dta");
    for path in [folder.path(), &typing_error] {
        let to = folder.path().join("export");
        let recounted = store(&[&"verify", &"--path", &path]);
        assert_eq!(recounted.status.code(), Some(2), "{recounted:?}");
        for output in [store(&[&"export", &"--path", &path, &"--to", &to]), store(&[&"export", &"--path", &path])] {
            let said = refused(&output);
            assert!(said.contains("there is no store at") && output.stdout.is_empty(), "{said}");
        }
    }
    assert!(is_empty(folder.path()), "something was made");
}

#[test]
fn an_export_is_imported_whole_from_a_file_and_from_the_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let export = exported(folder.path());
    assert_eq!(export.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    let again = folder.path().join("again");
    let output = store(&[&"import", &"--path", &again, &"--from", &export]);
    assert!(output.status.success() && printed(&output).1.contains("2 records imported"), "{output:?}");
    let piped = folder.path().join("not/yet/there");
    let file = std::fs::File::open(&export).expect("a file");
    let mut command = switchyard(["store", "import", "--path"]);
    let output = command.arg(&piped).stdin(Stdio::from(file)).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    for path in [again, piped] {
        let output = store(&[&"export", &"--path", &path]);
        assert_eq!(output.stdout, std::fs::read(&export).expect("a file"));
        let output = store(&[&"verify", &"--path", &path]);
        assert!(output.status.success() && printed(&output).1.contains("0 differences"), "{output:?}");
        let said = refused(&store(&[&"import", &"--path", &path, &"--from", &export]));
        assert!(said.contains("not empty"), "{said}");
    }
}

#[test]
fn half_an_export_and_one_without_a_header_are_refused_and_no_store_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let export = exported(folder.path());
    let text = std::fs::read_to_string(&export).expect("text");
    let second = text.match_indices('\n').nth(1).expect("two lines").0;
    for (text, why) in [
        (&text[..second], "breaks off in line 2"),
        (&text[..=second], "breaks off after line 2"),
        ("", "it is empty"),
        (OLD, "--headerless"),
        (&text.replace("cursor/shop", "cursor/shot"), "changed"),
        (&text.replace("{\"key\":\"cursor/shop", "{\"clef\":\"cursor/shop"), "on line 3"),
        (&text.replace("\"format\":2", "\"format\":99"), "99"),
    ] {
        let (half, path) = (folder.path().join("half"), folder.path().join("none"));
        std::fs::write(&half, text).expect("a file");
        let said = refused(&store(&[&"import", &"--path", &path, &"--from", &half]));
        assert!(said.contains(why), "{why}: {said}");
        assert!(!path.exists(), "{why}");
    }
}

#[test]
fn an_export_to_a_full_disk_leaves_the_file_that_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    exported(folder.path());
    let path = folder.path().join("data");
    let said = refused(&store(&[&"export", &"--path", &path, &"--to", &"/dev/full"]));
    assert!(said.contains("No space left"), "{said}");
    let before = folder.path().join("export");
    let inode = before.metadata().expect("a file").ino();
    let said = refused(&store(&[&"export", &"--path", &folder.path().join("no"), &"--to", &before]));
    assert!(said.contains("there is no store"), "{said}");
    assert_eq!(before.metadata().expect("a file").ino(), inode);
    let output = store(&[&"export", &"--path", &path, &"--to", &before]);
    assert!(output.status.success(), "{output:?}");
    assert_ne!(before.metadata().expect("a file").ino(), inode, "it was replaced, and not written over");
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

/// The configuration of a host with one organization; its store is the folder `data` beside it.
fn config(folder: &Path, listen: &str, scopes: &str) -> PathBuf {
    let config = folder.join("switchyard.toml");
    let text = format!(
        "[http]\nlisten = '{listen}'\nlimits = {{ requests_per_second = 1000000 }}\n[[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\nscopes = [{scopes}]\n\
         [[orgs]]\nid = 'acme'\naccounts = ['shop/*']\n[orgs.salesforce]\nlogin_url = 'http://127.0.0.1:9'\n\
         client_id = 'app'\nrefresh_token = 'a-refresh-token'\n[secrets]\nkeys = ['{}']\n",
        "0f".repeat(32)
    );
    std::fs::write(&config, text).expect("a file");
    config
}

/// A running host whose token has these scopes.
fn host(folder: &Path, scopes: &str) -> Host {
    Host::serve(&config(folder, "127.0.0.1:0", scopes))
}

fn back_up(address: &str, to: &Path) -> Output {
    let mut command = switchyard(["store", "backup", "--to"]);
    command.arg(to).env("SWITCHYARD_URL", format!("http://{address}")).env("SWITCHYARD_TOKEN", TOKEN);
    command.output().expect("it runs")
}

#[test]
fn a_running_host_is_backed_up_and_the_backup_is_imported() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = host(folder.path(), "'intake', 'backup'");
    let message = r#"{"id":"1","account":"web","channel":"chat","customer":{"name":"Ann"},"messages":[{"id":"m1","sent_at":"2026-09-21T10:00:00Z","body":"Hello"}]}"#;
    let answer = post(&running.address, "/v1/intake/shop", message);
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let to = folder.path().join("backup");
    std::fs::write(&to, "the backup of yesterday").expect("a file");
    let output = back_up(&running.address, &to);
    assert!(output.status.success() && printed(&output).1.contains("records backed up"), "{output:?}");
    assert_eq!(to.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    let restored = folder.path().join("restored");
    let output = store(&[&"import", &"--path", &restored, &"--from", &to]);
    assert!(output.status.success(), "{output:?}");
    let output = store(&[&"export", &"--path", &restored]);
    assert!(printed(&output).0.contains("shop:1"), "{output:?}");
    let said = refused(&back_up(&running.address, Path::new("/dev/null")));
    assert!(said.contains("cannot be read again"), "{said}");
}

#[test]
fn a_backup_that_may_not_be_read_or_breaks_off_leaves_the_file_that_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("backup");
    std::fs::write(&to, "the backup of yesterday").expect("a file");
    let without_scope = host(folder.path(), "'read', 'intake'");
    let output = back_up(&without_scope.address, &to);
    assert_eq!(output.status.code(), Some(3), "the host refuses it: {output:?}");
    let said = printed(&output).1;
    assert!(said.contains("lacks the scope") && said.contains("backup"), "{said}");
    let header = "{\"switchyard_export\":1,\"format\":1}\n";
    let cut = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{header}\r\n", header.len());
    let ended = format!("{cut}0\r\n\r\n");
    for (answer, why) in [(cut, "the host broke off"), (ended, "breaks off after line 1")] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let broken_host = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().expect("a connection");
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).expect("a request");
            connection.write_all(answer.as_bytes()).expect("sent");
        });
        let said = refused(&back_up(&address, &to));
        broken_host.join().expect("an end");
        assert!(said.contains(why), "{why}: {said}");
    }
    assert_eq!(std::fs::read_to_string(&to).expect("text"), "the backup of yesterday");
    let left = std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("one").file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().ends_with(".part")));
}

#[test]
fn a_backup_to_a_disk_that_fills_is_an_error_and_leaves_the_file_that_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = folder.path().join("small");
    std::fs::create_dir(&small).expect("a folder");
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&small).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: only root may mount a small disk");
        return;
    }
    let running = host(folder.path(), "'intake', 'backup'");
    for id in 0..20 {
        let body = "x".repeat(10_000);
        let message = format!(
            r#"{{"id":"{id}","account":"web","channel":"chat","customer":{{"name":"Ann"}},"messages":[{{"id":"m{id}","sent_at":"2026-09-21T10:00:00Z","body":"{body}"}}]}}"#
        );
        assert!(post(&running.address, "/v1/intake/shop", &message).starts_with("HTTP/1.1 202"));
    }
    let to = small.join("backup");
    std::fs::write(&to, "the backup of yesterday").expect("a file");
    let said = refused(&back_up(&running.address, &to));
    let kept = std::fs::read_to_string(&to).expect("text");
    let left = std::fs::read_dir(&small).expect("a folder").count();
    let unmounted = Command::new("umount").arg(&small).status();
    assert!(said.contains("No space left"), "{said}");
    assert_eq!((kept.as_str(), left), ("the backup of yesterday", 1));
    assert!(unmounted.is_ok_and(|status| status.success()));
}

#[test]
fn a_store_that_lost_records_is_served_only_when_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    exported(folder.path());
    let path = folder.path().join("data");
    std::fs::remove_file(path.join("db")).expect("the log");
    let config = config(folder.path(), "127.0.0.1:0", "'read'");
    let output = switchyard(["serve", "--config"]).arg(&config).output().expect("it runs");
    let said = refused(&output);
    assert!(said.contains("lost what was acknowledged") && said.contains("--accept-loss"), "{said}");
    let accepting = Host::serve_with(&config, ["--accept-loss"]);
    assert!(accepting.began.contains("records are lost"), "{}", accepting.began);
    assert!(accepting.end("TERM").0.success());
    let again = Host::serve(&config);
    assert!(!again.began.contains("lost"), "{}", again.began);
}
