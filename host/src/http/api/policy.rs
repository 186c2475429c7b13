//! Policies: which revision decides, who gave it, and what became of the others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::{self, PluginName, PolicyName, PolicyRevision, Question, RevisionState, Timestamp};
use crate::policy as host;
use crate::policy::Isolation;

/// A revision of a policy.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PolicyRef {
    pub(crate) name: PolicyName,
    pub(crate) revision: u32,
}

impl From<domain::PolicyRef> for PolicyRef {
    fn from(domain::PolicyRef { name, revision }: domain::PolicyRef) -> Self {
        Self { name, revision }
    }
}

/// The texts of a policy.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyTexts {
    /// The text of NAME.toml.
    pub(crate) toml: String,
    /// Scripts by file name.
    #[serde(default)]
    pub(crate) scripts: BTreeMap<String, String>,
}

/// Who gave a policy or a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Origin {
    #[schema(pattern = "^(embedded|file|registry|api)$")]
    from: &'static str,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The component in a registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Who handed it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

impl From<domain::Origin> for Origin {
    fn from(origin: domain::Origin) -> Self {
        let none = Self { from: "embedded", path: None, reference: None, by: None };
        match origin {
            domain::Origin::Embedded => none,
            domain::Origin::File { path } => Self { from: "file", path: Some(path), ..none },
            domain::Origin::Registry { reference } => Self { from: "registry", reference: Some(reference), ..none },
            domain::Origin::Api { by } => Self { from: "api", by: Some(by), ..none },
        }
    }
}

/// How a policy stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyStatus {
    name: PolicyName,
    /// Absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_force: Option<InForce>,
    /// What was handed in last and could not be put in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_rejection: Option<Rejection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<Shadow>,
    /// Questions that it was asked since the start.
    decisions: u64,
    faults: Faults,
}

/// All policies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyList {
    pub(crate) policies: Vec<PolicyStatus>,
}

/// A policy with its texts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Policy {
    #[serde(flatten)]
    pub(crate) status: PolicyStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<PolicyTexts>,
}

/// The revision that decides.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InForce {
    revision: u32,
    /// SHA-256 of its texts and plugins, in hexadecimal; the `ETag` of the policy.
    digest: String,
    applied_at: Timestamp,
    origin: Origin,
    answered_by: Vec<AnsweredBy>,
}

/// Who answers a question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnsweredBy {
    question: Question,
    policy: PolicyRef,
    plugin: PluginName,
    plugin_digest: String,
    /// The script's file, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
    isolation: Isolation,
    /// Whether decisions begin with a snapshot of the plugin after its start.
    frozen: bool,
    /// Why they do not, where they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_frozen_because: Option<String>,
}

/// Texts that could not be put in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rejection {
    policy: PolicyName,
    origin: Origin,
    at: Timestamp,
    problems: Vec<PolicyProblem>,
    /// How it failed to answer when it was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    /// The plugin that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<PluginName>,
    /// Whether the host tries it again by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    try_again: bool,
}

/// How a policy failed to answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fault {
    #[schema(examples("refused"), pattern = "^(trapped|too-slow|too-large|refused|senseless)$")]
    way: &'static str,
    /// The policy's own code, where it said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The time of a core that it had, in milliseconds, where that was too short for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_ms: Option<u64>,
}

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PolicyProblem {
    /// The file, or the member of it.
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    message: String,
}

impl From<host::PolicyProblem> for PolicyProblem {
    fn from(host::PolicyProblem { path, line, column, message }: host::PolicyProblem) -> Self {
        Self { path, line, column, message }
    }
}

/// Texts that answer beside those in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Shadow {
    revision: u32,
    since: Timestamp,
    /// Answers that were the same, that were others, that failed, and that nobody waited for.
    same: u64,
    different: u64,
    faults: u64,
    skipped: u64,
    examples: Vec<Difference>,
}

/// A question that two revisions answer differently.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Difference {
    conversation: String,
    question: Question,
    /// The answer of the revision in force.
    now: Value,
    /// The answer of the candidate.
    then: Value,
}

impl From<host::Difference> for Difference {
    fn from(host::Difference { conversation, question, now, then }: host::Difference) -> Self {
        Self { conversation, question, now, then }
    }
}

/// Decisions that ended in a fault.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Faults {
    trapped: u64,
    too_slow: u64,
    too_large: u64,
    refused: u64,
    senseless: u64,
}

/// What became of the texts of a policy that were handed in at one time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Revision {
    number: u32,
    state: RevisionState,
    /// Why it is in this state, where that has a reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    changed_at: Timestamp,
    applied_at: Timestamp,
    origin: Origin,
    digest: String,
    /// Digests of the plugins that it was tried with.
    plugins: BTreeMap<String, String>,
    /// Its texts; only of a revision that is asked for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<PolicyTexts>,
}

/// The revisions of a policy.
#[derive(Debug, Serialize, ToSchema)]
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

impl From<host::PolicyStatus> for PolicyStatus {
    fn from(status: host::PolicyStatus) -> Self {
        let host::PolicyStatus { name, in_force, last_rejection, shadow, decisions, faults } = status;
        let host::Faults { trapped, too_slow, too_large, refused, senseless } = faults;
        Self {
            name,
            in_force: in_force.map(InForce::from),
            last_rejection: last_rejection.map(Rejection::from),
            shadow: shadow.map(Shadow::from),
            decisions,
            faults: Faults { trapped, too_slow, too_large, refused, senseless },
        }
    }
}

impl From<host::InForce> for InForce {
    fn from(host::InForce { revision, digest, applied_at, origin, answered_by }: host::InForce) -> Self {
        let answered_by = answered_by.into_iter().map(AnsweredBy::from).collect();
        Self { revision, digest, applied_at, origin: origin.into(), answered_by }
    }
}

impl From<host::AnsweredBy> for AnsweredBy {
    fn from(by: host::AnsweredBy) -> Self {
        let host::AnsweredBy { question, policy, plugin, plugin_digest, script, isolation, .. } = by;
        let (frozen, not_frozen_because) = (by.frozen, by.not_frozen_because);
        let policy = policy.into();
        Self { question, policy, plugin, plugin_digest, script, isolation, frozen, not_frozen_because }
    }
}

impl From<host::Rejection> for Rejection {
    fn from(rejection: host::Rejection) -> Self {
        let host::Rejection { policy, origin, at, problems, fault, waits_for, try_again } = rejection;
        let problems = problems.into_iter().map(PolicyProblem::from).collect();
        Self { policy, origin: origin.into(), at, problems, fault: fault.map(Fault::from), waits_for, try_again }
    }
}

impl From<domain::Fault> for Fault {
    fn from(fault: domain::Fault) -> Self {
        let (way, code, message, limit_ms) = match fault {
            domain::Fault::Trapped { message } => ("trapped", None, Some(message), None),
            domain::Fault::TooSlow { limit_ms } => ("too-slow", None, None, Some(limit_ms)),
            domain::Fault::TooLarge { message } => ("too-large", None, Some(message), None),
            domain::Fault::Refused { code, message } => ("refused", Some(code), Some(message), None),
            domain::Fault::Senseless { message } => ("senseless", None, Some(message), None),
        };
        Self { way, code, message, limit_ms }
    }
}

impl From<host::ShadowStatus> for Shadow {
    fn from(shadow: host::ShadowStatus) -> Self {
        let host::ShadowStatus { revision, since, same, different, faults, skipped, examples } = shadow;
        let examples = examples.into_iter().map(Difference::from).collect();
        Self { revision, since, same, different, faults, skipped, examples }
    }
}
