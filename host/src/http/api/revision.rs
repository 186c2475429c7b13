//! Revisions of a policy: what became of the texts that were handed in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::policy::{Origin, PolicyTexts};
use crate::domain::{PolicyName, PolicyRevision, RevisionState, Timestamp};

/// What became of the texts of a policy that were handed in at one time.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Revision {
    pub(crate) number: u32,
    pub(crate) state: RevisionState,
    /// Why it is in this state, where that has a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) changed_at: Timestamp,
    pub(crate) applied_at: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) digest: String,
    /// Digests of the plugins that it was tried with.
    pub(crate) plugins: BTreeMap<String, String>,
    /// Its texts; only of a revision that is asked for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<PolicyTexts>,
}

/// The revisions of a policy.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct RevisionList {
    pub(crate) policy: PolicyName,
    /// Newest first.
    pub(crate) revisions: Vec<Revision>,
}

impl Revision {
    pub(crate) fn of(revision: PolicyRevision, with_texts: bool) -> Self {
        let PolicyRevision { number, digest, source, plugins, state, reason, changed_at } = revision;
        let texts = with_texts.then_some(PolicyTexts { toml: source.toml, scripts: source.scripts });
        let plugins = plugins.into_iter().map(|(name, digest)| (name.to_string(), digest)).collect();
        let (applied_at, origin) = (source.at, source.origin.into());
        Self { number, state, reason, changed_at, applied_at, origin, digest, plugins, source: texts }
    }
}
