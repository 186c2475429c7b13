//! Teams of the conversations that are fed and that no policy of the demo has a queue for: said before they are sync errors.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::conversations::ACCOUNTS;

/// The policies with queues by team and without a default: the organization's account, file, and the table of the queues.
const TABLES: [(u64, &str, &[&str]); 2] =
    [(11, "demo-retail.toml", &["routing", "settings", "queues"]), (31, "demo-travel.toml", &["settings", "queues"])];

/// A line for each such team, with what has to be added where.
pub(super) fn lines(folder: &Path, conversations: &[Value]) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for (account, file, table) in TABLES {
        let path = folder.join("policies").join(file);
        let name = ACCOUNTS.iter().find(|(id, _)| *id == account).map_or("", |(_, name)| *name);
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        // A file that somebody edited into something else is the host's to refuse.
        let Some(queues) = queues(&text, table) else { continue };
        for (team, count) in teams(conversations, account) {
            if !queues.contains_key(team) {
                let line = entry(team, &queues);
                lines.push(format!(
                    "{name}: no queue is mapped to the team {team}, so what it has ({count}) becomes sync errors. Add the line\n    {line}\n  below [{}] of {}, and retry.",
                    table.join("."),
                    path.display()
                ));
            }
        }
    }
    Ok(lines)
}

fn queues(text: &str, table: &[&str]) -> Option<toml::Table> {
    let mut at: toml::Table = text.parse().ok()?;
    for name in table {
        at = at.remove(*name)?.try_into().ok()?;
    }
    Some(at)
}

/// The teams of one account, each with how many conversations it has.
fn teams(conversations: &[Value], account: u64) -> BTreeMap<&str, usize> {
    let mut teams = BTreeMap::new();
    for conversation in conversations.iter().filter(|it| it["account"]["id"] == account) {
        if let Some(team) = conversation["team"].as_str() {
            *teams.entry(team).or_default() += 1;
        }
    }
    teams
}

/// The line that maps a team to the first queue that the policy names.
fn entry(team: &str, queues: &toml::Table) -> String {
    let queue = queues.values().next().and_then(toml::Value::as_str).unwrap_or("General");
    toml::Table::from_iter([(team.to_owned(), queue.into())]).to_string().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_team_that_no_policy_knows_is_named_with_the_line_to_add() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        let write = |file, text: &str| std::fs::write(folder.path().join("policies").join(file), text).unwrap();
        write("demo-retail.toml", "[routing.settings.queues]\norders = \"Orders\"\n");
        write("demo-travel.toml", "[settings]\nqueues = \"edited\"\n");
        let of = |account, team: &str| json!({ "account": { "id": account }, "team": team });
        let fed = [of(11, "orders"), of(11, "soft drinks"), of(11, "soft drinks"), of(21, "new"), of(31, "new")];
        let lines = lines(folder.path(), &fed).unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        for part in [
            "the team soft drinks, so what it has (2)",
            "\"soft drinks\" = \"Orders\"",
            "below [routing.settings.queues] of ",
        ] {
            assert!(lines[0].contains(part), "{part} is not in {}", lines[0]);
        }
    }
}
