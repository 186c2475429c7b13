//! The ways to an access token, and what each needs of the configuration.

use serde::Deserialize;

use crate::domain::Secret;
use crate::salesforce::config::{Config, Error};
use crate::salesforce::jwt::Signer;

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

#[cfg(test)]
mod tests {
    use super::*;

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
