//! How organizations stand, what to check about one, and how it is authorized.

mod authorize;
mod settings;

use anyhow::bail;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use super::out::say;
use super::remote::{Remote, known, list};
use super::table::{Table, plain};
use crate::domain::OrgId;
use crate::http::api::{Check, DepartedOrg, Health, Org, Report, Trouble};

const EXAMPLES: &str = "\
Examples:
  switchyard org list                                          how each stands
  switchyard org show acme                                     what is wrong with it, and what to do
  switchyard org check acme                                    the first points to check, looked at now
  switchyard org set acme concurrency=8 alert_recipients=ann@example.com
  switchyard org mute acme --for 8                             send no mails for eight hours
  switchyard org authorize acme";

/// An organization.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Its id in the configuration.
    org: OrgId,
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Command {
    /// List how organizations stand: what waits for a person, what is tried again, what is held back, and an incident.
    List {
        /// Print one JSON object for each line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show how an organization stands, and what to do about an incident.
    Show(Named),
    /// Look at the first points to check; the exit code is 1 where one of them is not right.
    #[command(after_help = "Where the connection works, what an incident holds back is tried at once.")]
    Check(Named),
    /// Show the settings that can be changed while the host runs, and where each comes from.
    Settings(Named),
    /// Change settings; in force at once, and after a restart.
    Set(settings::Set),
    /// Send a test mail to the recipients; the exit code is 1 where one was not taken.
    TestMail(settings::Test),
    /// Send no mails for a while; what still holds at the end is one mail then.
    Mute(settings::Mute),
    /// Authorize an organization, or authorize it again: prints the address of Salesforce's page to open.
    Authorize(authorize::Options),
}

pub(super) use self::settings::word;

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json, remote } => all(json, &remote).await,
        Command::Show(Named { org, json, remote }) => {
            let answer = remote.call(Method::GET, &format!("/v1/orgs/{org}"), None).await?;
            match json {
                true => say!("{}", serde_json::to_string_pretty(&answer)?),
                false => show(&known(&answer)?),
            }
            Ok(())
        }
        Command::Check(Named { org, json, remote }) => {
            let answer = remote.call(Method::POST, &format!("/v1/orgs/{org}/checks"), None).await?;
            checked(&answer, json)
        }
        Command::Settings(Named { org, json, remote }) => settings::show(&org, json, &remote).await,
        Command::Set(options) => settings::set(options).await,
        Command::TestMail(options) => settings::test(options).await,
        Command::Mute(options) => settings::mute(options).await,
        Command::Authorize(options) => authorize::run(options).await,
    }
}

async fn all(as_json: bool, remote: &Remote) -> anyhow::Result<()> {
    let answer = remote.call(Method::GET, "/v1/orgs", None).await?;
    let mut table =
        Table::new(&["org", "policy", "pending", "retrying", "ignored", "parked", "waiting", "moved", "incident"]);
    for org in list(&answer, "orgs") {
        match as_json {
            true => say!("{org}"),
            false => {
                let Org { id, policy, health, .. } = known(org)?;
                table.row(row(&id, policy.as_str(), &health));
            }
        }
    }
    for org in list(&answer, "departed") {
        match as_json {
            true => say!("{org}"),
            false => {
                let DepartedOrg { id, health } = known(org)?;
                table.row(row(&id, "(not configured)", &health));
            }
        }
    }
    table.print();
    Ok(())
}

fn row(org: &OrgId, policy: &str, health: &Health) -> [String; 9] {
    let counts = &health.sync_errors;
    let waiting = health.waiting + health.sending + health.scheduled + health.unmerged as u64;
    let moved = health.moved_at.map(|at| at.to_string()).unwrap_or_default();
    let incident =
        health.incident.as_ref().map(|incident| format!("{} since {}", incident.refusal.code, incident.since));
    let [pending, retrying, ignored] = [counts.pending, counts.retrying, counts.ignored].map(|count| count.to_string());
    let (org, policy) = (org.to_string(), policy.to_owned());
    let (parked, waiting) = (health.parked.to_string(), waiting.to_string());
    [org, policy, pending, retrying, ignored, parked, waiting, moved, incident.unwrap_or_default()]
}

fn show(org: &Org) {
    let Health { sync_errors: counts, waiting, sending, scheduled, parked, unmerged, operations, .. } = &org.health;
    let line = |name: &str, words: &str| say!("{name:<12}{}", plain(words));
    line("id", org.id.as_str());
    line("name", &org.name);
    line("policy", org.policy.as_str());
    line("accounts", &org.accounts.join(", "));
    let open = format!("{} pending, {} retrying", counts.pending, counts.retrying);
    line("sync errors", &format!("{open}, {} ignored, {} resolved", counts.ignored, counts.resolved));
    let first = format!("{unmerged} not merged, {waiting} without a place, {sending} on their way");
    line("under way", &format!("{first}, {scheduled} tried later, {parked} parked; {operations} operations"));
    if let Some(oldest) = &org.oldest_unsynced {
        line("oldest", &format!("{} since {}", oldest.conversation, oldest.since));
    }
    if let Some(until) = org.mails_muted_until {
        line("mails", &format!("muted until {until}"));
    }
    if let Some(at) = org.health.moved_at {
        line("moved", &at.to_string());
    }
    for source in &org.sources {
        let arrived = source.arrived_at.map_or_else(|| "nothing yet".to_owned(), |at| format!("last at {at}"));
        let silent = source.silent_since.map(|at| format!(", silent since {at}")).unwrap_or_default();
        line("source", &format!("{} {arrived}{silent}", source.source));
    }
    let usage = org.salesforce.api_usage.map(|(used, allowed)| format!(", {used} of {allowed} used in 24 hours"));
    line("Salesforce", &format!("{} calls since the start{}", org.salesforce.calls, usage.unwrap_or_default()));
    for Trouble { what, cure, since, .. } in &org.troubles {
        line("trouble", &format!("{what} (since {since}). {cure}"));
    }
    if let Some(incident) = &org.health.incident {
        line("incident", &format!("{} since {}: {}", incident.refusal.code, incident.since, incident.refusal.text));
    }
    if let Some(advice) = &org.incident_advice {
        line("happened", &advice.happened);
        line("check", &advice.check);
        line("by itself", &advice.by_itself);
    }
}

fn checked(answer: &Value, as_json: bool) -> anyhow::Result<()> {
    let report: Report = known(answer)?;
    if as_json {
        say!("{}", serde_json::to_string_pretty(answer)?);
    } else {
        for Check { name, ok, found } in &report.checks {
            let mark = match ok {
                Some(true) => "ok",
                Some(false) => "wrong",
                None => "unknown",
            };
            say!("{mark:<9}{:<14}{}", plain(name), plain(found));
        }
        if report.retried > 0 {
            say!("{} conversations that were held back are tried again", report.retried);
        }
    }
    match report.checks.iter().filter(|check| check.ok == Some(false)).count() {
        0 => Ok(()),
        wrong => bail!("{wrong} of {} points are not right", report.checks.len()),
    }
}
