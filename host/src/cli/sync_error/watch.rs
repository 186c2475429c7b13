//! Says again and again what has changed: how organizations stand, and their causes. A line for each change.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::groups::{Filter, row};
use crate::cli::out::{left, say, tell};
use crate::cli::remote::{Refused, Remote, known, list};
use crate::cli::table::{fitted, plain};
use crate::clock::Clock;
use crate::domain::{Condition, Fingerprint, OrgId};
use crate::http::api::{DepartedOrg, ErrorCounts, Group, Health};

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
    orgs: BTreeMap<OrgId, Standing>,
    /// Causes, with the host's answer that tells of each.
    groups: BTreeMap<(OrgId, Fingerprint), (Group, Value)>,
}

impl Look {
    async fn take(Options { filter, remote, .. }: &Options) -> anyhow::Result<Self> {
        let mut look = Self::default();
        let mut pages = remote.pages("/v1/groups", &filter.fields());
        while let Some(page) = pages.next().await? {
            for answer in list(&page, "groups") {
                let group: Group = known(answer)?;
                look.groups.insert((group.org.clone(), group.id.clone()), (group, answer.clone()));
            }
        }
        let orgs = remote.call(Method::GET, "/v1/orgs", None).await?;
        for org in list(&orgs, "orgs").chain(list(&orgs, "departed")) {
            // Of those that are configured no more is told.
            let DepartedOrg { id, health } = known(org)?;
            if filter.org.is_empty() || filter.org.contains(&id) {
                look.orgs.insert(id, Standing::of(&health));
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
            if before.and_then(|before| before.orgs.get(id)) != Some(org) {
                match as_json {
                    true => say!("{}", json!({ "at": at, "org": id, "counts": org })),
                    false => fitted(&format!("{at}  {id}  {}", org.words())),
                }
            }
        }
        for (key, (group, answer)) in &now.groups {
            let earlier = before.and_then(|before| before.groups.get(key)).map(|(group, _)| group);
            // At first, what waits is told; what is over only where it changes.
            let is_news = match (before, earlier) {
                (None, _) => group.condition != Condition::Quiet,
                (_, earlier) => earlier.is_none_or(|earlier| state(earlier) != state(group)),
            };
            if is_news {
                match as_json {
                    true => say!("{}", json!({ "at": at, "group": answer })),
                    false => fitted(&format!("{at}  {}", changed(earlier, group))),
                }
            }
        }
        for ((org, id), (group, _)) in before.map(|before| &before.groups).into_iter().flatten() {
            if !now.groups.contains_key(&(org.clone(), id.clone())) {
                match as_json {
                    true => say!("{}", json!({ "at": at, "gone": { "org": org, "id": id } })),
                    false => fitted(&format!("{at}  {org}  {id}  matches no more: {}", plain(&group.title))),
                }
            }
        }
        self.0 = Some(now);
    }
}

/// What of a cause is told when it changes.
fn state(group: &Group) -> impl PartialEq + use<'_> {
    let Group { counts, condition, last_seen, assignee, note, ticket, .. } = group;
    (counts, condition, last_seen, assignee, note, ticket)
}

/// What of an organization is told when it changes.
#[derive(Debug, PartialEq, Serialize)]
struct Standing {
    #[serde(flatten)]
    sync_errors: ErrorCounts,
    parked: u64,
    /// The code of its incident.
    incident: Option<String>,
}

impl Standing {
    fn of(health: &Health) -> Self {
        let incident = health.incident.as_ref().map(|incident| incident.refusal.code.clone());
        Self { sync_errors: health.sync_errors, parked: health.parked, incident }
    }

    fn words(&self) -> String {
        let ErrorCounts { pending, retrying, ignored, .. } = self.sync_errors;
        let incident = self.incident.as_ref().map(|code| format!("; incident: {}", plain(code))).unwrap_or_default();
        format!("{pending} pending, {retrying} retrying, {ignored} ignored, {} parked{incident}", self.parked)
    }
}

fn changed(earlier: Option<&Group>, group: &Group) -> String {
    let [open, pending, _, condition, org, id, title] = row(group);
    let open_of = |Group { counts, .. }: &Group| counts.pending + counts.retrying;
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
        let id = Fingerprint::unnamed();
        let group = |pending: u64| -> Group {
            let (at, advice) = ("2026-01-05T09:30:00Z", json!({ "happened": "", "check": "", "by_itself": "" }));
            let counts = json!({ "pending": pending, "retrying": 1, "ignored": 0, "resolved": 0 });
            let group = json!({ "id": id, "org": "acme", "title": "a\nb", "condition": "new", "class": "config",
                "code": "X", "text": "", "counts": counts, "conversations": 3, "first_seen": at, "last_seen": at,
                "failures_24h": 0, "failures_14d": 0, "samples": [], "advice": advice });
            known(&group).unwrap()
        };
        assert_eq!(changed(None, &group(2)), format!("acme  {id}  new: 3 open, 2 pending: a b"));
        assert_eq!(changed(Some(&group(4)), &group(2)), format!("acme  {id}  new: 3 open (-2), 2 pending: a b"));
    }
}
