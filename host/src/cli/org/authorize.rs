//! Authorizes an organization from the command line: a running host does it, this machine's browser is asked.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use clap::Args;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::cli::out::{say, tell};
use crate::cli::remote::{Remote, known};
use crate::domain::OrgId;
use crate::http::api::{AuthorizationStart, Authorized};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The organization's id in the configuration.
    org: OrgId,
    /// The port of this machine that the browser comes back to; the app needs the callback URL
    /// http://localhost:PORT/oauth/callback.
    #[arg(long, default_value_t = 1717)]
    port: u16,
    /// Print what the host answers at the end as JSON, and the address to open on the standard error.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// What the browser brings.
#[derive(Debug, Deserialize)]
struct Brought {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

pub(super) async fn run(Options { org, port, json: as_json, remote }: Options) -> anyhow::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let port = listener.local_addr()?.port();
    let (sender, mut brought) = mpsc::channel(8);
    let router = Router::new().route("/oauth/callback", get(callback)).with_state(sender);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let redirect_uri = format!("http://localhost:{port}/oauth/callback");
    let path = format!("/v1/orgs/{org}/authorization");
    let begun = remote.call(Method::POST, &path, Some(json!({ "redirect_uri": redirect_uri }))).await?;
    let AuthorizationStart { url, state } = known(&begun)?;
    let words = format!("Open this address, and log in as the integration user:\n\n{url}\n");
    if as_json {
        tell!("{words}")
    } else {
        say!("{words}")
    }
    let code = loop {
        let brought: Brought = brought.recv().await.context("nobody listens any more")?;
        // Any page of this machine's browser can call the port; only Salesforce's answer knows the state.
        if brought.state != state {
            continue;
        }
        match (brought.code, brought.error) {
            (Some(code), None) => break code,
            (_, error) => bail!(
                "Salesforce's page was left without a code: {}: {}",
                error.unwrap_or_default(),
                brought.error_description.unwrap_or_default()
            ),
        }
    };
    let given = json!({ "state": state, "code": code });
    let done = remote.call(Method::POST, &format!("{path}/code"), Some(given)).await?;
    if as_json {
        say!("{}", serde_json::to_string_pretty(&done)?);
    } else {
        let Authorized { org, server, retried } = known(&done)?;
        say!("{org} is authorized: {server}; {retried} held sync errors are tried again");
    }
    server.abort();
    Ok(())
}

async fn callback(State(sender): State<mpsc::Sender<Brought>>, Query(brought): Query<Brought>) -> &'static str {
    let _ = sender.send(brought).await;
    "The command line goes on. This page can be closed.\n"
}
