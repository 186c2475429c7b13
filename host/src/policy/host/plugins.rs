//! Plugins and their troubles, as the face has them.

use super::PolicyHost;
use crate::domain::{Origin, PluginName, PolicyName};
use crate::policy::Error;
use crate::policy::runtime::{PluginStatus, PluginTrouble};

impl PolicyHost {
    /// Takes a component as a plugin, in place of any of the same name. A policy in force goes on with the one that it
    /// was made with until it is applied again, see [`apply_again`](Self::apply_again).
    ///
    /// # Errors
    /// When it is too large, is no component, imports what no plugin gets, answers no question, or has a function or a type
    /// that is not the interface's.
    pub async fn add_plugin(&self, name: PluginName, bytes: Vec<u8>, origin: Origin) -> Result<PluginStatus, Error> {
        self.add_signed_plugin(name, bytes, None, origin).await
    }

    /// The same with the text of its `.minisig` file, for a host that takes signed plugins only.
    ///
    /// # Errors
    /// As [`add_plugin`](Self::add_plugin), and when it is not signed as it has to be.
    pub async fn add_signed_plugin(
        &self,
        name: PluginName,
        bytes: Vec<u8>,
        signature: Option<&str>,
        origin: Origin,
    ) -> Result<PluginStatus, Error> {
        self.catalog.add(&self.runtime, name, bytes, signature, origin).await
    }

    /// How long a policy's texts may be together, in bytes.
    #[must_use]
    pub fn source_bytes(&self) -> usize {
        self.runtime.sandbox.config.source_bytes
    }

    /// How large a plugin's file may be, in bytes.
    #[must_use]
    pub fn plugin_bytes(&self) -> usize {
        self.runtime.sandbox.config.plugin_bytes
    }

    /// Every plugin, by name.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginStatus> {
        self.catalog.statuses()
    }

    /// The SHA-256 of a plugin, in hexadecimal; `None` where there is no such plugin.
    #[must_use]
    pub fn plugin_digest(&self, plugin: &PluginName) -> Option<String> {
        self.catalog.digest(plugin)
    }

    /// The policies that a plugin answers for, in force or as a shadow, or that wait for it.
    #[must_use]
    pub fn users(&self, plugin: &PluginName) -> Vec<PolicyName> {
        self.changes.users(plugin)
    }

    /// Forgets a plugin and what was wrong with it; `false` when there was neither. A policy that was made with it goes on.
    pub fn remove_plugin(&self, plugin: &PluginName) -> bool {
        self.catalog.remove(plugin)
    }

    /// Keeps a trouble for whoever looks, until the plugin is taken.
    pub fn note_trouble(&self, trouble: PluginTrouble) {
        self.catalog.note_trouble(trouble);
    }

    /// What was tried in vain is no longer wanted.
    pub fn forget_trouble(&self, plugin: &PluginName) {
        self.catalog.forget_trouble(plugin);
    }

    /// Plugins whose newest attempt came to nothing, by name.
    #[must_use]
    pub fn troubles(&self) -> Vec<PluginTrouble> {
        self.catalog.troubles()
    }
}
