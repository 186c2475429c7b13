//! The plugins by name, and why the newest attempt to bring one came to nothing, where it did.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use serde::Serialize;
use tokio::sync::Mutex;

use super::places::Runtime;
use super::plugin::{Plugin, PluginStatus};
use crate::domain::{Origin, PluginName, Timestamp};
use crate::policy::component::TrustedKeys;
use crate::policy::locks::{read, write};
use crate::policy::{Config, Error};

/// Why the newest attempt to bring a plugin came to nothing. What was taken before, if anything was, stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginTrouble {
    /// The plugin.
    pub name: PluginName,
    /// Where it would have come from.
    pub origin: Origin,
    /// When that was tried.
    pub at: Timestamp,
    /// What happened, in words for an operator.
    pub reason: String,
}

/// Plugins and their troubles.
pub(crate) struct Catalog {
    keys: TrustedKeys,
    plugins: RwLock<BTreeMap<PluginName, Arc<Plugin>>>,
    troubles: RwLock<BTreeMap<PluginName, PluginTrouble>>,
    /// Held by one plugin that is being compiled; policies are changed meanwhile.
    compiling: Mutex<()>,
}

impl Catalog {
    /// Without any plugin.
    ///
    /// # Errors
    /// When a key of the configuration is none.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let keys = TrustedKeys::new(&config.plugin_keys)?;
        Ok(Self { keys, plugins: RwLock::default(), troubles: RwLock::default(), compiling: Mutex::default() })
    }

    /// Takes a component as a plugin, in place of any of the same name.
    ///
    /// # Errors
    /// When it is no plugin that fits, or is not signed as it has to be.
    pub(crate) async fn add(
        self: &Arc<Self>,
        runtime: &Arc<Runtime>,
        name: PluginName,
        bytes: Vec<u8>,
        signature: Option<&str>,
        origin: Origin,
    ) -> Result<PluginStatus, Error> {
        let refused = |reason| Error::Plugin { name: name.clone(), reason };
        let unreadable = |error| refused(format!("it cannot be read: {error}"));
        let (own, signature, built_in) = (Arc::clone(self), signature.map(str::to_owned), origin == Origin::Embedded);
        let check = move || match built_in {
            true => Ok(bytes),
            false => own.keys.check(&bytes, signature.as_deref()).map(|()| bytes),
        };
        let bytes = tokio::task::spawn_blocking(check).await.map_err(unreadable)?.map_err(refused)?;
        let _one_at_a_time = self.compiling.lock().await;
        let (runtime, of) = (Arc::clone(runtime), name.clone());
        let compile = move || Plugin::new(&runtime.sandbox, of, bytes, origin);
        let plugin = tokio::task::spawn_blocking(compile).await.map_err(unreadable)??;
        let status = plugin.status.clone();
        write(&self.plugins).insert(status.name.clone(), Arc::new(plugin));
        write(&self.troubles).remove(&status.name);
        Ok(status)
    }

    /// A plugin by its name.
    ///
    /// # Errors
    /// Why there is none, in words for an operator.
    pub(crate) fn find(&self, name: &PluginName) -> Result<Arc<Plugin>, String> {
        read(&self.plugins).get(name).cloned().ok_or_else(|| match read(&self.troubles).get(name) {
            Some(trouble) => format!("there is no plugin `{name}`: {}", trouble.reason),
            None => format!("there is no plugin `{name}`"),
        })
    }

    /// Every plugin, by name.
    pub(crate) fn statuses(&self) -> Vec<PluginStatus> {
        read(&self.plugins).values().map(|plugin| plugin.status.clone()).collect()
    }

    /// The SHA-256 of a plugin, in hexadecimal; `None` where there is no such plugin.
    pub(crate) fn digest(&self, name: &PluginName) -> Option<String> {
        read(&self.plugins).get(name).map(|plugin| plugin.status.digest.clone())
    }

    /// Forgets a plugin and its trouble; `false` when there was neither.
    pub(crate) fn remove(&self, name: &PluginName) -> bool {
        let plugin = write(&self.plugins).remove(name).is_some();
        let trouble = write(&self.troubles).remove(name).is_some();
        plugin || trouble
    }

    /// Every trouble, by the plugin's name.
    pub(crate) fn troubles(&self) -> Vec<PluginTrouble> {
        read(&self.troubles).values().cloned().collect()
    }

    /// Keeps a trouble until the plugin is taken.
    pub(crate) fn note_trouble(&self, trouble: PluginTrouble) {
        let PluginTrouble { name, origin, reason, .. } = &trouble;
        tracing::warn!(plugin = %name, %origin, %reason, "a plugin is not taken; the one before stays, if there is one");
        write(&self.troubles).insert(trouble.name.clone(), trouble);
    }

    /// What was tried in vain is no longer wanted.
    pub(crate) fn forget_trouble(&self, plugin: &PluginName) {
        write(&self.troubles).remove(plugin);
    }
}
