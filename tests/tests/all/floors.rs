//! The floors of host/src: nothing imports from its own floor or from above, no files name one another in a circle, and every
//! file says what it is for.

mod modules;
mod paths;

use std::path::{Path, PathBuf};

use self::modules::{Modules, Place, is_test};

/// A room, and the rooms inside of it by floor, from the ground up.
type Rooms = (&'static [&'static str], &'static [&'static [&'static str]]);

/// The rooms of the house, and of those that have rooms inside.
const ROOMS: [Rooms; 3] = [
    (
        &[],
        &[
            &["disk", "domain", "foreign_json", "telemetry"],
            &["alcmeon", "clock", "mail", "otlp", "policy", "registry", "salesforce", "store", "troubles"],
            &["folders", "ledger"],
            &["alerts", "engine"],
            &["http"],
            &["config"],
            &["app"],
            &["cli"],
        ],
    ),
    (
        &["policy"],
        &[
            &["error", "locks"],
            &["config"],
            &["component"],
            &["runtime"],
            &["revision"],
            &["change"],
            &["case"],
            &["host"],
        ],
    ),
    (
        &["salesforce"],
        &[
            &["error", "single_flight", "soql"],
            &["http", "jwt", "values"],
            &["config"],
            &["refusals"],
            &["transport"],
            &["customers", "described", "queues", "write"],
            &["client"],
            &["checks"],
        ],
    ),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src")
}

/// What is wrong with one edge by one table.
fn wrong(rooms: &Rooms, from: &Place, to: &Place) -> Option<String> {
    let (house, floors) = rooms;
    let inside = |place: &Place| {
        let rest = place.iter().map(String::as_str).collect::<Vec<_>>();
        rest.strip_prefix(*house).map(|rest| rest.first().map(|room| (*room).to_owned()))
    };
    // What stands in the house itself knows all of its rooms.
    let (Some(Some(own)), Some(other)) = (inside(from), inside(to)) else { return None };
    let floor = |room: &str| {
        let found = floors.iter().position(|rooms| rooms.contains(&room));
        found.unwrap_or_else(|| panic!("{}::{room} is on no floor", house.join("::")))
    };
    let too_high = match &other {
        Some(other) => *other != own && floor(other) >= floor(&own),
        None => !house.is_empty(),
    };
    too_high.then(|| format!("{} imports {}", from.join("::"), to.join("::")))
}

#[test]
fn nothing_imports_from_its_own_floor_or_from_above() {
    let edges = Modules::read(&source()).edges();
    let mut found = Vec::new();
    for rooms in &ROOMS {
        // Between the rooms of the house tests keep to the floors as well, where they stand in the file that they test.
        let counts = |test: bool, from: &Place| !is_test(from) && (rooms.0.is_empty() || !test);
        let edges = edges.iter().filter(|edge| counts(edge.test, &edge.from));
        found.extend(edges.filter_map(|edge| wrong(rooms, &edge.from, &edge.to)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_files_name_one_another_in_a_circle() {
    let names = |circle: Vec<Place>| circle.iter().map(|place| place.join("::")).collect::<Vec<_>>().join(", ");
    let circles: Vec<_> = Modules::read(&source()).circles().into_iter().map(names).collect();
    assert_eq!(circles, [] as [&str; 0]);
}

#[test]
fn every_file_begins_with_a_caption() {
    let has_none = |file: &&Path| !std::fs::read_to_string(source().join(file)).expect("a file").starts_with("//! ");
    let modules = Modules::read(&source());
    let without: Vec<_> = modules.iter().map(|(_, file)| file).filter(has_none).collect();
    assert!(without.is_empty(), "{without:?}");
}
