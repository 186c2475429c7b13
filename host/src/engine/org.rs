//! An organization: what is configured for it, how it stands, and which accounts lead to it.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::settings::Settings;
use crate::domain::{
    AccountId, ErrorCounts, Fingerprint, Hold, Mode, OperationId, OrgId, OrgSettings, PolicyName, PolicyRef, Quota,
    Refusal, SourceId, SyncErrorId, Timestamp,
};
use crate::salesforce;

/// One organization in the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgConfig {
    /// Its id, in addresses and records.
    pub id: OrgId,
    /// Its name for people; the id where none is given.
    #[serde(default)]
    pub name: Option<String>,
    /// The accounts linked to it, as `SOURCE/ACCOUNT`; `SOURCE/*` takes every account that no organization names.
    pub accounts: Vec<String>,
    /// The policy that decides for it.
    #[serde(default = "default_policy")]
    pub policy: PolicyName,
    /// Where its agents answer.
    #[serde(default)]
    pub mode: Mode,
    /// How many calls may be on their way to Salesforce at the same moment; one carries up to 200 conversations.
    #[serde(default = "four")]
    pub concurrency: usize,
    /// Who gets a mail when sync errors are pending.
    #[serde(default)]
    pub alert_recipients: Vec<String>,
    /// The connection.
    pub salesforce: salesforce::Config,
}

impl OrgConfig {
    /// The settings that can be changed while the host runs, as they are configured.
    #[must_use]
    pub fn settings(&self) -> OrgSettings {
        OrgSettings {
            alert_recipients: self.alert_recipients.clone(),
            policy: self.policy.clone(),
            mode: self.mode.clone(),
            concurrency: self.concurrency,
            slow_at: self.salesforce.slow_at.get(),
        }
    }
}

fn default_policy() -> PolicyName {
    PolicyName::new("default").unwrap_or_else(|_| unreachable!("the name is one"))
}

const fn four() -> usize {
    4
}

/// A connected organization.
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// Its name for people.
    pub name: String,
    /// The accounts linked to it.
    pub accounts: Vec<(SourceId, Option<AccountId>)>,
    /// What can be changed while the host runs.
    pub settings: Settings,
    /// Whether the host writes Cases.
    pub writes_cases: bool,
    /// Sources that are told the ids of Salesforce's records.
    pub linking: Vec<SourceId>,
    /// The connection.
    pub salesforce: Arc<salesforce::Client>,
}

impl Org {
    /// The policy that decides for it now.
    #[must_use]
    pub fn policy(&self) -> PolicyName {
        self.settings.now().values.policy.clone()
    }

    /// The calls of 24 hours, where so many are used that the organization slows.
    pub(super) fn slowed_by(&self) -> Option<Quota> {
        let from = self.settings.now().values.slow_at;
        self.salesforce.usage().filter(|quota| quota.slows_at(from))
    }

    /// Why the organization slows, where it does.
    #[must_use]
    pub fn slowed(&self) -> Option<String> {
        self.slowed_by().map(|Quota { used, allowed }| {
            format!(
                "{used} of {allowed} calls of 24 hours are used, so new conversations go in waves that make the rest last, \
                 and retries when no new ones wait"
            )
        })
    }

    /// How many conversations may be on their way at the same moment: those of full calls, and those that gather for the
    /// next one.
    pub(super) fn conversations_at_once(&self) -> usize {
        (self.settings.now().values.concurrency + 1) * salesforce::RECORDS
    }
}

/// How an organization stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OrgHealth {
    /// Sync errors by state.
    pub sync_errors: ErrorCounts,
    /// Conversations that wait for a free place.
    pub waiting: u64,
    /// Conversations that are on their way.
    pub sending: u64,
    /// Conversations that are tried again by themselves later.
    pub scheduled: u64,
    /// Conversations that wait for the end of an incident.
    pub parked: u64,
    /// Sync errors that are still to be retried because somebody asked for many at once.
    pub retrying_all: u64,
    /// Operations that go on and come to an end; what a policy ignores by itself stands.
    pub operations: usize,
    /// Arrivals that are acknowledged but not merged yet.
    pub unmerged: usize,
    /// What is wrong with the organization as a whole.
    pub incident: Option<IncidentHealth>,
    /// When a conversation last got through or was refused.
    pub moved_at: Option<Timestamp>,
    /// The sync error that became pending last.
    pub newest_pending: Option<SyncErrorId>,
    /// What policies may not ignore any more, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldCause>,
}

/// A cause that a revision of a policy may not ignore any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldCause {
    /// The cause.
    pub group: Fingerprint,
    /// The policy and its revision.
    pub policy: PolicyRef,
    /// The operation, which can be resumed and undone.
    pub operation: OperationId,
    /// Since when, until when, and why.
    #[serde(flatten)]
    pub hold: Hold,
    /// How many judgements to ignore were held.
    pub held: u64,
}

/// What is wrong with an organization as a whole: a refusal that every conversation would get.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentHealth {
    /// Since when.
    pub since: Timestamp,
    /// The refusal.
    pub refusal: Refusal,
    /// When it is looked at again whether it still holds; `null` while it is being looked at, and when it is over.
    pub next_probe_at: Option<Timestamp>,
    /// Whether conversations get through again, more and more at once.
    pub recovering: bool,
}

impl OrgHealth {
    /// Whether nothing is left to do without a person, a new message, or the end of an incident.
    #[must_use]
    pub fn idle(&self) -> bool {
        let parked = if self.incident.as_ref().is_none_or(|it| it.recovering) { self.parked } else { 0 };
        self.waiting + self.sending + self.scheduled + parked == 0 && self.operations + self.unmerged == 0
    }
}

/// Sources that are told the ids of Salesforce's records.
pub(super) type Links = Vec<SourceId>;

/// Finds the organization that an account is linked to.
pub(super) struct Directory {
    sources: HashMap<SourceId, Linked>,
}

#[derive(Default)]
struct Linked {
    accounts: HashMap<AccountId, OrgId>,
    others: Option<OrgId>,
}

impl Directory {
    pub(super) fn new(orgs: &[Arc<Org>]) -> Self {
        let mut sources = HashMap::<_, Linked>::new();
        for org in orgs {
            for (source, account) in &org.accounts {
                let linked = sources.entry(source.clone()).or_default();
                match account {
                    Some(account) => {
                        linked.accounts.insert(account.clone(), org.id.clone());
                    }
                    None => linked.others = Some(org.id.clone()),
                }
            }
        }
        Self { sources }
    }

    pub(super) fn find(&self, source: &SourceId, account: &AccountId) -> Option<&OrgId> {
        let linked = self.sources.get(source)?;
        linked.accounts.get(account).or(linked.others.as_ref())
    }
}
