//! The policies that come with Switchyard, asked as the host asks them.

use std::path::Path;

use super::*;
use crate::bindings::switchyard::policy::types::{Destination, Link, Verdict};

/// The teams of the example files that the demo can be fed with.
const FILE_TEAMS: [&str; 5] = ["airline", "fastfood", "finance", "insurance", "media"];

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The policy's own script, or the one of its routing; `change` may set other settings.
fn policy(name: &str, change: impl FnOnce(&mut toml::Table)) -> Script {
    let mut file: toml::Table = read(&format!("{name}.toml")).parse().unwrap();
    let table = match file.remove("routing") {
        Some(toml::Value::Table(routing)) => routing,
        _ => file,
    };
    assert_eq!(table["plugin"].as_str(), Some("script"));
    let mut settings = table.get("settings").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    change(&mut settings);
    let source = read(table["script"].as_str().unwrap());
    configure(&serde_json::to_value(settings).unwrap(), &source).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn of_team(team: Option<&str>) -> Conversation {
    Conversation { team: team.map(Into::into), tags: Vec::new(), ..conversation() }
}

fn queue(routed: Result<Destination, Refusal>) -> String {
    match routed {
        Ok(Destination::Queue(name)) => name,
        Ok(other) => format!("{other:?}"),
        Err(refusal) => refusal.code,
    }
}

#[test]
fn the_default_routes_a_mapped_team_and_says_what_to_do_about_another() {
    let mapped = policy("default", |settings| {
        settings["queues"].as_table_mut().unwrap().insert("orders".into(), "Orders".into());
    });
    assert_eq!(queue(mapped.route(of_team(Some("orders")))), "Orders");
    assert_eq!(queue(mapped.route(of_team(None))), "Destination::TrackOnly");
    let refusal = mapped.route(of_team(Some("media"))).unwrap_err();
    assert_eq!(refusal.code, "TEAM_NOT_MAPPED");
    assert!(refusal.message.contains("settings.queues"), "{}", refusal.message);

    let with_default = policy("default", |settings| {
        settings.insert("default_queue".into(), "General".into());
    });
    assert_eq!(queue(with_default.route(of_team(Some("media")))), "General");
    let bare = policy("default", toml::Table::clear);
    assert_eq!(queue(bare.route(of_team(Some("media")))), "TEAM_NOT_MAPPED");
}

#[test]
fn the_default_links_the_only_contact_that_it_finds() {
    let default = policy("default", |_| ());
    let searches = default.search(conversation()).unwrap();
    let searches: Vec<_> = searches.iter().map(|it| (it.field.as_str(), it.value.as_str())).collect();
    assert_eq!(searches, [("Email", "ada@example.com"), ("Phone", "+33199001234")]);
    for (found, link) in [
        (vec![], Link::None),
        (vec![contact("003A")], Link::Contact("003A".into())),
        (vec![contact("003A"), contact("003B")], Link::Ambiguous(vec!["003A".into(), "003B".into()])),
    ] {
        assert_eq!(format!("{:?}", default.choose(conversation(), found).unwrap()), format!("{link:?}"));
    }
    assert!(matches!(default.judge(sync_error("record")), Ok(Verdict::AsUsual)));
}

#[test]
fn a_contact_that_is_linked_stays_linked() {
    let mut linked = conversation();
    linked.customer.contact_id = Some("003Z".into());
    for name in ["default", "demo-travel"] {
        let policy = policy(name, |_| ());
        assert!(policy.search(linked.clone()).unwrap().is_empty());
        let link = policy.choose(linked.clone(), vec![]).unwrap();
        assert!(matches!(&link, Link::Contact(id) if id == "003Z"), "{link:?}");
    }
}

#[test]
fn every_team_of_the_example_files_has_a_queue_in_every_demo_policy() {
    for name in ["demo-retail", "demo-travel"] {
        let policy = policy(name, |_| ());
        for team in FILE_TEAMS {
            let routed = policy.route(of_team(Some(team)));
            assert!(matches!(routed, Ok(Destination::Queue(_))), "{name}, {team}: {routed:?}");
        }
    }
    let bank: toml::Table = read("demo-bank.toml").parse().unwrap();
    for team in FILE_TEAMS {
        assert!(bank["settings"]["teams"].get(team).is_some(), "demo-bank, {team}");
    }
}

#[test]
fn retail_sends_a_vip_to_the_queue_for_them_and_has_no_queue_for_store_events() {
    let retail = policy("demo-retail", |_| ());
    let vip = Conversation { tags: vec!["Contact reason: VIP".into()], ..conversation() };
    assert_eq!(queue(retail.route(vip)), "Vip_Care");
    assert_eq!(queue(retail.route(of_team(Some("orders")))), "Orders");
    assert_eq!(queue(retail.route(of_team(Some("store-events")))), "TEAM_NOT_MAPPED");
}

#[test]
fn travel_routes_by_team_and_language() {
    let travel = policy("demo-travel", |_| ());
    for (account, team, name) in [
        ("31", Some("flights"), "Flights_FR"),
        ("32", Some("flights"), "Flights"),
        ("32", Some("hotels"), "Hotels"),
        ("32", None, "Destination::TrackOnly"),
        ("32", Some("cruises"), "TEAM_NOT_MAPPED"),
    ] {
        let of = Conversation { account: account.into(), ..of_team(team) };
        assert_eq!(queue(travel.route(of)), name, "{account} {team:?}");
    }
}

#[test]
fn travel_makes_a_contact_of_whoever_can_be_found_again() {
    let travel = policy("demo-travel", |_| ());
    let created = |name: Option<&str>, email: Option<&str>| {
        let mut of = conversation();
        of.customer.name = name.map(Into::into);
        of.customer.email = email.map(Into::into);
        of.customer.phone = None;
        match travel.choose(of, vec![]).unwrap() {
            Link::Create(fields) => {
                fields.iter().map(|it| format!("{}={}", it.name, it.value)).collect::<Vec<_>>().join(" ")
            }
            other => format!("{other:?}"),
        }
    };
    let email = Some("ada@example.com");
    assert_eq!(created(Some(" Ada Mary Sample "), email), "Email=ada@example.com FirstName=Ada Mary LastName=Sample");
    assert_eq!(created(Some("Ada"), email), "Email=ada@example.com LastName=Ada");
    assert_eq!(created(Some("Ada"), None), "Link::None");
    assert_eq!(created(None, email), "Link::None");
    assert_eq!(created(Some("  "), email), "Link::None");
}

#[test]
fn travel_ignores_what_is_not_worth_a_persons_time() {
    let travel = policy("demo-travel", |_| ());
    let verdict = |class: &str, closed: bool, tag: &str| {
        let mut error = sync_error(class);
        error.conversation.closed = closed;
        error.conversation.tags = vec![tag.into()];
        format!("{:?}", travel.judge(error).unwrap())
    };
    assert!(verdict("config", false, "Contact reason: spam").starts_with("Verdict::Ignore"));
    assert!(verdict("record", true, "refund").starts_with("Verdict::Ignore"));
    assert_eq!(verdict("record", false, "refund"), "Verdict::AsUsual");
    assert_eq!(verdict("limit", false, "refund"), "Verdict::RetryAfter(900)");
}

#[test]
fn the_script_of_the_readme_works() {
    let readme = include_str!("../../README.md");
    let source = readme.split("```rhai\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let settings = serde_json::json!({"queues": {"orders": "Orders"}});
    let example = configure(&settings, source).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(queue(example.route(conversation())), "Returns");
    let quiet = Conversation { messages: Vec::new(), ..conversation() };
    assert_eq!(queue(example.route(quiet.clone())), "Orders");
    assert_eq!(queue(example.route(Conversation { team: Some("media".into()), ..quiet })), "General");
}
