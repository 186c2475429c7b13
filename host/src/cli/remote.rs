//! Speaks to a host that runs: which one, and who asks, is said in one way for all commands.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqwest::{Client, Method, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::profile::Profile;
use super::progress::{Counted, Progress};
use crate::clock::Stopwatch;
use crate::domain::{BaseUrl, Secret};
use crate::folders;

/// How long a script may be that is read at all, in bytes; the host says how long it may be that is taken.
const SCRIPT_BYTES: usize = 16 << 20;

/// Where a host answers that nobody named.
const HERE: &str = "http://127.0.0.1:8080";

/// Which host, and who asks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Host")]
pub(super) struct Remote {
    /// Where the host answers; without it `url` in ~/.config/switchyard/client.toml, or http://127.0.0.1:8080.
    #[arg(long, env = "SWITCHYARD_URL")]
    url: Option<String>,
    /// A token of the host; without it `token` or `token_file` of that file, where the host is the file's.
    #[arg(long, env = "SWITCHYARD_TOKEN", hide_env_values = true, value_parser = secret)]
    token: Option<Secret>,
    #[arg(skip)]
    host: OnceLock<Host>,
}

/// The host that is spoken to.
#[derive(Debug)]
struct Host {
    url: String,
    token: Option<Secret>,
    /// Its connections serve all calls of a command.
    client: Client,
    /// Runs since the first call of the command.
    began: Stopwatch,
}

impl Host {
    /// Shows that it is waited for, where the command takes longer than a moment.
    fn waited_for(&self) -> Progress {
        Progress::since(self.began, format!("{} is asked", self.url))
    }
}

/// The host understood what it was asked, and does not do it.
#[derive(Debug, thiserror::Error)]
#[error("{title}: {detail}")]
pub(super) struct Refused {
    title: String,
    detail: String,
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

impl Remote {
    /// What the host answers; its refusals as it words them.
    pub(super) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let answer = self.answer(method, path, body).await?;
        let _shown = self.host()?.waited_for();
        let text = answer.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// The same, where the answer is not to be read at once.
    pub(super) async fn answer(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Response> {
        self.answer_if(method, path, body, None).await
    }

    /// The same, where what is changed still has this `ETag`.
    pub(super) async fn answer_if(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        tag: Option<&str>,
    ) -> anyhow::Result<Response> {
        let host = self.host()?;
        let url = BaseUrl::try_from(host.url.clone())?.at(path)?;
        let mut request = host.client.request(method, url);
        if let Some(token) = &host.token {
            request = request.bearer_auth(token.reveal());
        }
        if let Some(tag) = tag {
            request = request.header(reqwest::header::IF_MATCH, tag);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let _shown = host.waited_for();
        let answer = request.send().await.with_context(|| format!("{} does not answer", host.url))?;
        let status = answer.status();
        if !status.is_success() {
            let value: Value = serde_json::from_str(&answer.text().await?).unwrap_or(Value::Null);
            let detail = value["detail"].as_str().unwrap_or("no reason was given").to_owned();
            let title = value["title"].as_str().unwrap_or(status.as_str()).to_owned();
            let refused = Refused { title, detail };
            if status.is_client_error() {
                return Err(refused.into());
            }
            bail!("{refused}");
        }
        Ok(answer)
    }

    fn host(&self) -> anyhow::Result<&Host> {
        if let Some(host) = self.host.get() {
            return Ok(host);
        }
        let (url, token) = match (&self.url, &self.token) {
            (Some(url), Some(token)) => (url.clone(), Some(token.clone())),
            (url, token) => named(url.clone(), token.clone(), Profile::read()?),
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(self.host.get_or_init(|| Host { url, token, client, began: Stopwatch::start() }))
    }

    /// The pages of a list, one after the other.
    pub(super) fn pages<'a>(&'a self, path: &str, fields: &[(&str, String)]) -> Pages<'a> {
        Pages { remote: self, path: path.to_owned(), fields: query(fields), cursor: Some(String::new()) }
    }
}

/// Which host, and its token, where the command line and the environment do not say both. A token of the file is for the host of the
/// file alone.
fn named(url: Option<String>, token: Option<Secret>, file: Profile) -> (String, Option<Secret>) {
    let of_file = file.url.unwrap_or_else(|| HERE.to_owned());
    let is_of_file = url.as_ref().is_none_or(|url| *url == of_file);
    (url.unwrap_or(of_file), token.or(file.token.filter(|_| is_of_file)))
}

/// A part of an answer, as the document of the API describes it.
pub(super) fn known<T: DeserializeOwned>(value: &Value) -> anyhow::Result<T> {
    T::deserialize(value)
        .context("the host's answer is not one of this release; `switchyard --version` tells which that is")
}

/// Writes an answer as it comes, and answers how many lines it has. Half an answer is an error, so that nobody keeps it.
pub(super) async fn copy<W: Write>(mut answer: Response, mut to: Counted<W>) -> anyhow::Result<u64> {
    while let Some(piece) = answer.chunk().await.context("the host broke off")? {
        to.write_all(&piece)?;
    }
    to.flush()?;
    Ok(to.lines())
}

/// A list of an answer.
pub(super) fn list<'a>(answer: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    answer[name].as_array().into_iter().flatten()
}

/// Fields as the query of an address.
pub(super) fn query(fields: &[(&str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A list that a host gives in pages.
pub(super) struct Pages<'a> {
    remote: &'a Remote,
    path: String,
    fields: String,
    /// What asks for the next page; `None` after the last.
    cursor: Option<String>,
}

impl Pages<'_> {
    /// The next page; `None` after the last.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Value>> {
        let Some(cursor) = self.cursor.take() else { return Ok(None) };
        let next = if cursor.is_empty() { cursor } else { format!("&{}", query(&[("cursor", cursor)])) };
        let path = format!("{}?{}{next}", self.path, self.fields);
        let page = self.remote.call(Method::GET, &path, None).await?;
        self.cursor = page["next_cursor"].as_str().map(str::to_owned);
        Ok(Some(page))
    }
}

/// A policy's file with the scripts beside it that it names, as the API takes them.
pub(super) fn texts(file: &Path) -> anyhow::Result<Value> {
    let toml = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let scripts = scripts_of(file, &toml)?;
    Ok(json!({ "toml": toml, "scripts": scripts }))
}

/// The scripts that a policy's text names, from the folder of its file.
pub(super) fn scripts_of(file: &Path, toml: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let read = folders::scripts_beside(folder, toml, SCRIPT_BYTES);
    read.map_err(|problems| anyhow!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_the_file_goes_to_no_host_but_the_files() {
        let file = || -> Profile { toml::from_str("url = 'https://host.example'\ntoken = 'of the file'").unwrap() };
        let said = |url: Option<&str>, token: Option<&str>| {
            let (url, token) = named(url.map(str::to_owned), token.map(Secret::new), file());
            (url, token.map(|token| token.reveal().to_owned()))
        };
        let host = "https://host.example".to_owned();
        assert_eq!(said(None, None), (host.clone(), Some("of the file".into())));
        assert_eq!(said(Some("https://host.example"), None), (host.clone(), Some("of the file".into())));
        assert_eq!(said(Some("https://other.example"), None), ("https://other.example".into(), None));
        assert_eq!(said(None, Some("given")), (host, Some("given".into())));
        assert_eq!(named(None, None, Profile::default()).0, HERE);
    }

    #[test]
    fn the_scripts_that_a_policy_names_are_sent_and_no_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("my-p1.toml");
        std::fs::write(&file, "plugin = 'script'\nscript = 'my-p1.rhai'\n").unwrap();
        std::fs::write(folder.path().join("my-p1.rhai"), "mine").unwrap();
        std::fs::write(folder.path().join("p1.rhai"), "another's").unwrap();
        std::fs::write(folder.path().join("latin.rhai"), [0xe9]).unwrap();
        assert_eq!(texts(&file).unwrap()["scripts"], json!({ "my-p1.rhai": "mine" }));
        std::fs::write(folder.path().join("my-p1.rhai"), [0xe9]).unwrap();
        assert!(texts(&file).unwrap_err().to_string().contains("my-p1.rhai:1:1: it is not UTF-8"));
    }
}
