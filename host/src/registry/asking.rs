//! One registry over HTTP (the OCI distribution specification): what it answers is read within bounds, and credentials go
//! nowhere but to the registry itself and to the server of its own domain that gives its tokens, and by https.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_auth::parser::ChallengeParser;
use oci_spec::distribution::Reference;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::{Host, Url};

use super::manifest::Manifest;
use super::{Account, Error, words};

/// A manifest and an answer with a token may have so many bytes.
const TEXT_BYTES: usize = 4 * 1024 * 1024;
/// How long a registry may be silent.
const SILENCE: Duration = Duration::from_secs(20);
/// How often a registry may lead to where it keeps something.
const REDIRECTS: usize = 5;
/// Kinds of manifests. Lists of platforms are asked for as well: a refusal says more than "there is none".
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
                         application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// A registry that was asked who may ask.
pub(super) struct Asking<'a> {
    http: reqwest::Client,
    reference: &'a Reference,
    base: Url,
    authorization: Option<HeaderValue>,
}

/// How a registry wants to be told who asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    /// By a token that `realm` gives.
    Bearer {
        realm: String,
        service: Option<String>,
    },
}

/// The answer of a realm.
#[derive(Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: String,
}

impl<'a> Asking<'a> {
    /// Asks the registry of a reference how it wants to be asked, and gets a token where it wants one.
    pub(super) async fn begin(reference: &'a Reference, account: Option<Account>) -> Result<Self, Error> {
        let registry = reference.resolve_registry();
        let here = Url::parse(&format!("http://{registry}")).is_ok_and(|url| is_here(&url));
        let base = Url::parse(&format!("{}://{registry}/v2/", if here { "http" } else { "https" }));
        let base = base.map_err(|error| Error::Reference(error.to_string()))?;
        let mut asking = Self { http: client(here)?, reference, base, authorization: None };
        let greeting = asking.http.get(asking.base.clone()).send().await.map_err(unreachable)?;
        asking.authorization = match (Challenge::of(greeting.headers()), account) {
            (None, _) | (Some(Challenge::Basic), None) => None,
            (Some(Challenge::Basic), Some(account)) => Some(basic(&account)?),
            (Some(Challenge::Bearer { realm, service }), account) => {
                Some(asking.token(&realm, service.as_deref(), account.as_ref()).await?)
            }
        };
        Ok(asking)
    }

    async fn token(&self, realm: &str, service: Option<&str>, account: Option<&Account>) -> Result<HeaderValue, Error> {
        let mut realm = gives_tokens_for(&self.base, realm)?;
        let scope = format!("repository:{}:pull", self.reference.repository());
        realm.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = service {
            realm.query_pairs_mut().append_pair("service", service);
        }
        let mut request = self.http.get(realm);
        if let Some(account) = account {
            request = request.header(AUTHORIZATION, basic(account)?);
        }
        let answer = accepted(request.send().await.map_err(unreachable)?).await?;
        let text = read(answer, TEXT_BYTES, "the answer with its token").await?;
        let token: Token = serde_json::from_slice(&text)
            .map_err(|error| Error::Unfit(format!("the answer with its token cannot be read: {}", words(&error))))?;
        secret(&format!("Bearer {}", token.token))
    }

    /// The manifest, and its digest.
    pub(super) async fn manifest(&self) -> Result<(Manifest, String), Error> {
        let wanted = self.reference.digest();
        let name = wanted.or_else(|| self.reference.tag()).unwrap_or("latest");
        let answer = self.get(&format!("manifests/{name}"), MANIFESTS).await?;
        let text = read(answer, TEXT_BYTES, "its manifest").await?;
        let digest = digest(&text);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != digest) {
            return Err(Error::Unfit(format!("Invalid digest: its manifest has {digest}, not {wanted}")));
        }
        Ok((Manifest::read(&text)?, digest))
    }

    /// A blob of so many bytes and with this digest.
    pub(super) async fn blob(&self, wanted: &str, size: usize) -> Result<Vec<u8>, Error> {
        let answer = self.get(&format!("blobs/{wanted}"), "application/octet-stream, */*").await?;
        let bytes = read(answer, size, "the component").await?;
        let digest = digest(&bytes);
        if digest != wanted {
            return Err(Error::Unfit(format!("Invalid digest: the component has {digest}, not {wanted}")));
        }
        Ok(bytes)
    }

    async fn get(&self, what: &str, accept: &'static str) -> Result<Response, Error> {
        let url = self.base.join(&format!("{}/{what}", self.reference.repository()));
        let url = url.map_err(|error| Error::Reference(error.to_string()))?;
        let mut request = self.http.get(url).header(ACCEPT, HeaderValue::from_static(accept));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        accepted(request.send().await.map_err(unreachable)?).await
    }
}

impl Challenge {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|text| text.to_str().ok());
        let mut basic = None;
        for challenge in texts.flat_map(ChallengeParser::new).flatten() {
            let given = |name: &str| {
                let found = challenge.params.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.to_unescaped())
            };
            if challenge.scheme.eq_ignore_ascii_case("bearer")
                && let Some(realm) = given("realm")
            {
                return Some(Self::Bearer { realm, service: given("service") });
            }
            if challenge.scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            }
        }
        basic
    }
}

/// A client of its own for each pull: nothing is kept for longer. A registry may keep blobs elsewhere; credentials do not go
/// there, and nothing goes by http where the registry itself is asked by https.
fn client(here: bool) -> Result<reqwest::Client, Error> {
    // It would panic where no provider of cryptography is installed; a second installation says that there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let follow = Policy::custom(move |attempt| {
        if attempt.previous().len() > REDIRECTS {
            attempt.error("it leads from one place to the next")
        } else if attempt.url().scheme() != "https" && !(here && is_here(attempt.url())) {
            attempt.error("it leads to an address without https")
        } else {
            attempt.follow()
        }
    });
    let client = reqwest::Client::builder().redirect(follow).connect_timeout(Duration::from_secs(10));
    let client = client.read_timeout(SILENCE).user_agent(concat!("switchyard/", env!("CARGO_PKG_VERSION")));
    client.build().map_err(unreachable)
}

/// Whether an address is this machine's own.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// The address where a registry says that its tokens are given, if it may be asked: one of the registry's own host or domain
/// (`auth.docker.io` for `index.docker.io`), by https. Whoever makes the host pull does not make it ask any other.
pub(super) fn gives_tokens_for(registry: &Url, realm: &str) -> Result<Url, Error> {
    let no = |why: &str| {
        Error::Refused(format!("it sends for a token to `{}`, {why}", realm.chars().take(200).collect::<String>()))
    };
    let url = Url::parse(realm).map_err(|_| no("which is no address"))?;
    let by_https = url.scheme() == "https" || (url.scheme() == "http" && is_here(registry) && is_here(&url));
    if !by_https {
        return Err(no("which is not reached by https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(no("which names a user"));
    }
    let own = match (registry.host(), url.host()) {
        (Some(Host::Domain(registry)), Some(Host::Domain(realm))) => {
            let domain =
                registry.split_once('.').filter(|(_, rest)| rest.contains('.')).map_or(registry, |(_, rest)| rest);
            realm == domain || realm.strip_suffix(domain).is_some_and(|before| before.ends_with('.'))
        }
        (registry, realm) => registry == realm,
    };
    if own { Ok(url) } else { Err(no("which is not of its own domain")) }
}

fn basic(account: &Account) -> Result<HeaderValue, Error> {
    secret(&format!("Basic {}", BASE64.encode(format!("{}:{}", account.user, account.password.reveal()))))
}

/// A header that no log shows.
fn secret(text: &str) -> Result<HeaderValue, Error> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| Error::Unfit("its token is no text of ASCII".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// An answer that is what was asked for.
async fn accepted(answer: Response) -> Result<Response, Error> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let host = answer.url().host_str().unwrap_or_default().to_owned();
    // Its words, as far as they come at once.
    let said = match answer.content_length() {
        Some(0) => String::new(),
        _ => said(answer).await,
    };
    let error = format!("{host} answered {status} {said}");
    let text = words_of(&error);
    Err(if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        Error::Unreachable(text)
    } else {
        Error::Refused(text)
    })
}

/// The beginning of what an answer says.
async fn said(mut answer: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < 4 * super::WORDS {
        match answer.chunk().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece[..piece.len().min(4 * super::WORDS)]),
            Ok(None) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn words_of(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(super::WORDS).collect()
}

/// A body of so many bytes at the most.
async fn read(mut answer: Response, most: usize, what: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
        if bytes.len() + piece.len() > most {
            return Err(Error::Unfit(format!("{what} has more than the {most} bytes that it may have")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Without the address: where a registry keeps a blob, it may let in whoever knows that.
fn unreachable(error: reqwest::Error) -> Error {
    let host = error.url().and_then(Url::host_str).unwrap_or("the registry").to_owned();
    Error::Unreachable(format!("{host}: {}", words(&error.without_url())))
}

#[cfg(test)]
mod tests;
