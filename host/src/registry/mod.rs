//! OCI registries: a plugin is pulled by a reference, within a bound, and what was pulled last is kept on disk.

mod asking;
mod cache;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz_tests;
mod manifest;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use docker_credential::DockerCredential;
use serde::{Deserialize, Serialize};

use self::asking::Asking;
use crate::domain::Secret;

/// How long a pull may take from first to last byte.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The most that is repeated of a registry's words, in characters.
const WORDS: usize = 300;

/// Where a plugin is in a registry: `REGISTRY/REPOSITORY:TAG`, with `@sha256:DIGEST` for exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(oci_spec::distribution::Reference);

impl Reference {
    /// Whether it names the one that was pulled, whatever became of the tag since.
    #[must_use]
    pub fn pins(&self, pulled: &Pulled) -> bool {
        self.0.digest() == Some(pulled.digest.as_str())
    }

    /// The last part of the repository.
    #[must_use]
    pub fn last_part(&self) -> &str {
        self.0.repository().rsplit('/').next().unwrap_or_default()
    }
}

impl TryFrom<String> for Reference {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        let parsed = text.parse().map_err(|error| Error::Reference(format!("`{text}`: {error}")))?;
        Ok(Self(parsed))
    }
}

impl std::str::FromStr for Reference {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::try_from(text.to_owned())
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0.whole()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.whole())
    }
}

/// Who asks a registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The user.
    pub user: String,
    /// The password or access token.
    pub password: Secret,
}

/// A component as it came from a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The component.
    pub component: Vec<u8>,
    /// The text of its `.minisig` file, where the manifest has one.
    pub signature: Option<String>,
    /// The digest of the manifest, `sha256:` and hexadecimal.
    pub digest: String,
}

/// Why nothing was pulled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No reference; whoever wrote it has to mend it.
    #[error("no reference of a registry: {0}")]
    Reference(String),
    /// The registry did not answer, or is in trouble: the same may work later.
    #[error("the registry cannot be asked: {0}")]
    Unreachable(String),
    /// The registry says no: there is no such thing, or not for this account.
    #[error("the registry refused: {0}")]
    Refused(String),
    /// What is there is no plugin that could be taken.
    #[error("it cannot be taken: {0}")]
    Unfit(String),
}

/// Pulls plugins, and keeps what was pulled.
pub struct Registry {
    accounts: BTreeMap<String, Account>,
    /// The folder of what was pulled; made when the first one is.
    folder: PathBuf,
    most_bytes: usize,
}

impl Registry {
    /// Asks nobody yet. `folder` is for what was pulled; no component may have more than `most_bytes`.
    #[must_use]
    pub fn new(accounts: BTreeMap<String, Account>, folder: PathBuf, most_bytes: usize) -> Self {
        Self { accounts, folder, most_bytes }
    }

    /// Asks the registry.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pull(&self, reference: &Reference) -> Result<Pulled, Error> {
        let pulled = tokio::time::timeout(TIMEOUT, self.pull_patiently(&reference.0)).await;
        pulled.unwrap_or_else(|_| Err(Error::Unreachable(format!("not done within {} s", TIMEOUT.as_secs()))))
    }

    async fn pull_patiently(&self, reference: &oci_spec::distribution::Reference) -> Result<Pulled, Error> {
        let asking = Asking::begin(reference, self.account(reference.registry()).await).await?;
        let (manifest, digest) = asking.manifest().await?;
        let layer = manifest.component()?;
        let most = self.most_bytes;
        let size = usize::try_from(layer.size).unwrap_or(usize::MAX);
        if size > most {
            return Err(Error::Unfit(format!("it has {} bytes; {most} are allowed", layer.size)));
        }
        let component = asking.blob(&layer.digest, size).await?;
        Ok(Pulled { component, signature: manifest.signature()?, digest })
    }

    /// Who is configured for the registry, or whom Docker's own configuration names.
    async fn account(&self, registry: &str) -> Option<Account> {
        if let Some(account) = self.accounts.get(registry) {
            return Some(account.clone());
        }
        let name = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry }.to_owned();
        // It may run a program that keeps credentials.
        let found = tokio::task::spawn_blocking(move || docker_credential::get_credential(&name)).await;
        match found {
            Ok(Ok(DockerCredential::UsernamePassword(user, password))) => {
                Some(Account { user, password: Secret::new(password) })
            }
            // An identity token would have to be exchanged in a way that no registry needs for a pull.
            _ => None,
        }
    }
}

/// An error with its causes, as far as a person wants to read.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words.chars().take(WORDS).collect()
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("folder", &self.folder).finish_non_exhaustive()
    }
}
