//! What people changed of organizations' settings: each change is in one commit with its action and its event.

use super::{Ledger, events, key, record};
use crate::domain::{Action, EventType, HostEvent, OrgId, SettingChanges};
use crate::store::{Batch, Error};

impl Ledger {
    /// What people changed of an organization's settings.
    ///
    /// # Errors
    /// When the store cannot be read or the record not be understood.
    pub async fn org_settings(&self, org: &OrgId) -> Result<SettingChanges, Error> {
        Ok(self.read(key::org_settings(org)).await?.unwrap_or_default())
    }

    /// Keeps it as it is now. When it answers `Ok`, that survives a power cut.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn keep_org_settings(&self, org: &OrgId, changes: &SettingChanges, action: &Action) -> Result<(), Error> {
        let mut batch = Batch::default();
        batch.put(key::org_settings(org), record::encode(changes));
        let event = HostEvent { org: Some(org.clone()), ..HostEvent::new(EventType::SettingsChanged, action.at) };
        events::append(&mut batch, [&event]);
        self.commit_with(batch, Some(action)).await
    }
}
