//! A draft: a policy that was read, and whose plugins are there.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::manifest::Manifest;
use super::rejection::{PolicyProblem, Rejection};
use crate::domain::{BrakeSettings, Fault, PluginName, PolicyName, PolicySource};
use crate::policy::runtime::{Assignment, ClockAndSeed, Plugin};

/// The policy that answers where no other does.
pub const DEFAULT_POLICY: &str = "default";

/// A policy that was read, and whose plugins are there.
pub(crate) struct Draft {
    pub(crate) name: PolicyName,
    pub(crate) source: PolicySource,
    pub(super) manifest: Manifest,
    pub(super) plugins: BTreeMap<PluginName, Arc<Plugin>>,
    /// SHA-256 over the policy's texts and its plugins, in hexadecimal.
    pub(crate) digest: String,
}

/// What is wrong with a policy; its author has to mend it.
pub(crate) struct DraftError {
    pub(crate) problems: Vec<PolicyProblem>,
    /// How a plugin failed to take its settings or to answer a sample, where it did.
    pub(crate) fault: Option<Fault>,
    /// The plugin that is not there, where that is what is wrong.
    pub(crate) waits_for: Option<PluginName>,
}

impl From<Vec<PolicyProblem>> for DraftError {
    fn from(problems: Vec<PolicyProblem>) -> Self {
        Self { problems, fault: None, waits_for: None }
    }
}

impl DraftError {
    /// The same for whoever gave the texts.
    pub(crate) fn of(self, policy: PolicyName, source: &PolicySource) -> Rejection {
        let Self { problems, fault, waits_for } = self;
        Rejection { policy, origin: source.origin.clone(), at: source.at, problems, fault, waits_for, try_again: false }
    }
}

/// What some editors put before a text, and no reader of TOML or scripts expects.
const BYTE_ORDER_MARK: char = '\u{feff}';
const MARKED: &str = "it begins with a byte order mark; save it as UTF-8 without one";

/// Why texts of that length are not taken.
pub(crate) fn too_long(bytes: usize, most_bytes: usize) -> String {
    format!("{bytes} bytes of text; {most_bytes} are allowed")
}

/// Every text by its file, the policy's own first.
fn texts<'a>(file: &'a str, source: &'a PolicySource) -> impl Iterator<Item = (&'a str, &'a str)> {
    let scripts = source.scripts.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    std::iter::once((file, source.toml.as_str())).chain(scripts)
}

impl Draft {
    /// Reads a policy; `most_bytes` is the bound of all its texts, and `find` says which plugin has a name, or why none has.
    pub(crate) fn read(
        name: PolicyName,
        source: PolicySource,
        most_bytes: usize,
        find: impl Fn(&PluginName) -> Result<Arc<Plugin>, String>,
    ) -> Result<Self, DraftError> {
        let file = format!("{name}.toml");
        let bytes = source.bytes();
        if bytes > most_bytes {
            return Err(vec![PolicyProblem::of(file, too_long(bytes, most_bytes))].into());
        }
        let marked: Vec<_> = texts(&file, &source).filter(|(_, text)| text.starts_with(BYTE_ORDER_MARK)).collect();
        if !marked.is_empty() {
            let marked = marked.into_iter().map(|(path, _)| PolicyProblem::at(path, "", 0, MARKED));
            return Err(marked.collect::<Vec<_>>().into());
        }
        let manifest = Manifest::read(&name, &source)?;
        let mut plugins = BTreeMap::new();
        let mut digest = Sha256::new();
        for Assignment { plugin: wanted, digest: pinned, configuration, .. } in manifest.assignments() {
            let plugin = find(wanted).map_err(|why| {
                let waits_for = Some(wanted.clone());
                DraftError { waits_for, ..vec![PolicyProblem::of(file.as_str(), why)].into() }
            })?;
            if let Some(pinned) = pinned.as_ref().filter(|pinned| **pinned != plugin.status.digest) {
                let has = &plugin.status.digest;
                let message = format!("the plugin `{wanted}` is sha256:{has}, and the policy wants sha256:{pinned}");
                return Err(vec![PolicyProblem::of(file, message)].into());
            }
            digest.update(&plugin.status.digest);
            digest.update(configuration.len().to_be_bytes());
            digest.update(configuration);
            plugins.insert(wanted.clone(), plugin);
        }
        digest.update(&source.toml);
        let digest = hex::encode(digest.finalize());
        Ok(Self { name, source, manifest, plugins, digest })
    }

    /// The plugins that it names, with the SHA-256 of each.
    pub(crate) fn plugins(&self) -> BTreeMap<PluginName, String> {
        self.plugins.iter().map(|(name, plugin)| (name.clone(), plugin.status.digest.clone())).collect()
    }

    /// Whether it names this plugin.
    pub(crate) fn names(&self, plugin: &PluginName) -> bool {
        self.plugins.contains_key(plugin)
    }

    /// Whether another component of this plugin would make another revision of it: it names the plugin and no digest.
    pub(crate) fn follows(&self, plugin: &PluginName, digest: &str) -> bool {
        let old = self.plugins.get(plugin).is_some_and(|own| own.status.digest != digest);
        old && self.manifest.assignments().any(|one| one.plugin == *plugin && one.digest.is_none())
    }

    /// How much the policy may ignore by itself.
    pub(crate) fn brake(&self) -> BrakeSettings {
        self.manifest.ignore
    }

    /// The file of the policy itself.
    pub(super) fn file(&self) -> String {
        format!("{}.toml", self.name)
    }

    /// The clock and the seed that its plugins are configured and tried with.
    pub(super) fn clock_and_seed(&self) -> ClockAndSeed {
        ClockAndSeed { now: self.source.at, seed: self.name.to_string() }
    }
}
