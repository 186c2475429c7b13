//! What a plugin may use, and how much of it.

use serde::{Deserialize, Serialize};

use super::error::Error;

/// Bounds for every plugin and every decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How much time of a core a decision may take, in milliseconds.
    pub deadline_ms: u64,
    /// How much time of a core a plugin may take to read its settings and script, in milliseconds.
    pub configure_deadline_ms: u64,
    /// How much memory a plugin may have, in bytes.
    pub memory_bytes: usize,
    /// How long an answer may be, in bytes over all its texts.
    pub answer_bytes: usize,
    /// How much of a plugin's log is kept with a decision, in bytes; the rest is cut off.
    pub log_bytes: usize,
    /// How large a plugin's file may be, in bytes.
    pub plugin_bytes: usize,
    /// How large a policy's file and its scripts may be together, in bytes.
    pub source_bytes: usize,
    /// How many decisions may run at the same moment; one policy gets at most a quarter of them.
    pub instances: u32,
    /// Whether a configured plugin is frozen and cloned for each decision. Without it, each decision configures a plugin
    /// of its own: the same answers at several times the price.
    pub freeze: bool,
    /// How many policies may be frozen at the same time. Each costs 6 to 10 MB; beyond that, one that was not asked for ten
    /// minutes makes place for one that is asked.
    pub frozen_policies: u32,
    /// Public keys of minisign: where there are any, a plugin that is not built in has to be signed with one of them.
    pub plugin_keys: Vec<String>,
    /// How long a revision that replaced another is watched, in milliseconds; 0 watches none.
    pub guard_window_ms: u64,
    /// It is rolled back when so many of its decisions failed or were refused,
    pub guard_failures: u64,
    /// and that is a larger share of all than it was with the revision before, by so many percentage points.
    pub guard_percent: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deadline_ms: 50,
            configure_deadline_ms: 2_000,
            memory_bytes: 64 << 20,
            answer_bytes: 64 << 10,
            log_bytes: 8 << 10,
            plugin_bytes: 64 << 20,
            source_bytes: 1 << 20,
            instances: 32,
            freeze: true,
            frozen_policies: 250,
            plugin_keys: Vec::new(),
            guard_window_ms: 600_000,
            guard_failures: 20,
            guard_percent: 20,
        }
    }
}

impl Config {
    /// Refuses bounds under which nothing could run.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let least = [
            ("deadline_ms", self.deadline_ms, 5),
            ("configure_deadline_ms", self.configure_deadline_ms, 5),
            ("memory_bytes", self.memory_bytes as u64, 1 << 20),
            ("answer_bytes", self.answer_bytes as u64, 1 << 10),
            ("instances", u64::from(self.instances), 1),
        ];
        match least.into_iter().find(|(_, given, least)| given < least) {
            Some((key, given, least)) => Err(Error::Config(format!("{key} is {given}, but has to be {least} or more"))),
            None if self.memory_bytes > 4 << 30 => {
                Err(Error::Config("memory_bytes is more than the 4 GiB that a plugin can address".into()))
            }
            None if self.instances > 1_000 => Err(Error::Config("instances is more than 1000".into())),
            None => Ok(()),
        }
    }

    /// How many instances may wait for their next decision, over all policies that keep theirs.
    pub(crate) fn instances_kept(&self) -> u32 {
        self.instances.div_ceil(2)
    }

    /// How many decisions of one policy may run at the same moment.
    pub(crate) fn instances_per_policy(&self) -> usize {
        self.instances.div_ceil(4) as usize
    }
}
