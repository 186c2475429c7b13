//! Where a policy's text says which team has which queue, and the same text with one team more.
//!
//! By convention that is a table `queues` or `teams` of the settings with which the policy routes: the built-in policies and the
//! keyword router have one. Whoever maps teams in another way has to do it by hand.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml_edit::{DocumentMut, Item, TableLike, Value, value};

/// The tables that map teams, the first one that is there counts.
const TABLES: [&str; 2] = ["queues", "teams"];

/// A team of a policy's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedTeam {
    /// Its queue.
    pub queue: String,
    /// The line that says so, counted from 1.
    pub line: u32,
}

/// The settings of a policy, as far as they can map teams.
#[derive(Default, Deserialize)]
struct Settings {
    queues: Option<BTreeMap<String, Spanned<toml::Value>>>,
    teams: Option<BTreeMap<String, Spanned<toml::Value>>>,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    settings: Settings,
    routing: Option<Routing>,
}

#[derive(Deserialize)]
struct Routing {
    #[serde(default)]
    settings: Settings,
}

/// The teams that a policy's text maps to queues; none where it cannot be read, or maps them in another way.
#[must_use]
pub fn mapped_teams(toml: &str) -> BTreeMap<String, MappedTeam> {
    let Ok(policy) = toml::from_str::<Policy>(toml) else { return BTreeMap::new() };
    let settings = policy.routing.map_or(policy.settings, |routing| routing.settings);
    let table = settings.queues.or(settings.teams).unwrap_or_default();
    let team = |(team, queue): (String, Spanned<toml::Value>)| {
        let before = toml.as_bytes().get(..queue.span().start)?;
        let line = u32::try_from(before.iter().filter(|byte| **byte == b'\n').count() + 1).ok()?;
        let queue = queue.into_inner().as_str()?.to_owned();
        Some((team, MappedTeam { queue, line }))
    };
    table.into_iter().filter_map(team).collect()
}

/// The text of a policy in which a team has this queue (an id or a developer name) and nothing else is changed, comments and
/// blanks included. `None` where the text cannot be read, or has no table that maps teams.
#[must_use]
pub fn with_queue(toml: &str, team: &str, queue: &str) -> Option<String> {
    let mut document: DocumentMut = toml.parse().ok()?;
    let table = mapping(document.as_table_mut())?;
    match table.get_mut(team) {
        Some(Item::Value(known)) => {
            let mut new = Value::from(queue);
            *new.decor_mut() = known.decor().clone();
            *known = new;
        }
        Some(_) => return None,
        None => drop(table.insert(team, value(queue))),
    }
    let text = document.to_string();
    // A table in one line is no place for a comment, and other surprises of the format are none of ours.
    (mapped_teams(&text).get(team)?.queue == queue).then_some(text)
}

/// The table of the settings with which the policy routes that maps teams to queues.
fn mapping(policy: &mut dyn TableLike) -> Option<&mut dyn TableLike> {
    let settings = match policy.contains_key("routing") {
        true => policy.get_mut("routing")?.as_table_like_mut()?.get_mut("settings")?,
        false => policy.get_mut("settings")?,
    };
    let settings = settings.as_table_like_mut()?;
    let name = TABLES.into_iter().find(|name| settings.contains_key(name))?;
    let table = settings.get_mut(name)?.as_table_like_mut()?;
    let maps = table.iter().all(|(_, queue)| queue.is_str());
    maps.then_some(table)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts that map teams, as the built-in policies do and as others may.
    const TEXTS: [&str; 7] = [
        include_str!("../../../../policies/default.toml"),
        include_str!("../../../../policies/demo-retail.toml"),
        include_str!("../../../../policies/demo-travel.toml"),
        include_str!("../../../../policies/demo-bank.toml"),
        "plugin = 'script'\nsettings = { queues = { a = 'A' }, x = 1 } # one line\n",
        "plugin = 'script'\nsettings.queues.a = 'A' # dotted\nsettings.x = 1\n",
        "plugin = 'script'\n[settings.queues]\na = 'A' # the first\n# b = 'B'\n\n[errors]\nplugin = 'script'\n",
    ];

    /// The texts as values, without the team.
    fn without(toml: &str, team: &str) -> toml::Table {
        let mut policy: toml::Table = toml.parse().unwrap();
        let settings = match policy.get_mut("routing") {
            Some(routing) => routing.get_mut("settings"),
            None => policy.get_mut("settings"),
        };
        let settings = settings.unwrap().as_table_mut().unwrap();
        let name = if settings.contains_key("queues") { "queues" } else { "teams" };
        settings[name].as_table_mut().unwrap().remove(team);
        policy
    }

    proptest! {
        #[test]
        fn a_team_has_its_queue_and_nothing_else_is_changed(
            text in 0..TEXTS.len(), team in "\\PC{1,20}|[a-z\"'\\\\.#\n\t =\\[\\]\u{0}]{0,12}|orders|a", queue in "\\PC{0,20}"
        ) {
            let before = TEXTS[text];
            let after = with_queue(before, &team, &queue).unwrap();
            prop_assert_eq!(&mapped_teams(&after)[&team].queue, &queue);
            prop_assert_eq!(without(before, &team), without(&after, &team));
            // Whatever stood in a line of its own stands there still, comments too.
            let lines: Vec<_> = after.lines().collect();
            let kept = before.lines().filter(|line| line.is_empty() || line.starts_with('#') || line.starts_with('['));
            prop_assert!(kept.into_iter().all(|line| lines.contains(&line)), "{after}");
        }
    }

    #[test]
    fn one_line_more_is_all_that_is_different() {
        let before = TEXTS[1];
        let after = with_queue(before, "store-events", "Events").unwrap();
        assert_eq!(after, format!("{before}store-events = \"Events\"\n"));
        let before = TEXTS[6];
        let after = with_queue(before, "Customer care", "00G000000000001AAA").unwrap();
        assert_eq!(
            after.lines().filter(|line| !before.contains(line)).collect::<Vec<_>>(),
            ["\"Customer care\" = \"00G000000000001AAA\""]
        );
        let moved = with_queue(before, "a", "B").unwrap();
        assert_eq!(moved, before.replace("'A'", "\"B\""), "and its comment stays");
    }

    #[test]
    fn a_team_is_found_with_its_line() {
        let teams = mapped_teams(TEXTS[1]);
        let line = TEXTS[1].lines().position(|line| line.starts_with("orders")).unwrap() + 1;
        assert_eq!(teams["orders"], MappedTeam { queue: "Orders".into(), line: u32::try_from(line).unwrap() });
        assert_eq!(teams.len(), 8);
    }

    #[test]
    fn a_text_that_maps_teams_in_another_way_is_left_to_a_person() {
        for text in [
            "",
            "plugin = ",
            "plugin = 'script'\nscript = 'a.rhai'\n",
            "plugin = 'script'\n[settings.queues]\na = { queue = 'A' }\n",
            "plugin = 'script'\n[settings]\nqueues = ['a']\n",
            // The settings are not those of the plugin that routes.
            "plugin = 'script'\n[settings.queues]\na = 'A'\n[routing]\nplugin = 'other'\n",
        ] {
            assert_eq!(with_queue(text, "team", "Queue"), None, "{text}");
        }
    }
}
