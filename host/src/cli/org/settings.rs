//! Looks at and changes the settings of an organization on a host that runs; tries its recipients, and mutes its mails.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqwest::{Method, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::out::say;
use crate::cli::remote::{Remote, known};
use crate::cli::table::{Table, plain};
use crate::clock::Clock;
use crate::domain::{OrgId, Timestamp};
use crate::http::api::{MailOutcome, OrgSettings, Setting, SettingOrigin, Tested, TestedMails};

#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    /// Its id in the configuration.
    org: OrgId,
    /// FIELD=VALUE of alert_recipients (with commas between; empty for nobody), policy, mode (by-policy, agents-in-alcmeon,
    /// agents-in-salesforce or by-team:TEAM,TEAM), concurrency and slow_at.
    #[arg(value_parser = field, required_unless_present = "back")]
    fields: Vec<(String, Value)>,
    /// Go back to what the configuration says of this field; repeatable.
    #[arg(long, value_name = "FIELD")]
    back: Vec<String>,
    /// Only if the settings still have this `etag`, as `org settings` prints it.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Mute {
    /// Its id in the configuration.
    org: OrgId,
    /// For so many hours.
    #[arg(long = "for", value_name = "HOURS", required_unless_present_any = ["until", "end"])]
    hours: Option<u64>,
    /// Until then, such as 2026-01-05T09:00:00Z; 31 days ahead at most.
    #[arg(long, conflicts_with = "hours")]
    until: Option<Timestamp>,
    /// Send mails again.
    #[arg(long, conflicts_with_all = ["hours", "until"])]
    end: bool,
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Test {
    /// Its id in the configuration.
    org: OrgId,
    /// To this recipient only.
    #[arg(long)]
    to: Option<String>,
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// A field with its value, as the API takes it; what is wrong with a value, the host says.
fn field(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("FIELD=VALUE is needed")?;
    let list = |text: &str| -> Vec<_> {
        text.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
    };
    let number = || value.parse::<f64>().ok().and_then(|_| serde_json::from_str(value).ok());
    let value = match name {
        "alert_recipients" => json!(list(value)),
        "mode" => match value.strip_prefix("by-team:") {
            Some(teams) => json!({ "by-team": list(teams) }),
            None => json!(value),
        },
        "concurrency" | "slow_at" => number().ok_or_else(|| format!("{name} is a number"))?,
        _ => json!(value),
    };
    Ok((name.to_owned(), value))
}

fn path(org: &OrgId) -> String {
    format!("/v1/orgs/{org}/settings")
}

pub(super) async fn show(org: &OrgId, as_json: bool, remote: &Remote) -> anyhow::Result<()> {
    told(remote.answer(Method::GET, &path(org), None).await?, as_json).await
}

pub(super) async fn set(Set { org, fields, back, if_match, json, remote }: Set) -> anyhow::Result<()> {
    let back = back.into_iter().map(|name| (name, Value::Null));
    let asked: Map<_, _> = fields.into_iter().chain(back).collect();
    let tag = if_match.map(|tag| format!("\"{}\"", tag.trim_matches('"')));
    told(remote.answer_if(Method::PATCH, &path(&org), Some(asked.into()), tag.as_deref()).await?, json).await
}

pub(super) async fn mute(Mute { org, hours, until, end, json: as_json, remote }: Mute) -> anyhow::Result<()> {
    let until = match (until, hours) {
        _ if end => None,
        (Some(until), _) => Some(until),
        (None, hours) => Some(Clock::System.now().after(Duration::from_secs(hours.unwrap_or(1).saturating_mul(3600)))),
    };
    let answer = remote.call(Method::PATCH, &path(&org), Some(json!({ "muted_until": until }))).await?;
    match known::<OrgSettings>(&answer)?.muted {
        _ if as_json => say!("{}", serde_json::to_string_pretty(&answer)?),
        Some(mute) => say!("mails about {org} are muted until {}", mute.until),
        None => say!("mails about {org} are sent"),
    }
    Ok(())
}

pub(super) async fn test(Test { org, to, json: as_json, remote }: Test) -> anyhow::Result<()> {
    let answer = remote.call(Method::POST, &format!("{}/test-mail", path(&org)), Some(json!({ "to": to }))).await?;
    let TestedMails { mails } = known(&answer)?;
    if as_json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        let mut table = Table::new(&["to", "outcome", "words"]);
        for Tested { to, outcome, words } in &mails {
            table.row([to.clone(), word(outcome), words.clone().unwrap_or_default()]);
        }
        table.print();
    }
    match mails.iter().filter(|mail| mail.outcome != MailOutcome::Sent).count() {
        0 => Ok(()),
        wrong => bail!("{wrong} of {} test mails were not taken", mails.len()),
    }
}

/// A word of the API.
pub(in crate::cli) fn word(of: &impl Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

async fn told(answer: Response, as_json: bool) -> anyhow::Result<()> {
    let tag = answer.headers().get(reqwest::header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let answer: Value = serde_json::from_str(&answer.text().await?).context("the host's answer is no JSON")?;
    if as_json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    let settings: OrgSettings = known(&answer)?;
    let mut table = Table::new(&["field", "value", "from", "configuration", "changed"]);
    table.row(row("alert_recipients", &settings.alert_recipients, |all| all.join(", "))?);
    table.row(row("policy", &settings.policy, ToString::to_string)?);
    table.row(row("mode", &settings.mode, |mode| serde_json::to_string(mode).unwrap_or_default().replace('"', ""))?);
    table.row(row("concurrency", &settings.concurrency, ToString::to_string)?);
    table.row(row("slow_at", &settings.slow_at, ToString::to_string)?);
    table.print();
    if let Some(mute) = &settings.muted {
        say!("mails are muted until {} by {}", mute.until, plain(&mute.by));
    }
    say!("etag {}", plain(tag.as_deref().ok_or_else(|| anyhow!("the host gave no ETag"))?));
    Ok(())
}

fn row<T: utoipa::ToSchema>(
    name: &str,
    setting: &Setting<T>,
    say: impl Fn(&T) -> String,
) -> anyhow::Result<[String; 5]> {
    let changed = setting.by.as_ref().zip(setting.at).map(|(by, at)| format!("by {by} at {at}"));
    let file = match setting.from {
        SettingOrigin::File => String::new(),
        SettingOrigin::Api => say(&setting.file),
    };
    Ok([name.to_owned(), say(&setting.value), word(&setting.from), file, changed.unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_the_api_takes_them() {
        for (text, value) in [
            ("alert_recipients=a@example.com, b@example.com", json!(["a@example.com", "b@example.com"])),
            ("alert_recipients=", json!([])),
            ("mode=by-team:billing,care", json!({ "by-team": ["billing", "care"] })),
            ("mode=agents-in-alcmeon", json!("agents-in-alcmeon")),
            ("concurrency=8", json!(8)),
            ("slow_at=0.5", json!(0.5)),
            ("policy=a=b", json!("a=b")),
        ] {
            assert_eq!(field(text).map(|(_, value)| value), Ok(value), "{text}");
        }
        for bad in ["concurrency", "concurrency=many", "slow_at=NaN"] {
            assert!(field(bad).is_err(), "{bad}");
        }
    }
}
