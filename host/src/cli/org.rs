//! Authorizes an organization from the command line: a running host does it, this machine's browser is asked.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use clap::Subcommand;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::remote::Remote;
use crate::cli::out::say;
use crate::domain::OrgId;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Authorize an organization, or authorize it again: prints the address of Salesforce's page to open.
    Authorize {
        /// The organization's id in the configuration.
        org: OrgId,
        /// The port of this machine that the browser comes back to; the app needs the callback URL
        /// http://localhost:PORT/oauth/callback.
        #[arg(long, default_value_t = 1717)]
        port: u16,
        #[command(flatten)]
        remote: Remote,
    },
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

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    let Command::Authorize { org, port, remote } = command;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let port = listener.local_addr()?.port();
    let (sender, mut brought) = mpsc::channel(8);
    let router = Router::new().route("/oauth/callback", get(callback)).with_state(sender);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let redirect_uri = format!("http://localhost:{port}/oauth/callback");
    let path = format!("/v1/orgs/{org}/authorization");
    let begun = remote.call(Method::POST, &path, Some(json!({ "redirect_uri": redirect_uri }))).await?;
    let (Some(url), Some(state)) = (begun["url"].as_str(), begun["state"].as_str()) else {
        bail!("the host gave no address to open");
    };
    say!("Open this address, and log in as the integration user:\n\n{url}\n");
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
    let server_name = done["server"].as_str().unwrap_or_default();
    say!("{org} is authorized: {server_name}; {} held sync errors are tried again", done["retried"]);
    server.abort();
    Ok(())
}

async fn callback(State(sender): State<mpsc::Sender<Brought>>, Query(brought): Query<Brought>) -> &'static str {
    let _ = sender.send(brought).await;
    "The command line goes on. This page can be closed.\n"
}
