//! Pushes actions to the webhook: signed, one conversation always in order, several side by side.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::environment::Push;
use super::model::Outcome;
use super::{Alcmeon, Shared, render};
use crate::journal::lock;

/// The first pause before a retry; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Failures that the API lists.
const ERRORS: usize = 100;
/// The longest.
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// The pushers of one environment; dropping them ends them, and what they had not settled stays pending.
#[derive(Debug)]
pub(crate) struct Pushers {
    _tasks: JoinSet<()>,
}

/// Why pushing cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The address given is none.
    #[error("the webhook address is wrong: {0}")]
    Address(String),
    /// The machine lacks something.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// TLS cannot be set up.
    #[error("no TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Queues what is pending and starts the pushers. Former ones have to be dropped before.
pub(crate) fn start(alcmeon: &Arc<Alcmeon>, shared: &Arc<Shared>, push: Push) -> Result<Pushers, Error> {
    let address: reqwest::Url = push.url.parse().map_err(|_| Error::Address(push.url.clone()))?;
    // The webhook is on this machine: no certificate authority is trusted, and no process-wide provider is installed.
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .timeout(Duration::from_millis(push.timeout_ms))
        .build()?;
    let lanes = push.pushers.clamp(1, 256);
    {
        let mut environment = lock(&shared.environment);
        environment.lanes = vec![Default::default(); lanes];
        environment.push = Some(push);
        environment.enabled = true;
        environment.failures_in_a_row = 0;
        environment.queue(0);
    }
    let mut tasks = JoinSet::new();
    for lane in 0..lanes {
        let pusher = Pusher {
            alcmeon: Arc::clone(alcmeon),
            shared: Arc::clone(shared),
            client: client.clone(),
            address: address.clone(),
            lane,
        };
        tasks.spawn(pusher.run());
    }
    Ok(Pushers { _tasks: tasks })
}

/// How the webhook answered, if it did.
struct Unaccepted {
    status: Option<u16>,
    /// The first hundred characters of the answer.
    details: String,
}

struct Pusher {
    alcmeon: Arc<Alcmeon>,
    shared: Arc<Shared>,
    client: reqwest::Client,
    address: reqwest::Url,
    lane: usize,
}

/// What to do with the next action.
enum Next {
    Send {
        at: usize,
        body: String,
        signature: String,
    },
    /// The webhook is off and nobody retries: it is lost.
    Lose(usize),
    /// There is nothing to send, or the webhook is off.
    Wait,
}

impl Pusher {
    async fn run(self) {
        let mut changes = self.shared.changed.subscribe();
        let mut pause = FIRST_PAUSE;
        loop {
            // Marked as seen before looking, so that no later change is missed.
            changes.borrow_and_update();
            match self.next() {
                Next::Wait => {
                    if changes.changed().await.is_err() {
                        return;
                    }
                }
                Next::Lose(at) => self.settle(at, Outcome::Failed),
                Next::Send { at, body, signature } => match self.send(body, signature).await {
                    Ok(()) => {
                        pause = FIRST_PAUSE;
                        self.settle(at, Outcome::Acknowledged);
                    }
                    Err(why) => {
                        if self.failed(at, &why) {
                            tokio::time::sleep(pause).await;
                            pause = (pause * 2).min(LAST_PAUSE);
                        }
                    }
                },
            }
        }
    }

    /// Looks at the front of the lane; only `settle` takes it away.
    fn next(&self) -> Next {
        let mut environment = lock(&self.shared.environment);
        let Some(at) = environment.front(self.lane) else { return Next::Wait };
        let Some(push) = &environment.push else { return Next::Wait };
        if !environment.enabled {
            return if push.retries { Next::Wait } else { Next::Lose(at) };
        }
        let body = json!({"id": at + 1, "action": render::action(&environment, at)}).to_string();
        let signature = sign(&environment.settings.secret, self.address.path(), body.as_bytes());
        Next::Send { at, body, signature }
    }

    async fn send(&self, body: String, signature: String) -> Result<(), Unaccepted> {
        let request = self
            .client
            .post(self.address.clone())
            .header("Content-Type", "application/json")
            .header("X-Alcmeon-Webhook-Signature", signature)
            .body(body);
        match request.send().await {
            Ok(response) if response.status() == reqwest::StatusCode::OK => Ok(()),
            Ok(response) => {
                let status = Some(response.status().as_u16());
                let text = response.text().await.unwrap_or_default();
                Err(Unaccepted { status, details: text.chars().take(100).collect() })
            }
            Err(_) => Err(Unaccepted { status: None, details: String::new() }),
        }
    }

    fn settle(&self, at: usize, outcome: Outcome) {
        {
            let mut environment = lock(&self.shared.environment);
            if outcome == Outcome::Acknowledged {
                environment.failures_in_a_row = 0;
            }
            environment.settle(at, outcome);
            // The lanes may have been made anew meanwhile.
            if let Some(lane) = environment.lanes.get_mut(self.lane) {
                lane.pop_front_if(|front| *front as usize == at);
            }
            self.alcmeon.journal_outcome(&environment.id, at, outcome);
        }
        self.shared.settled.send_modify(|count| *count += 1);
    }

    /// Counts a failure; answers whether to try again.
    fn failed(&self, at: usize, why: &Unaccepted) -> bool {
        let retries = {
            let mut environment = lock(&self.shared.environment);
            if environment.errors.len() >= ERRORS {
                environment.errors.pop_front();
            }
            let (date, time) = crate::clock::alcmeon_text(self.alcmeon.clock.now_ms());
            let id = environment.errors.back().and_then(|last| last["id"].as_u64()).unwrap_or(0) + 1;
            environment.errors.push_back(json!({
                "id": id,
                "datetime": format!("{date}T{time}+00:00"),
                "direction": "outgoing",
                "is_internal": false,
                "status": why.status,
                "method": "POST",
                "request_headers": [],
                "response_headers": [],
                "path": self.address.path(),
                "details": why.details,
            }));
            environment.failures_in_a_row += 1;
            let limit = environment.push.as_ref().and_then(|push| push.disable_after);
            if limit.is_some_and(|limit| environment.failures_in_a_row >= limit) {
                environment.enabled = false;
            }
            environment.push.as_ref().is_some_and(|push| push.retries)
        };
        if !retries {
            self.settle(at, Outcome::Failed);
        }
        retries
    }
}

/// Tells the pushers that there is something new.
pub(crate) fn wake(changed: &watch::Sender<u64>) {
    changed.send_modify(|count| *count += 1);
}

/// The documented signature: path, one space, body.
pub(crate) fn sign(secret: &str, path: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(path.as_bytes());
    mac.update(b" ");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_of_the_public_test_vector_is_right() {
        let body = r#"{"backend": "whatsapp", "parameters": [], "user_external_id": "33671485945", "user_name": "Germain", "event": {"type": "text", "text": {"body": "Bonjour"}}, "global_variables": {}}"#;
        assert_eq!(
            super::sign("1309768d3f6f8462", "/alcmeon/start", body.as_bytes()),
            "4d737b25de54f0ec47bc9b5fee2b3baf7231733cabe7731830912bb9c0c548a9"
        );
    }
}
