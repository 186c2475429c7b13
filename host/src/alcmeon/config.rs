//! What an administrator sets of one Alcmeon environment.

use reqwest::Url;
use serde::Deserialize;

use crate::domain::Secret;

/// An address that a secret may not be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` must be https://HOST without a query (http only for this machine itself)")]
pub struct BaseUrlError(String);

/// One Alcmeon environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the API answers.
    #[serde(default)]
    pub base_url: BaseUrl,
    /// The Instance ID; it stands in the web address after `#/`.
    pub instance_id: String,
    /// The application's secret, as Alcmeon shows it. It signs the notifications and opens the API.
    pub secret: Secret,
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
    /// Whether archiving a message closes its conversation.
    #[serde(default)]
    pub archive_closes: bool,
}

const fn yes() -> bool {
    true
}

const fn four_seconds() -> u64 {
    4_000
}

/// The address of an API that may be told a secret: https, or http on this machine itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// The address with this path after its own.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{path}", self.0.path().trim_end_matches('/')));
        url
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self::try_from("https://api.alcmeon.com".to_owned()).expect("a constant")
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;
    fn try_from(text: String) -> Result<Self, BaseUrlError> {
        let fits = |url: &Url| {
            let host = url.host_str().unwrap_or_default();
            let here = host == "localhost"
                || host == "[::1]"
                || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback());
            (url.scheme() == "https" || url.scheme() == "http" && here)
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        };
        match text.parse::<Url>() {
            Ok(url) if fits(&url) => Ok(Self(url)),
            _ => Err(BaseUrlError(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_are_enough_and_an_unknown_one_is_refused_by_name() {
        let config: Config = toml::from_str("instance_id = '7'\nsecret = 'hush'").unwrap();
        assert_eq!(config.base_url.at("actions").as_str(), "https://api.alcmeon.com/actions");
        assert_eq!((config.poll, config.poll_every_ms, config.archive_closes), (true, 4000, false));
        assert!(!format!("{config:?}").contains("hush"));
        let error = toml::from_str::<Config>("instance_id = '7'\nsecret = 'hush'\nteam_fild = 3").unwrap_err();
        assert!(error.to_string().contains("team_fild"), "{error}");
    }

    #[test]
    fn the_secret_goes_to_https_or_to_this_machine_itself() {
        let base = |text: &str| BaseUrl::try_from(text.to_owned());
        assert_eq!(
            base("http://127.0.0.1:9/alcmeon/").unwrap().at("actions").as_str(),
            "http://127.0.0.1:9/alcmeon/actions"
        );
        for bad in
            ["http://api.alcmeon.com", "https://me:pw@api.alcmeon.com", "https://x.example/?a=b", "api.alcmeon.com"]
        {
            assert!(base(bad).is_err(), "{bad}");
        }
    }
}
