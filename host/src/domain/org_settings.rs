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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(number: usize) -> OrgSettings {
        OrgSettings {
            alert_recipients: vec![format!("{number}@example.com")],
            policy: PolicyName::new(format!("p{number}")).unwrap(),
            mode: Mode::ByTeam(vec![format!("team{number}")]),
            concurrency: number,
            slow_at: 1.0 / (number + 1) as f64,
        }
    }

    fn patch(field: usize, value: Option<usize>) -> SettingsPatch {
        let given = value.map(file);
        let mut patch = SettingsPatch::default();
        match field {
            0 => patch.alert_recipients = Some(given.map(|it| it.alert_recipients)),
            1 => patch.policy = Some(given.map(|it| it.policy)),
            2 => patch.mode = Some(given.map(|it| it.mode)),
            3 => patch.concurrency = Some(given.map(|it| it.concurrency)),
            _ => patch.slow_at = Some(given.map(|it| it.slow_at)),
        }
        patch
    }

    /// What happens to settings.
    #[derive(Debug, Clone)]
    enum Step {
        Change(usize, Option<usize>),
        FileEdit(usize),
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..5_usize, prop::option::of(1..6_usize)).prop_map(|(field, value)| Step::Change(field, value)),
            (1..6_usize).prop_map(Step::FileEdit),
            Just(Step::Restart),
        ]
    }

    fn fields(of: &OrgSettings) -> [String; 5] {
        let OrgSettings { alert_recipients, policy, mode, concurrency, slow_at } = of;
        let (mode, share) = (format!("{mode:?}"), slow_at.to_string());
        [alert_recipients.join(" "), policy.to_string(), mode, concurrency.to_string(), share]
    }

    proptest! {
        #[test]
        fn whatever_happens_a_field_is_what_was_given_last_and_else_what_the_file_says_now(
            steps in prop::collection::vec(step(), 0..40),
        ) {
            let (mut given, mut of_file, mut changes) = ([None; 5], 1, SettingChanges::default());
            for step in steps {
                match step {
                    Step::Change(field, value) => {
                        let before = fields(&changes.over(&file(of_file)))[field].clone();
                        let was_given = given[field];
                        let words = changes.apply(patch(field, value), &file(of_file), Changing { by: "ann", at: Timestamp::default() });
                        given[field] = value;
                        prop_assert_eq!(words.is_empty(), was_given == value, "it is told exactly when something changes");
                        if field == 3 && let (Some(changed), true) = (&changes.concurrency, was_given != value) {
                            prop_assert_eq!(changed.before.to_string(), before);
                        }
                    }
                    Step::FileEdit(number) => of_file = number,
                    Step::Restart => {
                        changes = serde_json::from_str(&serde_json::to_string(&changes).unwrap()).unwrap();
                    }
                }
                let now = fields(&changes.over(&file(of_file)));
                for (field, given) in given.iter().enumerate() {
                    prop_assert_eq!(&now[field], &fields(&file(given.unwrap_or(of_file)))[field]);
                }
            }
        }
    }

    #[test]
    fn a_change_says_what_it_was_before_and_a_mute_ends_by_time_or_by_word() {
        let (at, mut changes) = (Timestamp::from_millis(1_000), SettingChanges::default());
        let now = Changing { by: "ann", at };
        assert_eq!(changes.apply(patch(3, Some(8)), &file(4), now), ["concurrency: 8 (before: 4)"]);
        assert_eq!(
            changes.apply(patch(3, None), &file(4), now),
            ["concurrency: 4 as in the configuration (before: 8)"]
        );
        let until = Timestamp::from_millis(2_000);
        let mute = SettingsPatch { muted_until: Some(Some(until)), ..SettingsPatch::default() };
        assert_eq!(changes.apply(mute, &file(4), now).len(), 1);
        let stand = SettingsInForce::new(file(4), changes.clone());
        assert_eq!(stand.muted(at).map(|mute| mute.by.as_str()), Some("ann"));
        assert_eq!(stand.muted(until), None);
        let end = || SettingsPatch { muted_until: Some(None), ..SettingsPatch::default() };
        assert_eq!(changes.apply(end(), &file(4), now), ["mails are sent again"]);
        assert!(changes.apply(end(), &file(4), now).is_empty());
    }
}
