//! switchyard.toml: one struct from each part, unknown keys refused, secrets taken from where they are kept.

mod secrets;
mod sources;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::secrets::Secrets;
use self::words::{short, told};
use crate::domain::{AccountId, AlertSettings, PluginName, SourceId};
use crate::engine::{OrgConfig, check_settings};
use crate::ledger::Keys;
use crate::{alcmeon, http, mail, otlp, policy, registry};

/// The commented file that names every key with its default.
pub const DEFAULT_FILE: &str = include_str!("switchyard.toml");

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the host listens, and to whom.
    #[serde(default)]
    pub http: http::Config,
    /// Where everything is kept.
    #[serde(default)]
    pub store: Store,
    /// What stored tokens are sealed with.
    #[serde(default)]
    pub secrets: Secrets,
    /// Where policies and plugins are, and what plugins may use.
    #[serde(default)]
    pub policies: Policies,
    /// Who takes the alert mails.
    #[serde(default)]
    pub mail: Option<mail::Config>,
    /// How long alert mails wait for what may pass, or for more of the same.
    #[serde(default)]
    pub alerts: AlertSettings,
    /// Who takes the spans of what the host does; none is made where not given.
    #[serde(default)]
    pub traces: Option<otlp::Config>,
    /// Alcmeon environments by the name that accounts begin with.
    #[serde(default)]
    pub alcmeon: BTreeMap<SourceId, alcmeon::Config>,
    /// Salesforce organizations.
    #[serde(default)]
    pub orgs: Vec<OrgConfig>,
}

/// Where everything is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The folder of the database.
    pub path: PathBuf,
    /// How many days a conversation is kept after it changed last; for ever where not given.
    pub keep_days: Option<u32>,
    /// Start although records that were acknowledged are lost. Asked for on the command line, once, and never in the file.
    #[serde(skip)]
    pub accept_loss: bool,
}

impl Default for Store {
    fn default() -> Self {
        Self { path: "data".into(), keep_days: None, accept_loss: false }
    }
}

/// Where policies and plugins are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    /// The folder of NAME.toml and NAME.rhai; watched.
    pub folder: PathBuf,
    /// The folder of NAME.wasm; watched.
    pub plugins: PathBuf,
    /// Plugins that are pulled from an OCI registry at the start.
    pub oci: BTreeMap<PluginName, registry::Reference>,
    /// Who asks a registry, by its host.
    pub registries: BTreeMap<String, registry::Account>,
    /// What a plugin may use.
    pub limits: policy::Config,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            folder: "policies".into(),
            plugins: "plugins".into(),
            oci: BTreeMap::new(),
            registries: BTreeMap::new(),
            limits: policy::Config::default(),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    File {
        /// Its path.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not a configuration. (A value of the wrong type is not repeated: it may be a secret.)
    #[error("{path}:{line}:{column}: {message}")]
    Text {
        /// Its path.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// It can be read but makes no sense.
    #[error("{0}")]
    Sense(String),
}

impl Config {
    /// Reads and checks a file. Paths in it are relative to the folder it is in.
    ///
    /// # Errors
    /// Names the file, the place and the key.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| Error::File { path: shown.clone(), error })?;
        let mut config = Self::parse(&text, &shown)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for path in [&mut config.store.path, &mut config.policies.folder, &mut config.policies.plugins] {
            *path = folder.join(&path);
        }
        config.resolve(folder)?;
        Keys::new(&config.secrets.keys).map_err(|error| Error::Sense(format!("secrets.keys: {error}")))?;
        config.check()?;
        Ok(config)
    }

    /// Reads a text; `path` is for messages.
    ///
    /// # Errors
    /// Names the place and the key.
    pub fn parse(text: &str, path: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start).min(text.len());
            let before = &text[..text.floor_char_boundary(at)];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
            Error::Text { path: path.to_owned(), line, column, message: told(error.message()) }
        })
    }

    /// Refuses what could not work, whatever the network says.
    ///
    /// # Errors
    /// Names the key and says what is wrong with it.
    pub fn check(&self) -> Result<(), Error> {
        self.check_but_mail()?;
        if let Some(mail) = &self.mail {
            mail::Mailer::new(mail).map_err(|error| Error::Sense(format!("mail: {error}")))?;
        }
        Ok(())
    }

    /// The same, without what reads the certificates of this machine.
    fn check_but_mail(&self) -> Result<(), Error> {
        let wrong = |text: String| Err(Error::Sense(text));
        for (key, secret) in self.clone().secrets() {
            if secret.is_blank() {
                return wrong(format!("{key}: it is empty, and whoever gives an empty one would be believed"));
            }
        }
        http::check(&self.http.tokens).map_err(Error::Sense)?;
        if let Some(traces) = &self.traces {
            traces.check().map_err(|why| Error::Sense(format!("traces.{why}")))?;
        }
        if self.store.keep_days == Some(0) {
            return wrong("store.keep_days: 1 or more is needed".to_owned());
        }
        if self.mail.is_none() && self.orgs.iter().any(|org| !org.alert_recipients.is_empty()) {
            return wrong("orgs.alert_recipients: there is no [mail] that could reach them".to_owned());
        }
        sources::check(self)?;
        let (mut ids, mut linked) = (HashSet::new(), HashSet::new());
        for org in &self.orgs {
            if !ids.insert(&org.id) {
                return wrong(format!("orgs: two are called `{}`", org.id));
            }
            check_settings(&org.settings()).map_err(|why| Error::Sense(format!("orgs `{}`.{why}", org.id)))?;
            org.salesforce.check().map_err(|error| Error::Sense(format!("orgs `{}`.salesforce: {error}", org.id)))?;
            for account in accounts(org)? {
                if !linked.insert(account.clone()) {
                    let shown = account.1.map_or("*".to_owned(), |id| id.to_string());
                    return wrong(format!(
                        "orgs `{}`.accounts: {}/{shown} leads to another already",
                        org.id, account.0
                    ));
                }
            }
        }
        Ok(())
    }

    /// Refuses what may be run as a demo only: a host in which everybody may do everything.
    ///
    /// # Errors
    /// When there is no token or no organization.
    pub fn check_for_production(&self) -> Result<(), Error> {
        if self.http.tokens.is_empty() {
            let words = "http.tokens: at least one is needed (without any, everybody could do everything)";
            return Err(Error::Sense(words.into()));
        }
        if self.orgs.is_empty() {
            return Err(Error::Sense("orgs: there is no organization to bring conversations into".into()));
        }
        if self.secrets.keys.is_empty()
            && let Some(org) = self.orgs.iter().find(|org| org.salesforce.flow.keeps_a_token())
        {
            let words = "the refresh tokens that Salesforce gives are stored sealed, with a key that you make once: \
                         `openssl rand -hex 32 > switchyard.key`, and keys = [\"file:switchyard.key\"]";
            return Err(Error::Sense(format!("secrets.keys: one is needed for `{}`: {words}", org.id)));
        }
        Ok(())
    }
}

/// The accounts of an organization as source and account; `None` for all others of the source.
///
/// # Errors
/// Names the account that is not written as `SOURCE/ACCOUNT`.
pub fn accounts(org: &OrgConfig) -> Result<Vec<(SourceId, Option<AccountId>)>, Error> {
    let parse = |text: &String| {
        let (source, account) = text.split_once('/')?;
        let account = if account == "*" { None } else { Some(AccountId::new(account).ok()?) };
        Some((SourceId::new(source).ok()?, account))
    };
    let each = org.accounts.iter().map(|text| {
        parse(text).ok_or_else(|| {
            Error::Sense(format!("orgs `{}`.accounts: `{}` is not SOURCE/ACCOUNT or SOURCE/*", org.id, short(text)))
        })
    });
    each.collect()
}

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz_tests;
#[cfg(test)]
mod tests;
mod words;
