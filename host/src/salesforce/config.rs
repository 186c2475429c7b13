//! What an administrator sets of one Salesforce organization: how it is reached, and how its objects are named.

use serde::Deserialize;

use crate::domain::Secret;
use crate::salesforce::flow::Flow;
use crate::salesforce::values::{ApiName, ApiVersion, OrganizationId, Server, Share};

/// A setting that cannot be one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Not the address of a server that tokens may be sent to.
    #[error("`{0}` must be https://HOST without a path (http only for this machine itself)")]
    Server(String),
    /// Not a name that Salesforce gives to an object or a field.
    #[error("`{0}` must be an API name: a letter, then letters, digits and _, at most 80 characters")]
    ApiName(String),
    /// The flow needs it.
    #[error("{0} is needed for this flow")]
    Lacking(&'static str),
    /// It has a value, and the flow does nothing with it: perhaps another flow is meant.
    #[error("{0} is of no use for this flow")]
    Useless(&'static str),
    /// Not a private key. (It is not repeated.)
    #[error("private_key: {0}")]
    PrivateKey(String),
    /// The flow is not one in which somebody is asked in a browser.
    #[error("nobody authorizes this organization: its flow asks for tokens by itself")]
    NobodyAuthorizes,
    /// The system has no random numbers.
    #[error("the system gave no random numbers")]
    NoRandomNumbers,
    /// Not a share of anything.
    #[error("slow_at: `{0}` must be above 0, and 1 at most")]
    Share(f64),
    /// Not the id of an organization.
    #[error("organization_id: `{0}` must be an organization's id: 15 or 18 characters that begin with 00D")]
    OrganizationId(String),
    /// Not a version, or one whose upsert does not say which record it wrote.
    #[error("`{0}` must be a version such as v62.0, and at least v46.0")]
    Version(String),
}

/// The Salesforce side of one organization.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where tokens are asked for: `https://login.salesforce.com`, `https://test.salesforce.com` or the My Domain address.
    #[serde(default)]
    pub login_url: Server,
    /// The organization that tokens have to be for; where not given, the one that they were for before.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    /// How access tokens are got.
    #[serde(default)]
    pub flow: Flow,
    /// The consumer key of the connected app.
    pub client_id: String,
    /// Its consumer secret, where the app requires one.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// For `refresh-token`; the app's policy should be "valid until revoked". With rotation on, the newest one belongs here.
    #[serde(default)]
    pub refresh_token: Option<Secret>,
    /// For `jwt-bearer`: an RSA key as PEM, whose certificate the app holds.
    #[serde(default)]
    pub private_key: Option<Secret>,
    /// For `jwt-bearer`: the name of the user to act as.
    #[serde(default)]
    pub user: Option<String>,
    /// For `jwt-bearer`: who the assertion is for; by `login_url` where not given.
    #[serde(default)]
    pub audience: Option<String>,
    /// The version of the REST API.
    #[serde(default)]
    pub api_version: ApiVersion,
    /// How long one call may take, in milliseconds.
    #[serde(default = "thirty_seconds")]
    pub timeout_ms: u64,
    /// The share of the calls of 24 hours from which on the organization slows.
    #[serde(default)]
    pub slow_at: Share,
    /// The names of objects and fields; those of Alcmeon's managed package where nothing else is said.
    #[serde(default)]
    pub objects: Objects,
    /// Where given, the host writes the Case itself; otherwise the organization's own automation does.
    #[serde(default)]
    pub cases: Option<Cases>,
}

const fn thirty_seconds() -> u64 {
    30_000
}

/// The object that holds a conversation, and its fields.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objects {
    /// The object.
    pub conversation: ApiName,
    /// Text(30), External ID and Unique: the conversation's id.
    pub external_id: ApiName,
    /// Text: the id of the queue that the conversation is for; empty where it is for none.
    pub to_queue: ApiName,
    /// Text or picklist: one of the two words below.
    pub status: ApiName,
    /// URL or Text(255): the address of the newest message; its change says "there is a new message".
    pub url: ApiName,
    /// Text(255): the channel.
    pub channel: ApiName,
    /// Text(255): the name of the connected page or number.
    pub account: ApiName,
    /// Text(255): the customer's name.
    pub customer_name: ApiName,
    /// Lookup(Contact).
    pub contact: ApiName,
    /// Lookup(Account): used instead of the contact where the customer is a person account.
    pub person_account: ApiName,
    /// Lookup(Case): used where the host writes the Case.
    pub case: ApiName,
    /// The status of a conversation that goes on.
    pub status_open: String,
    /// The status of a closed one.
    pub status_closed: String,
}

impl Default for Objects {
    fn default() -> Self {
        let name = ApiName::constant;
        Self {
            conversation: name("alcmeon__Conversation__c"),
            external_id: name("alcmeon__scoped_id__c"),
            to_queue: name("alcmeon__To_SF_Queue_Id__c"),
            status: name("alcmeon__Status__c"),
            url: name("alcmeon__url__c"),
            channel: name("alcmeon__Social_media_type__c"),
            account: name("alcmeon__Social_media_account__c"),
            customer_name: name("alcmeon__User_name__c"),
            contact: name("alcmeon__Contact__c"),
            person_account: name("alcmeon__Account__c"),
            case: name("alcmeon__Case__c"),
            status_open: "Open".to_owned(),
            status_closed: "Closed".to_owned(),
        }
    }
}

impl Objects {
    /// Every field of the conversation object that the host writes.
    pub(crate) fn fields(&self) -> [&ApiName; 10] {
        [
            &self.external_id,
            &self.to_queue,
            &self.status,
            &self.url,
            &self.channel,
            &self.account,
            &self.customer_name,
            &self.contact,
            &self.person_account,
            &self.case,
        ]
    }
}

/// How the host writes Cases.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// A field of Case, Text(30), External ID and Unique: the conversation's id. The organization has to create it.
    #[serde(default = "switchyard_id")]
    pub external_id: ApiName,
}

fn switchyard_id() -> ApiName {
    ApiName::constant("Switchyard_Id__c")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "client_id = 'key'\nrefresh_token = 'secret-token'\n";

    fn read(more: &str) -> Result<Config, toml::de::Error> {
        toml::from_str(&format!("{LEAST}{more}"))
    }

    #[test]
    fn two_keys_are_enough_and_the_rest_is_the_managed_package() {
        let config = read("").unwrap();
        assert_eq!(config.login_url.to_string(), "https://login.salesforce.com");
        assert_eq!(config.api_version.as_str(), "v62.0");
        assert_eq!((config.timeout_ms, config.slow_at), (30_000, Share::default()));
        assert_eq!(config.objects.conversation.as_str(), "alcmeon__Conversation__c");
        assert!(config.cases.is_none());
        assert_eq!(read("[cases]").unwrap().cases.unwrap().external_id.as_str(), "Switchyard_Id__c");
        assert!(!format!("{config:?}").contains("secret-token"));
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = read("[objects]\nqueu = 'X__c'").unwrap_err().to_string();
        assert!(error.contains("queu"), "{error}");
    }
}
