//! What an administrator sets of one Salesforce organization: how it is reached, and how its objects are named.

use reqwest::Url;
use serde::Deserialize;

use super::flow::Flow;
use crate::domain::{BaseUrl, Secret};

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

/// A share: above 0, and 1 at most.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(f64);

impl Share {
    /// From 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Share {
    fn default() -> Self {
        Self(0.8)
    }
}

impl TryFrom<f64> for Share {
    type Error = Error;
    fn try_from(number: f64) -> Result<Self, Error> {
        if number > 0.0 && number <= 1.0 { Ok(Self(number)) } else { Err(Error::Share(number)) }
    }
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
        let name = |text: &str| ApiName(text.to_owned());
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
    pub(super) fn fields(&self) -> [&ApiName; 10] {
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
    ApiName("Switchyard_Id__c".to_owned())
}

/// The address of a server that may be told tokens: as [`BaseUrl`], and no path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Server(BaseUrl);

impl Server {
    /// The address with this path and query.
    pub(super) fn at(&self, path: &str) -> Result<Url, Error> {
        self.0.at(path).map_err(|_| Error::Server(path.to_owned()))
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::try_from("https://login.salesforce.com".to_owned()).expect("a constant")
    }
}

impl TryFrom<String> for Server {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        match BaseUrl::try_from(text.clone()) {
            Ok(url) if url.is_bare() => Ok(Self(url)),
            _ => Err(Error::Server(text)),
        }
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of an object or a field in Salesforce's API. Checked, because it is written into queries and paths unquoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ApiName(String);

impl ApiName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ApiName {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        let fits = text.len() <= 80
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fits { Ok(Self(text)) } else { Err(Error::ApiName(text.chars().take(100).collect())) }
    }
}

impl std::fmt::Display for ApiName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A version of the REST API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ApiVersion(String);

impl ApiVersion {
    /// `v62.0`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ApiVersion {
    fn default() -> Self {
        Self("v62.0".to_owned())
    }
}

impl TryFrom<String> for ApiVersion {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        let number = text.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0"));
        // Before v46.0 an upsert that updates answers 204 with an empty body.
        match number.filter(|digits| digits.len() <= 3).and_then(|digits| digits.parse::<u16>().ok()) {
            Some(46..) => Ok(Self(text)),
            _ => Err(Error::Version(text)),
        }
    }
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
        assert_eq!((config.timeout_ms, config.slow_at), (30_000, Share(0.8)));
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

    #[test]
    fn a_share_is_above_nothing_and_no_more_than_all() {
        assert_eq!(read("slow_at = 1.0").unwrap().slow_at, Share(1.0));
        for bad in ["0.0", "1.01", "-0.5", "nan", "80"] {
            assert!(read(&format!("slow_at = {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_address_of_a_server_has_no_path() {
        let server = |text: &str| Server::try_from(text.to_owned());
        assert!(server("https://acme.my.salesforce.com/").is_ok());
        for bad in ["https://login.salesforce.com/services", "http://login.salesforce.com"] {
            assert_eq!(server(bad), Err(Error::Server(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_name_that_could_break_out_of_a_query_is_refused() {
        for bad in ["", "1st", "Name = '' OR Id", "a.b", "Émail", "x'", &"a".repeat(81)] {
            assert!(ApiName::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        for bad in ["62.0", "v45.0", "v62", "v62.0/../..", "v.0"] {
            assert!(ApiVersion::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
