//! Policies: which revision decides, who gave it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::{self, PluginName, PolicyName, Question, Timestamp};
use crate::policy as host;
use crate::policy::Isolation;

/// A revision of a policy.
#[derive(Debug, PartialEq, Deserialize, Serialize, ToSchema)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyTexts {
    /// The text of NAME.toml.
    pub(crate) toml: String,
    /// Scripts by file name.
    #[serde(default)]
    pub(crate) scripts: BTreeMap<String, String>,
}

/// Who gave a policy or a plugin.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Origin {
    #[schema(pattern = "^(embedded|file|registry|api)$")]
    pub(crate) from: Cow<'static, str>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// The component in a registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    /// Who handed it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
}

impl From<domain::Origin> for Origin {
    fn from(origin: domain::Origin) -> Self {
        let none = Self { from: "embedded".into(), path: None, reference: None, by: None };
        match origin {
            domain::Origin::Embedded => none,
            domain::Origin::File { path } => Self { from: "file".into(), path: Some(path), ..none },
            domain::Origin::Registry { reference } => {
                Self { from: "registry".into(), reference: Some(reference), ..none }
            }
            domain::Origin::Api { by } => Self { from: "api".into(), by: Some(by), ..none },
        }
    }
}

/// How a policy stands.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct PolicyStatus {
    pub(crate) name: PolicyName,
    /// Absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_force: Option<InForce>,
    /// What was handed in last and could not be put in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_rejection: Option<Rejection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shadow: Option<Shadow>,
    /// Questions that it was asked since the start.
    pub(crate) decisions: u64,
    pub(crate) faults: Faults,
}

/// All policies.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct PolicyList {
    pub(crate) policies: Vec<PolicyStatus>,
}

/// A policy with its texts.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Policy {
    #[serde(flatten)]
    pub(crate) status: PolicyStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<PolicyTexts>,
}

/// The revision that decides.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct InForce {
    pub(crate) revision: u32,
    /// SHA-256 of its texts and plugins, in hexadecimal; the `ETag` of the policy.
    pub(crate) digest: String,
    pub(crate) applied_at: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) answered_by: Vec<AnsweredBy>,
}

/// Who answers a question.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct AnsweredBy {
    pub(crate) question: Question,
    pub(crate) policy: PolicyRef,
    pub(crate) plugin: PluginName,
    pub(crate) plugin_digest: String,
    /// The script's file, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<String>,
    pub(crate) isolation: Isolation,
    /// Whether decisions begin with a snapshot of the plugin after its start.
    pub(crate) frozen: bool,
    /// Why they do not, where they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_frozen_because: Option<String>,
}

/// Texts that could not be put in force.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Rejection {
    pub(crate) policy: PolicyName,
    pub(crate) origin: Origin,
    pub(crate) at: Timestamp,
    pub(crate) problems: Vec<PolicyProblem>,
    /// How it failed to answer when it was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<Fault>,
    /// The plugin that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waits_for: Option<PluginName>,
    /// Whether the host tries it again by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) try_again: bool,
}

/// How a policy failed to answer.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Fault {
    #[schema(examples("refused"), pattern = "^(trapped|too-slow|too-large|refused|senseless)$")]
    pub(crate) way: Cow<'static, str>,
    /// The policy's own code, where it said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// The time of a core that it had, in milliseconds, where that was too short for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit_ms: Option<u64>,
}

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub(crate) struct PolicyProblem {
    /// The file, or the member of it.
    pub(crate) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<u32>,
    pub(crate) message: String,
}

impl From<host::PolicyProblem> for PolicyProblem {
    fn from(host::PolicyProblem { path, line, column, message }: host::PolicyProblem) -> Self {
        Self { path, line, column, message }
    }
}

/// Texts that answer beside those in force.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Shadow {
    pub(crate) revision: u32,
    pub(crate) since: Timestamp,
    /// Answers that were the same, that were others, that failed, and that nobody waited for.
    pub(crate) same: u64,
    pub(crate) different: u64,
    pub(crate) faults: u64,
    pub(crate) skipped: u64,
    pub(crate) examples: Vec<Difference>,
}

/// A question that two revisions answer differently.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Difference {
    pub(crate) conversation: String,
    pub(crate) question: Question,
    /// The answer of the revision in force.
    pub(crate) now: Value,
    /// The answer of the candidate.
    pub(crate) then: Value,
}

impl From<host::Difference> for Difference {
    fn from(host::Difference { conversation, question, now, then }: host::Difference) -> Self {
        Self { conversation, question, now, then }
    }
}

/// Decisions that ended in a fault.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Faults {
    pub(crate) trapped: u64,
    pub(crate) too_slow: u64,
    pub(crate) too_large: u64,
    pub(crate) refused: u64,
    pub(crate) senseless: u64,
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
        Self { way: way.into(), code, message, limit_ms }
    }
}

impl From<host::ShadowStatus> for Shadow {
    fn from(shadow: host::ShadowStatus) -> Self {
        let host::ShadowStatus { revision, since, same, different, faults, skipped, examples } = shadow;
        let examples = examples.into_iter().map(Difference::from).collect();
        Self { revision, since, same, different, faults, skipped, examples }
    }
}
