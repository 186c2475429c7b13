//! The floors of host/src: nothing imports from its own floor or from above, and every file says what it is for.

use std::path::{Path, PathBuf};

/// Rooms by floor, from the ground up.
const FLOORS: [&[&str]; 7] = [
    &["domain", "telemetry"],
    &["alcmeon", "clock", "mail", "policy", "registry", "salesforce", "store"],
    &["alerts", "engine"],
    &["http"],
    &["config"],
    &["app"],
    &["cli"],
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|own| own == "rs"))
        .collect()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Every room that a text names as `crate::ROOM`, or in a list as `crate::{ROOM, ...}`.
fn imports(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for after in text.split("crate::").skip(1) {
        let list = after.strip_prefix('{').map_or(after, |list| list.split('}').next().unwrap_or_default());
        let names = if after.starts_with('{') { list.split(',').collect::<Vec<_>>() } else { vec![list] };
        for name in names {
            rooms.push(name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    rooms
}

#[test]
fn nothing_imports_from_its_own_floor_or_from_above() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src");
    let mut wrong = Vec::new();
    for file in files(&source) {
        let inside = file.strip_prefix(&source).expect("inside");
        let first = inside.components().next().expect("a name").as_os_str().to_string_lossy();
        let room = first.trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&file).expect("a file");
        if !text.starts_with("//! ") {
            wrong.push(format!("{} has no caption", inside.display()));
        }
        if room == "lib" || room == "main" {
            continue;
        }
        let own = floor(&room).unwrap_or_else(|| panic!("{room} is on no floor"));
        let test = inside.to_string_lossy().contains("tests");
        for other in imports(&text).iter().filter(|other| **other != room && !test) {
            match floor(other) {
                Some(there) if there >= own => wrong.push(format!("{} imports {other}", inside.display())),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
