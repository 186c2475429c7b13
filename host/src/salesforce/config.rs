//! What an administrator sets of one Salesforce organization: how it is reached, and how its objects are named.

use serde::Deserialize;

use super::error::Error;
use super::jwt::Signer;
use super::values::{ApiName, ApiVersion, OrganizationId, Server, Share};
use crate::domain::Secret;

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

/// How access tokens are got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// By a refresh token in the configuration; a person may authorize the organization anew.
    #[default]
    RefreshToken,
    /// By the refresh token that a person's authorization in the browser gave.
    WebServer,
    /// By an assertion that is signed with a private key.
    JwtBearer,
    /// By consumer key and secret alone, as the user that the app names.
    ClientCredentials,
}

impl Flow {
    /// Whether there is a refresh token, and a person can authorize the organization in a browser.
    #[must_use]
    pub const fn keeps_a_token(self) -> bool {
        matches!(self, Self::RefreshToken | Self::WebServer)
    }
}

impl Config {
    /// Everything secret, by name, to be taken from where it is kept.
    pub fn secrets(&mut self) -> impl Iterator<Item = (&'static str, &mut Secret)> {
        let each = [
            ("refresh_token", self.refresh_token.as_mut()),
            ("client_secret", self.client_secret.as_mut()),
            ("private_key", self.private_key.as_mut()),
        ];
        each.into_iter().filter_map(|(name, secret)| Some((name, secret?)))
    }

    /// Refuses what the flow lacks, and what it has no use for.
    ///
    /// # Errors
    /// Names the key.
    pub fn check(&self) -> Result<(), Error> {
        let (token, secret) = (self.refresh_token.is_some(), self.client_secret.is_some());
        let (key, user, audience) = (self.private_key.is_some(), self.user.is_some(), self.audience.is_some());
        let jwt = self.flow == Flow::JwtBearer;
        let lacks = |there: bool, name| if there { Ok(()) } else { Err(Error::Lacking(name)) };
        lacks(token || self.flow != Flow::RefreshToken, "refresh_token")?;
        lacks(secret || self.flow != Flow::ClientCredentials, "client_secret")?;
        lacks(key || !jwt, "private_key")?;
        lacks(user || !jwt, "user")?;
        let useless = [
            ("refresh_token", token && self.flow != Flow::RefreshToken),
            ("client_secret", secret && jwt),
            ("private_key", key && !jwt),
            ("user", user && !jwt),
            ("audience", audience && !jwt),
        ];
        if let Some((name, _)) = useless.into_iter().find(|(_, useless)| *useless) {
            return Err(Error::Useless(name));
        }
        self.private_key.as_ref().map_or(Ok(()), |key| Signer::new(key).map(drop))
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

    #[test]
    fn each_flow_says_what_it_needs_and_what_it_has_no_use_for() {
        let check = |text: &str| toml::from_str::<Config>(&format!("client_id = 'key'\n{text}")).unwrap().check();
        let pem = format!("private_key = '''\n{}'''\n", include_str!("testdata/not-a-secret.pem"));
        assert_eq!(check("flow = 'web-server'"), Ok(()));
        assert_eq!(check(&format!("flow = 'jwt-bearer'\nuser = 'u'\n{pem}")), Ok(()));
        assert_eq!(check("flow = 'client-credentials'\nclient_secret = 's'"), Ok(()));
        for (text, missing) in [
            ("", "refresh_token"),
            ("flow = 'client-credentials'", "client_secret"),
            ("flow = 'jwt-bearer'", "private_key"),
            (format!("flow = 'jwt-bearer'\n{pem}").as_str(), "user"),
        ] {
            assert_eq!(check(text), Err(Error::Lacking(missing)), "{text}");
        }
        assert_eq!(check("flow = 'web-server'\nrefresh_token = 't'"), Err(Error::Useless("refresh_token")));
        assert_eq!(check("refresh_token = 't'\nuser = 'u'"), Err(Error::Useless("user")));
    }
}
