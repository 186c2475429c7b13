//! Speaks to a host that runs, for the commands that change or ask its policies.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::domain::{BaseUrl, Secret};

/// Which host, and who asks.
#[derive(Debug, Args)]
pub(super) struct Remote {
    /// Where the host answers.
    #[arg(long, env = "SWITCHYARD_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A token of the host; the demo wants none.
    #[arg(long, env = "SWITCHYARD_TOKEN", hide_env_values = true, value_parser = secret)]
    token: Option<Secret>,
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
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = BaseUrl::try_from(self.url.clone())?.at(path)?;
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let mut request = client.request(method, url);
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
            let detail = value["detail"].as_str().unwrap_or("no reason was given");
            bail!("{}: {detail}", value["title"].as_str().unwrap_or(status.as_str()));
        }
        Ok(answer)
    }
}

/// A policy's file with the scripts beside it that it names, as the API takes them.
pub(super) fn texts(file: &Path) -> anyhow::Result<Value> {
    let shown = || file.display().to_string();
    let toml = std::fs::read_to_string(file).with_context(shown)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut scripts = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(shown)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.ends_with(".rhai") && toml.contains(&name) {
            scripts.insert(name, std::fs::read_to_string(&path).with_context(|| path.display().to_string())?);
        }
    }
    Ok(json!({ "toml": toml, "scripts": scripts }))
}
