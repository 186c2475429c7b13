//! What of an organization can be changed while the host runs: the configuration says how it begins, and what a person changes
//! stands above it until it is taken back.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Mode, PolicyName, Timestamp};

/// Values of an organization's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrgSettings {
    /// Who gets mails.
    pub alert_recipients: Vec<String>,
    /// The policy that decides for it.
    pub policy: PolicyName,
    /// Where its agents answer.
    pub mode: Mode,
    /// How many calls may be on their way at the same moment; one carries up to 200 conversations.
    pub concurrency: usize,
    /// The share of the calls of 24 hours, above 0 and 1 at most, from which on the organization slows.
    pub slow_at: f64,
}

/// A value that a person gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangedSetting<T> {
    /// What it is now,
    pub value: T,
    /// and what it was before.
    pub before: T,
    /// Who changed it: the name of a token.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// That mails of an organization are not sent for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// Until when.
    pub until: Timestamp,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What people changed of an organization's settings. What is absent is as the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingChanges {
    /// Who gets mails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_recipients: Option<ChangedSetting<Vec<String>>>,
    /// The policy that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<ChangedSetting<PolicyName>>,
    /// Where agents answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<ChangedSetting<Mode>>,
    /// How many calls may be on their way at the same moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<ChangedSetting<usize>>,
    /// The share of the calls from which on it slows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_at: Option<ChangedSetting<f64>>,
    /// That mails are muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute: Option<Mute>,
}

/// What is to be changed: absent stays, `Some(None)` goes back to the configuration, or ends the mute.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettingsPatch {
    /// Who gets mails.
    pub alert_recipients: Option<Option<Vec<String>>>,
    /// The policy that decides.
    pub policy: Option<Option<PolicyName>>,
    /// Where agents answer.
    pub mode: Option<Option<Mode>>,
    /// How many calls may be on their way at the same moment.
    pub concurrency: Option<Option<usize>>,
    /// The share of the calls from which on it slows.
    pub slow_at: Option<Option<f64>>,
    /// Until when no mail is sent.
    pub muted_until: Option<Option<Timestamp>>,
}

/// Who changes it, and when.
#[derive(Debug, Clone, Copy)]
pub struct Changing<'a> {
    /// The name of a token.
    pub by: &'a str,
    /// The time.
    pub at: Timestamp,
}

impl SettingChanges {
    /// The values in force.
    #[must_use]
    pub fn over(&self, file: &OrgSettings) -> OrgSettings {
        fn value<T: Clone>(changed: Option<&ChangedSetting<T>>, file: &T) -> T {
            changed.map_or(file, |changed| &changed.value).clone()
        }
        OrgSettings {
            alert_recipients: value(self.alert_recipients.as_ref(), &file.alert_recipients),
            policy: value(self.policy.as_ref(), &file.policy),
            mode: value(self.mode.as_ref(), &file.mode),
            concurrency: value(self.concurrency.as_ref(), &file.concurrency),
            slow_at: value(self.slow_at.as_ref(), &file.slow_at),
        }
    }

    /// Changes what is asked for; answers in words what is another value, or another origin, than before: nothing where all
    /// stays.
    pub fn apply(&mut self, patch: SettingsPatch, file: &OrgSettings, now: Changing<'_>) -> Vec<String> {
        let SettingsPatch { alert_recipients, policy, mode, concurrency, slow_at, muted_until } = patch;
        let (mut words, list) = (Vec::new(), |all: &Vec<String>| all.join(", "));
        put(
            "alert_recipients",
            &mut self.alert_recipients,
            alert_recipients,
            &file.alert_recipients,
            list,
            now,
            &mut words,
        );
        put("policy", &mut self.policy, policy, &file.policy, ToString::to_string, now, &mut words);
        put("mode", &mut self.mode, mode, &file.mode, Mode::describe, now, &mut words);
        put("concurrency", &mut self.concurrency, concurrency, &file.concurrency, ToString::to_string, now, &mut words);
        put("slow_at", &mut self.slow_at, slow_at, &file.slow_at, ToString::to_string, now, &mut words);
        match muted_until {
            Some(Some(until)) => {
                words.push(format!("mails are muted until {until}"));
                self.mute = Some(Mute { until, by: now.by.to_owned(), at: now.at });
            }
            Some(None) if self.mute.take().is_some() => words.push("mails are sent again".to_owned()),
            _ => {}
        }
        words
    }

    /// Takes one field back, by its name.
    pub fn take_back(&mut self, field: &str) {
        match field {
            "alert_recipients" => self.alert_recipients = None,
            "policy" => self.policy = None,
            "mode" => self.mode = None,
            "concurrency" => self.concurrency = None,
            "slow_at" => self.slow_at = None,
            _ => {}
        }
    }
}

/// Changes one field.
fn put<T: Clone + PartialEq>(
    name: &str,
    changed: &mut Option<ChangedSetting<T>>,
    asked: Option<Option<T>>,
    file: &T,
    say: impl Fn(&T) -> String,
    now: Changing<'_>,
    words: &mut Vec<String>,
) {
    let said = |value: &T| Some(say(value)).filter(|text| !text.is_empty()).unwrap_or_else(|| "nobody".to_owned());
    let before = changed.as_ref().map_or(file, |changed| &changed.value).clone();
    match asked {
        Some(Some(value)) if changed.as_ref().is_none_or(|changed| changed.value != value) => {
            words.push(format!("{name}: {} (before: {})", said(&value), said(&before)));
            *changed = Some(ChangedSetting { value, before, by: now.by.to_owned(), at: now.at });
        }
        Some(None) if changed.take().is_some() => {
            words.push(format!("{name}: {} as in the configuration (before: {})", said(file), said(&before)));
        }
        _ => {}
    }
}

/// How an organization's settings stand.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsInForce {
    /// What the configuration says,
    pub file: OrgSettings,
    /// what people changed of it,
    pub changes: SettingChanges,
    /// and what follows from both.
    pub values: OrgSettings,
}

impl SettingsInForce {
    /// What follows from both.
    #[must_use]
    pub fn new(file: OrgSettings, changes: SettingChanges) -> Self {
        Self { values: changes.over(&file), file, changes }
    }

    /// Its version: another one whenever anything of it is another.
    #[must_use]
    pub fn tag(&self) -> String {
        let text = serde_json::to_vec(&(&self.file, &self.changes)).unwrap_or_default();
        hex::encode(&Sha256::digest(text)[..12])
    }

    /// Until when no mail is sent, where that is not over.
    #[must_use]
    pub fn muted(&self, now: Timestamp) -> Option<&Mute> {
        self.changes.mute.as_ref().filter(|mute| mute.until > now)
    }
}

#[cfg(test)]
mod tests;
