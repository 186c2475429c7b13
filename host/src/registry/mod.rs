//! OCI registries: a plugin is pulled by a reference, within a bound, and what was pulled last is kept on disk.

mod cache;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use docker_credential::DockerCredential;
use futures_util::TryStreamExt;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use oci_client::secrets::RegistryAuth;
use serde::{Deserialize, Serialize};

use crate::domain::Secret;

/// What a component is called in a manifest: by the convention for components, and by older tools.
const COMPONENT: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
/// The annotation of a manifest that holds the text of the component's `.minisig` file.
const SIGNATURE: &str = "minisign.signature";
/// How long a pull may take from first to last byte.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How long a registry may be silent.
const SILENCE: Duration = Duration::from_secs(20);
/// The most that is repeated of a registry's words, in characters.
const WORDS: usize = 300;

/// Where a plugin is in a registry: `REGISTRY/REPOSITORY:TAG`, with `@sha256:DIGEST` for exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(oci_client::Reference);

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

    async fn pull_patiently(&self, reference: &oci_client::Reference) -> Result<Pulled, Error> {
        let auth = self.auth(reference.registry()).await;
        let client = client(reference.resolve_registry())?;
        let (manifest, digest) = client.pull_image_manifest(reference, &auth).await.map_err(no)?;
        let layer = component(&manifest)?;
        let most = self.most_bytes;
        let size = usize::try_from(layer.size).unwrap_or(usize::MAX);
        if size > most {
            return Err(Error::Unfit(format!("it has {} bytes; {most} are allowed", layer.size)));
        }
        // By the digest alone: a manifest may name other servers to fetch from, and those are nobody's choice here.
        let layer = layer.digest.as_str();
        let mut blob = client.pull_blob_stream(reference, &layer).await.map_err(no)?;
        let mut bytes = Vec::with_capacity(size);
        while let Some(chunk) = blob.try_next().await.map_err(|error| broken(&error))? {
            if bytes.len() + chunk.len() > size {
                return Err(Error::Unfit(format!("it has more than the {size} bytes that its manifest says")));
            }
            bytes.extend_from_slice(&chunk);
        }
        let signature = manifest.annotations.and_then(|mut annotations| annotations.remove(SIGNATURE));
        Ok(Pulled { component: bytes, signature, digest })
    }

    /// Who is configured for the registry, or whom Docker's own configuration names.
    async fn auth(&self, registry: &str) -> RegistryAuth {
        if let Some(Account { user, password }) = self.accounts.get(registry) {
            return RegistryAuth::Basic(user.clone(), password.reveal().to_owned());
        }
        let name = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry }.to_owned();
        // It may run a program that keeps credentials.
        let found = tokio::task::spawn_blocking(move || docker_credential::get_credential(&name)).await;
        match found {
            Ok(Ok(DockerCredential::UsernamePassword(user, password))) => RegistryAuth::Basic(user, password),
            // An identity token would have to be exchanged in a way that no registry needs for a pull.
            _ => RegistryAuth::Anonymous,
        }
    }
}

/// A client of its own for each pull: a token is never kept for longer.
fn client(registry: &str) -> Result<oci_client::Client, Error> {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    let here = host == "localhost" || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback());
    let config = ClientConfig {
        protocol: if here { ClientProtocol::Http } else { ClientProtocol::Https },
        connect_timeout: Some(Duration::from_secs(10)),
        read_timeout: Some(SILENCE),
        user_agent: concat!("switchyard/", env!("CARGO_PKG_VERSION")),
        // A plugin runs on every platform: a list of platforms is no plugin.
        platform_resolver: None,
        ..ClientConfig::default()
    };
    // It would panic where no provider of cryptography is installed; a second installation says that there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    oci_client::Client::try_from(config).map_err(no)
}

/// The one layer that is a component.
fn component(manifest: &OciImageManifest) -> Result<&OciDescriptor, Error> {
    let components: Vec<_> =
        manifest.layers.iter().filter(|layer| COMPONENT.contains(&layer.media_type.as_str())).collect();
    match components[..] {
        [one] => Ok(one),
        ref found => {
            let found = found.len();
            Err(Error::Unfit(format!("its manifest has {found} layers of type {}, not one", COMPONENT.join(" or "))))
        }
    }
}

fn no(error: OciDistributionError) -> Error {
    use OciDistributionError as No;
    let words = words(&error);
    match &error {
        No::RequestError(_) | No::IoError(_) | No::ServerError { code: 500.., .. } => Error::Unreachable(words),
        No::AuthenticationFailure(_)
        | No::UnauthorizedError { .. }
        | No::RegistryError { .. }
        | No::ImageManifestNotFoundError(_)
        | No::ServerError { .. } => Error::Refused(words),
        _ => Error::Unfit(words),
    }
}

/// A stream ends with an error when the connection breaks, and when what came has another digest.
fn broken(error: &std::io::Error) -> Error {
    let connection = error.get_ref().is_some_and(|inner| inner.is::<reqwest::Error>());
    if connection { Error::Unreachable(words(error)) } else { Error::Unfit(words(error)) }
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
