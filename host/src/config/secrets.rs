//! Every secret with its key, taken from where it is kept.

use std::path::Path;

use serde::Deserialize;

use super::{Config, Error};
use crate::domain::Secret;

/// What stored tokens are sealed with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// 64 hexadecimal digits each. The first seals; the others still open what they sealed before.
    pub keys: Vec<Secret>,
}

impl Config {
    /// Every secret with its key.
    pub(super) fn secrets(&mut self) -> Vec<(String, &mut Secret)> {
        let mut secrets: Vec<(String, &mut Secret)> = Vec::new();
        for (place, key) in self.secrets.keys.iter_mut().enumerate() {
            secrets.push((format!("secrets.keys, number {}", place + 1), key));
        }
        for token in &mut self.http.tokens {
            secrets.push((format!("http.tokens `{}`.secret", token.name), &mut token.secret));
        }
        for (host, account) in &mut self.policies.registries {
            secrets.push((format!("policies.registries.`{host}`.password"), &mut account.password));
        }
        for (source, environment) in &mut self.alcmeon {
            secrets.push((format!("alcmeon.{source}.secret"), &mut environment.secret));
        }
        if let Some(password) = self.mail.as_mut().and_then(|mail| mail.password.as_mut()) {
            secrets.push(("mail.password".to_owned(), password));
        }
        for (name, value) in self.traces.iter_mut().flat_map(|traces| &mut traces.headers) {
            secrets.push((format!("traces.headers.`{name}`"), value));
        }
        for org in &mut self.orgs {
            for (name, secret) in org.salesforce.secrets() {
                secrets.push((format!("orgs `{}`.salesforce.{name}", org.id), secret));
            }
        }
        secrets
    }

    /// Puts the secrets that are kept elsewhere in their places.
    pub(super) fn resolve(&mut self, folder: &Path) -> Result<(), Error> {
        for (key, secret) in self.secrets() {
            let found = if let Some(name) = secret.reveal().strip_prefix("env:") {
                std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
            } else if let Some(file) = secret.reveal().strip_prefix("file:") {
                let text = std::fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"));
                // A private key is a file of many lines.
                let whole = |text: &str| text.starts_with("-----BEGIN ");
                text.map(|text| if whole(&text) { text } else { text.lines().next().unwrap_or_default().to_owned() })
            } else {
                continue;
            };
            let found = found.map(Secret::new).map_err(|why| Error::Sense(format!("{key}: {why}")))?;
            if found.is_blank() {
                // Which of the places is empty; the name of one is no secret.
                return Err(Error::Sense(format!("{key}: there is nothing in {}", secret.reveal())));
            }
            *secret = found;
        }
        Ok(())
    }
}
