//! What `store` writes and reads, and what it refuses.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Output, Stdio};

use crate::switchyard::{printed, switchyard};

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
fn exported(folder: &Path) -> std::path::PathBuf {
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

#[test]
fn a_store_that_lost_records_is_served_only_when_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    exported(folder.path());
    let path = folder.path().join("data");
    std::fs::remove_file(path.join("db")).expect("the log");
    let config = folder.path().join("switchyard.toml");
    // The address is taken: it gets so far only when the store was opened.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let text = format!(
        "[http]\nlisten = '{address}'\n[[http.tokens]]\nname = 'ops'\nsecret = 'a-long-enough-secret'\nscopes = ['read']\n\
         [[orgs]]\nid = 'acme'\naccounts = ['shop/*']\n[orgs.salesforce]\nlogin_url = 'http://127.0.0.1:1'\n\
         flow = 'client-credentials'\nclient_id = 'app'\nclient_secret = 'shh'\n"
    );
    std::fs::write(&config, text).expect("a file");
    let output = switchyard(["serve", "--config"]).arg(&config).output().expect("it runs");
    let said = refused(&output);
    assert!(said.contains("lost what was acknowledged") && said.contains("--accept-loss"), "{said}");
    let output = switchyard(["serve", "--accept-loss", "--config"]).arg(&config).output().expect("it runs");
    let said = refused(&output);
    assert!(said.contains("records are lost") && said.contains(&address.to_string()), "{said}");
    let said = refused(&switchyard(["serve", "--config"]).arg(&config).output().expect("it runs"));
    assert!(!said.contains("lost") && said.contains(&address.to_string()), "{said}");
}
