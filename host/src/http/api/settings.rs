//! Settings of an organization that can be changed while the host runs.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::domain::{self, ChangedSetting, OrgId, PolicyName, SettingsInForce, SettingsPatch, Timestamp};

/// Where the agents of an organization answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// The policy decides about each conversation alone.
    ByPolicy,
    AgentsInAlcmeon,
    AgentsInSalesforce,
    /// In Salesforce where a conversation's team is among these, else in Alcmeon.
    ByTeam(Vec<String>),
}

/// Where a value comes from: the configuration, or a person who changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SettingOrigin {
    File,
    Api,
}

/// A setting.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub(crate) struct Setting<T: ToSchema> {
    /// The value in force.
    pub(crate) value: T,
    pub(crate) from: SettingOrigin,
    /// What the configuration says; `null` goes back to it.
    pub(crate) file: T,
    /// What it was before the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<T>,
    /// Who changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<Timestamp>,
}

/// That no mail about an organization is sent for a while.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub(crate) struct Mute {
    pub(crate) until: Timestamp,
    /// Who asked for it.
    pub(crate) by: String,
    pub(crate) at: Timestamp,
}

/// Settings of an organization that can be changed while the host runs.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub(crate) struct OrgSettings {
    pub(crate) org: OrgId,
    /// Who gets mails.
    pub(crate) alert_recipients: Setting<Vec<String>>,
    /// The policy that decides.
    pub(crate) policy: Setting<PolicyName>,
    /// Where agents answer.
    pub(crate) mode: Setting<Mode>,
    /// Calls that may be on their way to Salesforce at the same moment; one carries up to 200 conversations.
    pub(crate) concurrency: Setting<usize>,
    /// The share of the calls of 24 hours from which on the organization slows.
    pub(crate) slow_at: Setting<f64>,
    /// Present while mails are muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) muted: Option<Mute>,
}

/// Settings to change: what is absent stays, and `null` goes back to what the configuration says.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, taken back and given are three things")]
pub(crate) struct SettingsChange {
    /// Mail addresses.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub(crate) alert_recipients: Option<Option<Vec<String>>>,
    /// A policy that is in force. It wants the scope `policies` as well.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<PolicyName>)]
    pub(crate) policy: Option<Option<PolicyName>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Mode>)]
    pub(crate) mode: Option<Option<Mode>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<usize>, minimum = 1, maximum = 1000)]
    pub(crate) concurrency: Option<Option<usize>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<f64>, exclusive_minimum = 0, maximum = 1)]
    pub(crate) slow_at: Option<Option<f64>>,
    /// No mail is sent until then, 31 days ahead at most; `null` ends that. What still holds at the end is one mail then.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Timestamp>)]
    pub(crate) muted_until: Option<Option<Timestamp>>,
}

/// Tells `null` from what is absent.
#[expect(clippy::option_option, reason = "absent, taken back and given are three things")]
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl<T: ToSchema> Setting<T> {
    fn of<U: Clone + Into<T>>(value: &U, file: &U, changed: Option<&ChangedSetting<U>>) -> Self {
        Self {
            value: value.clone().into(),
            from: if changed.is_some() { SettingOrigin::Api } else { SettingOrigin::File },
            file: file.clone().into(),
            before: changed.map(|changed| changed.before.clone().into()),
            by: changed.map(|changed| changed.by.clone()),
            at: changed.map(|changed| changed.at),
        }
    }
}

impl OrgSettings {
    pub(crate) fn of(org: &OrgId, stand: &SettingsInForce, now: Timestamp) -> Self {
        let SettingsInForce { file, changes, values } = stand;
        let recipients = changes.alert_recipients.as_ref();
        let muted =
            stand.muted(now).map(|domain::Mute { until, by, at }| Mute { until: *until, by: by.clone(), at: *at });
        Self {
            org: org.clone(),
            alert_recipients: Setting::of(&values.alert_recipients, &file.alert_recipients, recipients),
            policy: Setting::of(&values.policy, &file.policy, changes.policy.as_ref()),
            mode: Setting::of(&values.mode, &file.mode, changes.mode.as_ref()),
            concurrency: Setting::of(&values.concurrency, &file.concurrency, changes.concurrency.as_ref()),
            slow_at: Setting::of(&values.slow_at, &file.slow_at, changes.slow_at.as_ref()),
            muted,
        }
    }
}

impl From<SettingsChange> for SettingsPatch {
    fn from(change: SettingsChange) -> Self {
        let SettingsChange { alert_recipients, policy, mode, concurrency, slow_at, muted_until } = change;
        let mode = mode.map(|mode| mode.map(Into::into));
        Self { alert_recipients, policy, mode, concurrency, slow_at, muted_until }
    }
}

impl From<domain::Mode> for Mode {
    fn from(mode: domain::Mode) -> Self {
        match mode {
            domain::Mode::ByPolicy => Self::ByPolicy,
            domain::Mode::AgentsInAlcmeon => Self::AgentsInAlcmeon,
            domain::Mode::AgentsInSalesforce => Self::AgentsInSalesforce,
            domain::Mode::ByTeam(teams) => Self::ByTeam(teams),
        }
    }
}

impl From<Mode> for domain::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::ByPolicy => Self::ByPolicy,
            Mode::AgentsInAlcmeon => Self::AgentsInAlcmeon,
            Mode::AgentsInSalesforce => Self::AgentsInSalesforce,
            Mode::ByTeam(teams) => Self::ByTeam(teams),
        }
    }
}
