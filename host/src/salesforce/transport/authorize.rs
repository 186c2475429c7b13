//! A person's authorization in the browser (web-server flow with PKCE): where it begins, and what its code gives.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};

use super::rest::Transport;
use crate::domain::{Refusal, Secret};
use crate::salesforce::error::Error;

/// One that has begun. Whoever holds it keeps the proof that the code needs, and shows only the address.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// The page of Salesforce that the browser has to open.
    pub url: String,
    /// What Salesforce sends back with the code.
    pub state: Secret,
    /// Proves that whoever brings the code is whoever began.
    verifier: Secret,
    redirect_uri: String,
}

#[cfg(test)]
impl Authorization {
    /// One that has begun with this state.
    pub(crate) fn for_tests(state: &str) -> Self {
        let verifier = Secret::new("a-verifier");
        Self { url: String::new(), state: Secret::new(state), verifier, redirect_uri: String::new() }
    }
}

impl Transport {
    /// Begins an authorization that comes back to `redirect_uri`, which has to be one of the app's callback URLs.
    ///
    /// # Errors
    /// When the organization's flow has nothing to do with a person, or there are no random numbers.
    pub(crate) fn begin_authorization(&self, redirect_uri: String) -> Result<Authorization, Error> {
        if !self.config.flow.keeps_a_token() {
            return Err(Error::NobodyAuthorizes);
        }
        let (state, verifier) = (random()?, random()?);
        let challenge = BASE64.encode(Sha256::digest(verifier.reveal()));
        let mut url = self.config.login_url.at("/services/oauth2/authorize")?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("scope", "api refresh_token")
            .append_pair("state", state.reveal())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            // Whoever is at the browser is seldom the integration user; without this, Salesforce would take them.
            .append_pair("prompt", "login consent");
        Ok(Authorization { url: url.into(), state, verifier, redirect_uri })
    }

    /// Turns the code into tokens, and stores the refresh token before anything is sent with them. Answers the
    /// organization's address.
    ///
    /// # Errors
    /// Salesforce's refusal; what was there before stays.
    pub(crate) async fn finish_authorization(&self, begun: Authorization, code: Secret) -> Result<String, Refusal> {
        let Authorization { verifier, redirect_uri, .. } = begun;
        let access = self.session.exchange(code, verifier, redirect_uri).await?;
        Ok(access.server.to_string())
    }
}

/// 256 random bits, in characters that every address may hold.
fn random() -> Result<Secret, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandomNumbers)?;
    Ok(Secret::new(BASE64.encode(bytes)))
}
