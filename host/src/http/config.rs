//! What the configuration says of the HTTP floor.

use std::net::SocketAddr;

use serde::Deserialize;

use super::access::Token;
use super::limits::Limits;

/// Where the host listens, and to whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port; port 0 takes a free one.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The address under which people reach the console, for links in mails; made from `listen` where not given.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Who may do what.
    #[serde(default)]
    pub tokens: Vec<Token>,
    /// How much of it.
    #[serde(default)]
    pub limits: Limits,
    /// Whether the console has the page of its parts, `/style`: in the demo only.
    #[serde(skip)]
    pub shows_parts: bool,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: default_listen(),
            public_url: None,
            tokens: Vec::new(),
            limits: Limits::default(),
            shows_parts: false,
        }
    }
}
