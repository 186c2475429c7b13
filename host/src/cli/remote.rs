//! Speaks to a host that runs, for the commands that change or ask its policies.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::domain::{BaseUrl, Secret};
use crate::folders;

/// How long a script may be that is read at all, in bytes; the host says how long it may be that is taken.
const SCRIPT_BYTES: usize = 16 << 20;

/// Which host, and who asks.
#[derive(Debug, Args)]
pub(super) struct Remote {
    /// Where the host answers.
    #[arg(long, env = "SWITCHYARD_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A token of the host; the demo wants none.
    #[arg(long, env = "SWITCHYARD_TOKEN", hide_env_values = true, value_parser = secret)]
    token: Option<Secret>,
    /// Its connections serve all calls of a command.
    #[arg(skip)]
    client: OnceLock<Client>,
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
        let text = self.answer(method, path, body).await?.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// The same, where the answer is not to be read at once.
    pub(super) async fn answer(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Response> {
        let url = BaseUrl::try_from(self.url.clone())?.at(path)?;
        let mut request = self.client()?.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.reveal());
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.with_context(|| format!("{} does not answer", self.url))?;
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

    fn client(&self) -> anyhow::Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(self.client.get_or_init(|| client))
    }

    /// The pages of a list, one after the other.
    pub(super) fn pages<'a>(&'a self, path: &str, fields: &[(&str, String)]) -> Pages<'a> {
        Pages { remote: self, path: path.to_owned(), fields: query(fields), cursor: Some(String::new()) }
    }
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
