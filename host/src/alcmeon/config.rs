//! What an administrator sets of one Alcmeon environment.

use serde::Deserialize;

use crate::domain::{BaseUrl, Secret};

/// One Alcmeon environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the API answers.
    #[serde(default = "alcmeons")]
    pub base_url: BaseUrl,
    /// The Instance ID; it stands in the web address after `#/`.
    pub instance_id: String,
    /// The application's secret, as Alcmeon shows it. It signs the notifications and opens the API.
    pub secret: Secret,
    /// How the API is called.
    #[serde(default)]
    pub auth: Auth,
    /// Whether the host looks at the webhook that leads to it, and switches it on again when Alcmeon disabled it.
    #[serde(default = "yes")]
    pub keep_webhook_on: bool,
    /// Whether the host asks for actions that no notification brought.
    #[serde(default = "yes")]
    pub poll: bool,
    /// How often it asks, in milliseconds; 4000 is Alcmeon's limit of 15 calls a minute.
    #[serde(default = "four_seconds")]
    pub poll_every_ms: u64,
    /// The id of a conversation custom field whose value is the team; Alcmeon's actions do not tell it themselves.
    #[serde(default)]
    pub team_field: Option<u64>,
    /// The name of a tag whose value is the team. The custom field goes first.
    #[serde(default)]
    pub team_tag: Option<String>,
    /// The id of a user custom field that holds the e-mail address.
    #[serde(default)]
    pub email_field: Option<u64>,
    /// The id of a user custom field that holds the phone number.
    #[serde(default)]
    pub phone_field: Option<u64>,
    /// Conversation custom fields into which the ids of Salesforce's records are written: of the conversation,
    #[serde(default)]
    pub conversation_id_field: Option<u64>,
    /// of its Case,
    #[serde(default)]
    pub case_id_field: Option<u64>,
    /// and of its contact.
    #[serde(default)]
    pub contact_id_field: Option<u64>,
    /// Whether archiving a message closes its conversation.
    #[serde(default)]
    pub archive_closes: bool,
}

/// How the host proves to Alcmeon's API who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// With instance id and secret in every call.
    #[default]
    Basic,
    /// With a token that is given for them, for an hour (OAuth 2.0, client credentials).
    Oauth,
}

impl Config {
    /// Whether ids of Salesforce's records are written to conversations.
    #[must_use]
    pub fn writes_records(&self) -> bool {
        self.own_fields().next().is_some()
    }

    /// The custom fields that this host writes.
    pub(super) fn own_fields(&self) -> impl Iterator<Item = u64> {
        [self.conversation_id_field, self.case_id_field, self.contact_id_field].into_iter().flatten()
    }
}

const fn yes() -> bool {
    true
}

const fn four_seconds() -> u64 {
    4_000
}

fn alcmeons() -> BaseUrl {
    BaseUrl::try_from("https://api.alcmeon.com".to_owned()).expect("a constant")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_are_enough_and_an_unknown_one_is_refused_by_name() {
        let config: Config = toml::from_str("instance_id = '7'\nsecret = 'hush'").unwrap();
        assert_eq!(config.base_url.at("actions").unwrap().as_str(), "https://api.alcmeon.com/actions");
        assert_eq!((config.poll, config.poll_every_ms, config.archive_closes), (true, 4000, false));
        assert!(!format!("{config:?}").contains("hush"));
        let error = toml::from_str::<Config>("instance_id = '7'\nsecret = 'hush'\nteam_fild = 3").unwrap_err();
        assert!(error.to_string().contains("team_fild"), "{error}");
    }
}
