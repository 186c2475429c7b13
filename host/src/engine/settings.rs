//! Settings of an organization that are changed while it runs: checked, on record with who asked, and in force at once.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Engine, Error};
use crate::domain::{
    Asker, Changing, Deed, Expected, OrgId, OrgSettings, SettingChanges, SettingsInForce, SettingsPatch, Timestamp,
};
use crate::ledger::Ledger;
use crate::policy::PolicyHost;
use crate::salesforce::Share;
use crate::troubles::{Trouble, Troubles};
use crate::{mail, store};

/// The kind of the trouble that a setting on record cannot be in force.
const TROUBLE: &str = "org-settings";
/// The most calls that may be on their way to one organization.
const CALLS: usize = 1_000;
/// Recipients that a person may give, teams, and characters of each.
const LISTED: usize = 50;
const CHARACTERS: usize = 320;
/// How far ahead a mute may end, in milliseconds: 31 days. Nobody is to be silenced for ever.
const MUTED: u64 = 31 * 24 * 3600 * 1000;

/// Why a setting cannot have a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct SettingProblem {
    /// The setting.
    pub field: &'static str,
    /// What is wrong with its value.
    pub why: String,
}

fn problem<T>(field: &'static str, why: impl Into<String>) -> Result<T, SettingProblem> {
    Err(SettingProblem { field, why: why.into() })
}

/// Whether values make sense, those of the configuration as those on record.
///
/// # Errors
/// Names the first that does not.
pub fn check_settings(values: &OrgSettings) -> Result<(), SettingProblem> {
    for recipient in &values.alert_recipients {
        mail::check(recipient).or_else(|error| problem("alert_recipients", error.to_string()))?;
    }
    if !(1..=CALLS).contains(&values.concurrency) {
        return problem("concurrency", format!("it has to be from 1 to {CALLS}"));
    }
    Share::try_from(values.slow_at).or_else(|_| problem("slow_at", "it has to be above 0, and 1 at most"))?;
    Ok(())
}

/// Settings of an organization, and what follows when they change.
pub struct Settings {
    stand: watch::Sender<Arc<SettingsInForce>>,
    /// Changes are made one at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Settings {
    /// Those of the configuration.
    #[must_use]
    pub fn new(file: OrgSettings) -> Self {
        Self::with(file, SettingChanges::default())
    }

    fn with(file: OrgSettings, changes: SettingChanges) -> Self {
        let stand = watch::Sender::new(Arc::new(SettingsInForce::new(file, changes)));
        Self { stand, changing: tokio::sync::Mutex::default() }
    }

    /// Those of the configuration under what people changed. What cannot be read or makes no sense is left out, and a trouble
    /// says so: it stops no start.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(
        org: &OrgId,
        file: OrgSettings,
        ledger: &Ledger,
        troubles: &Troubles,
        now: Timestamp,
    ) -> Result<Self, store::Error> {
        let raise = |subject: &str, why: &str| {
            tracing::error!(%org, subject, why, "a setting on record is left out");
            let what = format!("what was changed of the settings is not in force, and the configuration's is: {why}");
            let cure = "look at the organization's settings, and change them again";
            troubles.raise(Trouble::new(TROUBLE, subject, &what, cure, now).of(org));
        };
        let mut changes = match ledger.org_settings(org).await {
            Ok(changes) => changes,
            Err(error @ store::Error::Unreadable { .. }) => {
                raise("all", &error.to_string());
                SettingChanges::default()
            }
            Err(error) => return Err(error),
        };
        while let Err(wrong) = check_settings(&changes.over(&file)) {
            raise(wrong.field, &wrong.why);
            let before = changes.clone();
            changes.take_back(wrong.field);
            if changes == before {
                break;
            }
        }
        Ok(Self::with(file, changes))
    }

    /// How they stand.
    #[must_use]
    pub fn now(&self) -> Arc<SettingsInForce> {
        Arc::clone(&self.stand.borrow())
    }

    /// Tells whenever they change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<SettingsInForce>> {
        self.stand.subscribe()
    }
}

impl Engine {
    /// How the settings of an organization stand.
    ///
    /// # Errors
    /// When there is no such organization.
    pub fn settings(&self, id: &OrgId) -> Result<Arc<SettingsInForce>, Error> {
        Ok(self.org(id)?.0.settings.now())
    }

    /// Changes settings of an organization that are what `expected` says; answers how they stand then. They are on record,
    /// with who asked, before they are in force, and in force before this answers. What has begun goes on as it began.
    ///
    /// # Errors
    /// When there is no such organization, they are others meanwhile, a value makes no sense, or the store fails.
    pub async fn change_settings(
        &self,
        id: &OrgId,
        expected: &Expected,
        patch: SettingsPatch,
        by: &Asker,
    ) -> Result<Arc<SettingsInForce>, Error> {
        let (org, _) = self.org(id)?;
        let _one = org.settings.changing.lock().await;
        let stood = org.settings.now();
        expected.check(Some(&stood.tag()))?;
        let now = self.clock.now();
        given(&patch, now)?;
        let mut changes = stood.changes.clone();
        let words = changes.apply(patch, &stood.file, Changing { by: &by.name, at: now });
        if words.is_empty() {
            return Ok(stood);
        }
        let stand = Arc::new(SettingsInForce::new(stood.file.clone(), changes));
        check_settings(&stand.values)?;
        decides(&self.policies, &stood.values, &stand.values)?;
        let action = self.action(by, Deed::OrgSettings).of(id).because(&words.join("; "));
        self.ledger.keep_org_settings(id, &stand.changes, &action).await?;
        org.settings.stand.send_replace(Arc::clone(&stand));
        org.salesforce.set_calls_at_once(stand.values.concurrency);
        // The lane looks at what it may begin by now.
        self.configured(id)?.inbound.arrived.notify_one();
        for field in ["all", "alert_recipients", "concurrency", "slow_at"] {
            self.troubles.cure(TROUBLE, Some(id), field);
        }
        Ok(stand)
    }
}

/// Bounds of what a person gives, beyond those of all values.
fn given(patch: &SettingsPatch, now: Timestamp) -> Result<(), SettingProblem> {
    let lists = |all: &[String]| all.len() <= LISTED && all.iter().all(|one| one.chars().count() <= CHARACTERS);
    let why = format!("at most {LISTED}, of {CHARACTERS} characters each");
    if let Some(Some(recipients)) = &patch.alert_recipients
        && !lists(recipients)
    {
        return problem("alert_recipients", why);
    }
    if let Some(Some(crate::domain::Mode::ByTeam(teams))) = &patch.mode
        && (teams.is_empty() || !lists(teams))
    {
        return problem("mode", format!("teams: at least one, and {why}"));
    }
    match patch.muted_until {
        Some(Some(until)) if until <= now => problem("muted_until", "that is over already"),
        Some(Some(until)) if until.since(now).as_millis() > u128::from(MUTED) => {
            problem("muted_until", "it has to end within 31 days")
        }
        _ => Ok(()),
    }
}

/// Whether another policy can decide: its conversations would be sync errors until it can.
fn decides(policies: &PolicyHost, before: &OrgSettings, after: &OrgSettings) -> Result<(), SettingProblem> {
    let name = &after.policy;
    // A name that nobody knows is answered for by the default policy: that is no policy of its own.
    let is_in_force = policies.policy(name).is_some_and(|policy| policy.in_force.is_some());
    match before.policy == *name || is_in_force {
        true => Ok(()),
        false => problem("policy", format!("no revision of `{name}` is in force: put the policy in force first")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Mode, PolicyName};

    fn values() -> OrgSettings {
        OrgSettings {
            alert_recipients: vec!["Ann <ann@example.com>".to_owned()],
            policy: PolicyName::new("default").unwrap(),
            mode: Mode::ByPolicy,
            concurrency: 4,
            slow_at: 0.8,
        }
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        assert_eq!(check_settings(&values()), Ok(()));
        let wrong = |values: OrgSettings| check_settings(&values).unwrap_err().field;
        assert_eq!(wrong(OrgSettings { alert_recipients: vec!["ann".to_owned()], ..values() }), "alert_recipients");
        for concurrency in [0, CALLS + 1, usize::MAX] {
            assert_eq!(wrong(OrgSettings { concurrency, ..values() }), "concurrency");
        }
        for slow_at in [0.0, 1.1, f64::NAN] {
            assert_eq!(wrong(OrgSettings { slow_at, ..values() }), "slow_at");
        }
    }

    #[test]
    fn what_a_person_gives_is_bounded() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let wrong = |patch: SettingsPatch| given(&patch, now).err().map(|wrong| wrong.field);
        let none = SettingsPatch::default;
        let many = vec!["a@example.com".to_owned(); LISTED + 1];
        assert_eq!(
            wrong(SettingsPatch { alert_recipients: Some(Some(many.clone())), ..none() }),
            Some("alert_recipients")
        );
        assert_eq!(wrong(SettingsPatch { mode: Some(Some(Mode::ByTeam(many))), ..none() }), Some("mode"));
        assert_eq!(wrong(SettingsPatch { mode: Some(Some(Mode::ByTeam(Vec::new()))), ..none() }), Some("mode"));
        let until = |at: Timestamp| SettingsPatch { muted_until: Some(Some(at)), ..none() };
        assert_eq!(wrong(until(now)), Some("muted_until"));
        assert_eq!(wrong(until(now.after(Duration::from_millis(MUTED + 1)))), Some("muted_until"));
        assert_eq!(wrong(until(now.after(Duration::from_millis(MUTED)))), None);
    }
}
