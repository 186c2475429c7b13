//! Says again and again what has changed: how organizations stand, and their causes. A line for each change.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::groups::{Filter, row};
use crate::cli::out::{left, say, tell};
use crate::cli::remote::{Refused, Remote};
use crate::cli::table::{fitted, number, plain, text};
use crate::clock::Clock;

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    filter: Filter,
    /// How many seconds lie between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    every: u64,
    /// End after so many looks; without it, Ctrl-C ends it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    looks: Option<u64>,
    /// Print one JSON object for each line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Looks until it is told to stop, or until nobody reads any more.
pub(super) async fn run(options: &Options) -> anyhow::Result<()> {
    tokio::select! {
        looked = looks(options) => looked,
        stop = tokio::signal::ctrl_c() => Ok(stop?),
        () = left() => Ok(()),
    }
}

async fn looks(options: &Options) -> anyhow::Result<()> {
    let (mut seen, mut look, mut lost) = (Seen::default(), 0, false);
    loop {
        match Look::take(options).await {
            Ok(now) => {
                if std::mem::take(&mut lost) {
                    tell!("{} answers again", Clock::System.now());
                }
                seen.tell(now, options.json);
            }
            // A host that restarts is waited for. One that refuses will do so again, and one that was never there may be another.
            Err(error) if look == 0 || error.is::<Refused>() => return Err(error),
            Err(error) if !lost => {
                tell!("{} {error:#}", Clock::System.now());
                lost = true;
            }
            Err(_) => {}
        }
        look += 1;
        if options.looks.is_some_and(|looks| look >= looks) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(options.every)).await;
    }
}

/// How everything stands, by what identifies it.
#[derive(Default)]
struct Look {
    orgs: BTreeMap<String, Value>,
    groups: BTreeMap<(String, String), Value>,
}

impl Look {
    async fn take(Options { filter, remote, .. }: &Options) -> anyhow::Result<Self> {
        let mut look = Self::default();
        let mut pages = remote.pages("/v1/groups", &filter.fields());
        while let Some(page) = pages.next().await? {
            for group in page["groups"].as_array().into_iter().flatten() {
                let key = (text(&group["org"]).to_owned(), text(&group["id"]).to_owned());
                look.groups.insert(key, group.clone());
            }
        }
        let orgs = remote.call(Method::GET, "/v1/orgs", None).await?;
        for org in ["orgs", "departed"].iter().flat_map(|list| orgs[list].as_array().into_iter().flatten()) {
            let id = text(&org["id"]);
            if filter.org.is_empty() || filter.org.iter().any(|wanted| wanted.as_str() == id) {
                look.orgs.insert(id.to_owned(), org.clone());
            }
        }
        Ok(look)
    }
}

/// What was told already.
#[derive(Default)]
struct Seen(Option<Look>);

impl Seen {
    fn tell(&mut self, now: Look, as_json: bool) {
        let (at, before) = (Clock::System.now(), self.0.as_ref());
        for (id, org) in &now.orgs {
            if before.and_then(|before| before.orgs.get(id)).is_none_or(|before| standing(before) != standing(org)) {
                match as_json {
                    true => say!("{}", json!({ "at": at, "org": id, "counts": standing(org) })),
                    false => fitted(&format!("{at}  {id}  {}", counted(org))),
                }
            }
        }
        for (key, group) in &now.groups {
            let earlier = before.and_then(|before| before.groups.get(key));
            // At first, what waits is told; what is over only where it changes.
            let is_news = match (before, earlier) {
                (None, _) => group["condition"] != "quiet",
                (_, earlier) => earlier.is_none_or(|earlier| state(earlier) != state(group)),
            };
            if is_news {
                match as_json {
                    true => say!("{}", json!({ "at": at, "group": group })),
                    false => fitted(&format!("{at}  {}", changed(earlier, group))),
                }
            }
        }
        for ((org, id), group) in before.map(|before| &before.groups).into_iter().flatten() {
            if !now.groups.contains_key(&(org.clone(), id.clone())) {
                match as_json {
                    true => say!("{}", json!({ "at": at, "gone": { "org": org, "id": id } })),
                    false => fitted(&format!("{at}  {org}  {id}  matches no more: {}", plain(text(&group["title"])))),
                }
            }
        }
        self.0 = Some(now);
    }
}

/// What of a cause is told when it changes.
fn state(group: &Value) -> Vec<&Value> {
    ["counts", "condition", "last_seen", "assignee", "note", "ticket"].iter().map(|name| &group[name]).collect()
}

/// What of an organization is told when it changes.
fn standing(org: &Value) -> Value {
    let mut standing = org["sync_errors"].clone();
    standing["parked"] = org["parked"].clone();
    standing["incident"] = org["incident"]["refusal"]["code"].clone();
    standing
}

fn counted(org: &Value) -> String {
    let counts = ["pending", "retrying", "ignored"].map(|state| format!("{} {state}", org["sync_errors"][state]));
    let mut words = format!("{}, {} parked", counts.join(", "), org["parked"]);
    if let Some(code) = org["incident"]["refusal"]["code"].as_str() {
        words += &format!("; incident: {}", plain(code));
    }
    words
}

fn changed(earlier: Option<&Value>, group: &Value) -> String {
    let [open, pending, _, condition, org, id, title] = row(group);
    let open_of = |group: &Value| number(&group["counts"]["pending"]) + number(&group["counts"]["retrying"]);
    let by = match earlier.map(|earlier| open_of(group).cast_signed() - open_of(earlier).cast_signed()) {
        None | Some(0) => String::new(),
        Some(by) => format!(" ({by:+})"),
    };
    format!("{org}  {id}  {condition}: {open} open{by}, {pending} pending: {}", plain(&title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_with_what_it_adds() {
        let group = |pending: u64| json!({ "org": "acme", "id": "g-1", "title": "a\nb", "condition": "new", "counts": { "pending": pending, "retrying": 1 } });
        assert_eq!(changed(None, &group(2)), "acme  g-1  new: 3 open, 2 pending: a b");
        assert_eq!(changed(Some(&group(4)), &group(2)), "acme  g-1  new: 3 open (-2), 2 pending: a b");
    }
}
