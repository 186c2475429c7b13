//! A reader that leaves ends a command in silence; an output that cannot be written is an error.

use std::fs::File;
use std::io::{Read, pipe};
use std::process::{Child, Command, Stdio};

use crate::acme::{acme, asking, hand_in, ids};
use crate::switchyard::{printed, switchyard};

/// Begins a command whose standard output nobody reads.
fn unread(command: &mut Command) -> Child {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    command.stdout(writer).spawn().expect("it starts")
}

/// Asserts that a command whose standard output nobody reads ends as if it were read, and says nothing of it.
fn ends_quietly(command: &mut Command) {
    let output = unread(command).wait_with_output().expect("an end");
    let errors = printed(&output).1;
    assert!(output.status.success(), "{command:?}: {} {errors}", output.status);
    assert!(!errors.contains("panicked") && !errors.to_lowercase().contains("pipe"), "{command:?}: {errors}");
}

#[test]
fn nobody_reads_what_is_printed_and_nothing_panics() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=3);
    let pending = ids(&host, "pending", 3);
    for arguments in [&["--help"][..], &["--version"], &["default-config"], &["classify", "SOME_CODE: words"]] {
        ends_quietly(switchyard([]).args(arguments));
    }
    for arguments in [
        &["sync-error", "list"][..],
        &["sync-error", "list", "--json"],
        &["sync-error", "groups"],
        &["sync-error", "watch"],
        &["sync-error", "export"],
        &["sync-error", "show", &pending[0]],
        &["operation", "start", "retry", "--dry-run"],
        &["operation", "list"],
    ] {
        ends_quietly(&mut asking(&host, arguments));
    }
    // What changes something does all that was asked for.
    ends_quietly(&mut asking(&host, &["sync-error", "ignore", "--reason", "tests", &pending[0], &pending[1]]));
    ids(&host, "ignored", 2);
    // The standard error may be gone as well: `2>&1 | head`.
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let mut both = asking(&host, &["sync-error", "show", "se-none"]);
    both.stderr(writer.try_clone().expect("a copy")).stdout(writer);
    assert_eq!(both.status().expect("an end").code(), Some(3));
}

#[test]
fn an_export_of_the_store_ends_with_its_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    hand_in(&host, 1..=3);
    ids(&host, "pending", 3);
    let (status, log) = host.end("TERM");
    assert!(status.success(), "{log}");
    let data = folder.path().join("data");
    ends_quietly(switchyard(["store", "export", "--path"]).arg(&data));
    ends_quietly(switchyard(["store", "quarantine", "list", "--path"]).arg(&data));
}

#[test]
fn a_demo_ends_with_its_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut demo = switchyard(["demo", "--listen", "127.0.0.1:0", "--data-dir"]);
    let mut process = unread(demo.arg(folder.path()));
    let mut errors = String::new();
    process.stderr.take().expect("what it says").read_to_string(&mut errors).expect("text");
    assert!(process.wait().expect("an end").success() && !errors.contains("panicked"), "{errors}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_is_told() {
    let full = File::options().write(true).open("/dev/full").expect("/dev/full");
    let output = switchyard(["default-config"]).stdout(Stdio::from(full)).output().expect("it runs");
    let errors = printed(&output).1;
    assert!(output.status.code() == Some(1) && errors.contains("the standard output cannot be written"), "{errors}");
}
