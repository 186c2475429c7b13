//! What is asked of the token endpoint in each flow.

use crate::domain::{Class, Refusal, Secret, Timestamp};
use crate::salesforce::config::{Config, Flow};
use crate::salesforce::error::Error;
use crate::salesforce::jwt::Signer;
use crate::salesforce::values::Server;

/// A request for a token: everything in it is treated as a secret but the kind of grant.
pub(super) struct TokenRequest {
    pub(super) grant_type: &'static str,
    pub(super) fields: Vec<(&'static str, Secret)>,
}

/// Who asks, and by what right.
pub(super) struct Grant {
    client_id: String,
    client_secret: Option<Secret>,
    proof: Proof,
}

/// By what right a token is asked for.
enum Proof {
    RefreshToken,
    Assertion { signer: Signer, user: String, audience: String },
    ClientCredentials,
}

impl Grant {
    pub(super) fn new(config: &Config) -> Result<Self, Error> {
        config.check()?;
        let proof = match (config.flow, &config.private_key) {
            (Flow::JwtBearer, Some(key)) => Proof::Assertion {
                signer: Signer::new(key)?,
                user: config.user.clone().unwrap_or_default(),
                audience: config.audience.clone().unwrap_or_else(|| audience(&config.login_url).to_owned()),
            },
            (Flow::ClientCredentials, _) => Proof::ClientCredentials,
            (Flow::RefreshToken | Flow::WebServer | Flow::JwtBearer, _) => Proof::RefreshToken,
        };
        Ok(Self { client_id: config.client_id.clone(), client_secret: config.client_secret.clone(), proof })
    }

    /// Asks for an access token.
    pub(super) fn request(&self, token: &Result<Secret, String>, now: Timestamp) -> Result<TokenRequest, Refusal> {
        match &self.proof {
            Proof::RefreshToken => {
                let token = token.clone().map_err(not_authorized)?;
                Ok(self.with_client("refresh_token", vec![("refresh_token", token)]))
            }
            Proof::ClientCredentials => Ok(self.with_client("client_credentials", Vec::new())),
            Proof::Assertion { signer, user, audience } => {
                let assertion = signer.assertion(&self.client_id, user, audience, now).map_err(|error| {
                    let words = format!("the assertion could not be signed: {error}");
                    Refusal::new(Class::Request, "UNSENDABLE", words).of_org()
                })?;
                let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                Ok(TokenRequest { grant_type, fields: vec![("assertion", assertion)] })
            }
        }
    }

    /// Gives back the code that the browser came back with.
    pub(super) fn exchange(&self, code: Secret, verifier: Secret, redirect_uri: String) -> TokenRequest {
        let own = vec![("code", code), ("code_verifier", verifier), ("redirect_uri", Secret::new(redirect_uri))];
        self.with_client("authorization_code", own)
    }

    fn with_client(&self, grant_type: &'static str, mut fields: Vec<(&'static str, Secret)>) -> TokenRequest {
        fields.push(("client_id", Secret::new(&*self.client_id)));
        fields.extend(self.client_secret.clone().map(|secret| ("client_secret", secret)));
        TokenRequest { grant_type, fields }
    }
}

/// Nobody has authorized the organization, or what they gave cannot be read.
fn not_authorized(words: String) -> Refusal {
    Refusal::new(Class::Auth, "NOT_AUTHORIZED", words).of_org()
}

/// Salesforce names itself by one of two names, whatever the organization's own address.
fn audience(login: &Server) -> &'static str {
    let login = login.to_string();
    let sandbox = login.starts_with("https://test.") || login.contains(".sandbox.");
    if sandbox { "https://test.salesforce.com" } else { "https://login.salesforce.com" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audience_of_a_sandbox_is_test() {
        let of = |text: &str| audience(&Server::try_from(text.to_owned()).unwrap());
        for production in ["https://login.salesforce.com", "https://acme.my.salesforce.com"] {
            assert_eq!(of(production), "https://login.salesforce.com");
        }
        for sandbox in ["https://test.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"] {
            assert_eq!(of(sandbox), "https://test.salesforce.com");
        }
    }
}
