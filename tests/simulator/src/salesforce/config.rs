//! What an administrator sets about an organization; all of it comes and changes over the control API.

use serde::{Deserialize, Serialize};

use super::tokens::Policy;

/// The settings. Queues, users and contacts are in `define::Seed`, for they become records.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) client_id: String,
    /// Asked for when it is not empty.
    pub(crate) client_secret: String,
    pub(crate) refresh_policy: Policy,
    /// Whether every refresh replaces the refresh token.
    pub(crate) rotation: bool,
    /// Living refresh tokens of the user; a further one kills the oldest.
    pub(crate) approvals: usize,
    /// An access token unused for so long is dead.
    pub(crate) session_ms: i64,
    /// Where the web-server flow may lead back to.
    pub(crate) callback_urls: Vec<String>,
    /// What the user answers when the app asks for access.
    pub(crate) consent: Consent,
    /// Whether the app has a user for the client-credentials flow.
    pub(crate) client_credentials: bool,
    /// PEM of the app's certificate or public key for the JWT flow; without it every assertion is invalid.
    pub(crate) jwt_certificate: Option<String>,
    /// Whether the app is pre-authorized for the user of an assertion.
    pub(crate) jwt_approved: bool,
    /// Whether assertions are meant for test.salesforce.com instead of login.salesforce.com.
    pub(crate) sandbox: bool,
    pub(crate) person_accounts: bool,
    /// The sample triggers of the package: a conversation makes a Case and keeps it in step.
    pub(crate) case_trigger: bool,
    /// Owner of a Case whose creation did not say `Sforce-Auto-Assign: FALSE`: an id, a queue's developer name or a username.
    pub(crate) default_case_owner: Option<String>,
    /// Calls in 24 hours.
    pub(crate) api_limit: u64,
    /// Calls at the same moment; a further one is refused. Without limit when absent.
    pub(crate) concurrent_limit: Option<usize>,
    /// Queries and collections in one composite call; how many Salesforce allows is not confirmed.
    pub(crate) composite_heavy_limit: usize,
    /// How long a call that writes takes until it is committed, in milliseconds: so long the parents of its records are held,
    /// and its answer comes afterwards.
    pub(crate) parent_lock_ms: u64,
    /// How long a call waits for what another holds before its records are refused, in milliseconds. What an administrator
    /// holds over the control API is refused at once, so that nothing has to be slow.
    pub(crate) lock_wait_ms: u64,
    /// The user's language: most of Salesforce's words come in it.
    pub(crate) language: Language,
    /// Whether the user may view all data: needed for upserts by a field that is not unique, such as an e-mail address.
    pub(crate) view_all_data: bool,
    /// What the user may do with an object, and with the records of others; everything with those that are not named.
    pub(crate) access: Vec<Access>,
    /// How long a search does not find what was just written, in milliseconds.
    pub(crate) search_lag_ms: i64,
    pub(crate) objects: Vec<CustomObject>,
    pub(crate) fields: Vec<CustomField>,
    pub(crate) external_ids: Vec<ExternalId>,
    pub(crate) restricted_picklists: Vec<Restricted>,
    /// `Object` or `Object.Field`: as if it were not there.
    pub(crate) hidden: Vec<String>,
    /// `Object.Field` that can be read only.
    pub(crate) read_only: Vec<String>,
    pub(crate) validation_rules: Vec<Rule>,
    pub(crate) duplicate_rules: Vec<DuplicateRule>,
    pub(crate) failing_triggers: Vec<FailingTrigger>,
}

/// A language of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Language {
    English,
    French,
}

/// What the integration user may do with an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Access {
    pub(crate) object: String,
    #[serde(default = "yes")]
    pub(crate) create: bool,
    #[serde(default = "yes")]
    pub(crate) edit: bool,
    /// Whether records of others are seen.
    #[serde(default = "yes")]
    pub(crate) view_all: bool,
    /// Whether records of others may be changed.
    #[serde(default = "yes")]
    pub(crate) modify_all: bool,
}

/// How the authorization page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Consent {
    /// The browser is led back with a code at once.
    Approve,
    /// It is led back with `access_denied`.
    Deny,
    /// It is led back with `OAUTH_APP_BLOCKED`.
    Blocked,
    /// A page asks.
    Ask,
}

/// An object an administrator made, or a standard one that the simulator lacks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomObject {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) label: Option<String>,
    /// Three characters that no other object has; made up when absent.
    #[serde(default)]
    pub(crate) prefix: Option<String>,
}

/// A field an administrator made, or a new definition of one that is there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomField {
    pub(crate) object: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) label: Option<String>,
    /// As describe says it: `string`, `textarea`, `double`, `reference` and so on.
    #[serde(rename = "type", default = "string")]
    pub(crate) kind: String,
    /// In characters; 255 when absent.
    #[serde(default)]
    pub(crate) length: Option<usize>,
    /// Of a picklist.
    #[serde(default)]
    pub(crate) values: Vec<String>,
    #[serde(default)]
    pub(crate) restricted: bool,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) unique: bool,
    #[serde(default)]
    pub(crate) external_id: bool,
    #[serde(default)]
    pub(crate) read_only: bool,
    /// Objects a reference leads to.
    #[serde(default)]
    pub(crate) to: Vec<String>,
    /// Name of the hop of a reference; made from the field's name when absent.
    #[serde(default)]
    pub(crate) relationship: Option<String>,
    /// Name of the way back.
    #[serde(default)]
    pub(crate) children: Option<String>,
}

/// A custom text field that is an external id.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExternalId {
    pub(crate) object: String,
    pub(crate) field: String,
    #[serde(default = "yes")]
    pub(crate) unique: bool,
}

/// A picklist whose values are enforced.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restricted {
    pub(crate) object: String,
    pub(crate) field: String,
    pub(crate) values: Vec<String>,
}

/// A validation rule: the write is refused when the field has this value (or, with no value, is blank).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) object: String,
    pub(crate) field: String,
    /// Part of the text that is forbidden, without case.
    #[serde(default)]
    pub(crate) contains: Option<String>,
    pub(crate) message: String,
}

/// Records alike in all these fields are duplicates.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DuplicateRule {
    pub(crate) object: String,
    pub(crate) name: String,
    pub(crate) fields: Vec<String>,
    /// Whether nothing helps; otherwise `allowSave=true` does.
    #[serde(default)]
    pub(crate) block: bool,
    /// Whether the body says `duplicateResut`, which was recorded too.
    #[serde(default)]
    pub(crate) misspelled: bool,
}

/// An automation of the org that fails.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FailingTrigger {
    pub(crate) object: String,
    pub(crate) name: String,
    /// Only this kind of write; any when absent.
    #[serde(default)]
    pub(crate) on: Option<Event>,
    /// Only records whose field contains this text, without case.
    #[serde(default)]
    pub(crate) field: Option<String>,
    #[serde(default)]
    pub(crate) contains: String,
    /// `CANNOT_EXECUTE_FLOW_TRIGGER` for a flow.
    #[serde(default = "trigger_code")]
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A kind of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Insert,
    Update,
    Delete,
}

fn yes() -> bool {
    true
}

fn string() -> String {
    "string".to_owned()
}

fn trigger_code() -> String {
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY".to_owned()
}

impl Default for Config {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            client_secret: String::new(),
            refresh_policy: Policy::UntilRevoked,
            rotation: false,
            approvals: 5,
            session_ms: 2 * 60 * 60 * 1000,
            callback_urls: Vec::new(),
            consent: Consent::Approve,
            client_credentials: false,
            jwt_certificate: None,
            jwt_approved: true,
            sandbox: false,
            person_accounts: false,
            case_trigger: false,
            default_case_owner: None,
            api_limit: 100_000,
            concurrent_limit: None,
            composite_heavy_limit: 5,
            parent_lock_ms: 0,
            lock_wait_ms: 10_000,
            language: Language::English,
            view_all_data: false,
            access: Vec::new(),
            search_lag_ms: 0,
            objects: Vec::new(),
            fields: Vec::new(),
            external_ids: Vec::new(),
            restricted_picklists: Vec::new(),
            hidden: Vec::new(),
            read_only: Vec::new(),
            validation_rules: Vec::new(),
            duplicate_rules: Vec::new(),
            failing_triggers: Vec::new(),
        }
    }
}
