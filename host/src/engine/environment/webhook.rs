//! Looks whether Alcmeon still sends notifications here, and switches its webhook on again.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Environment, Failed, Keeper};
use crate::alcmeon::CallError;
use crate::domain::Timestamp;

/// How often it is looked at while Alcmeon knows of none that leads here: somebody may be about to set it.
const LOOK_SOON: Duration = Duration::from_secs(30);
/// How often the webhook is switched on
const SWITCHES: usize = 6;
/// within this time; after that somebody has to look.
const DAY: Duration = Duration::from_secs(86_400);
/// The kind of trouble: a webhook that is off.
const WEBHOOK: &str = "alcmeon-webhook";

/// Where the notifications of an environment stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookHealth {
    /// When it was looked at.
    pub looked_at: Timestamp,
    /// Whether notifications are sent here; `null`: Alcmeon knows of no webhook that leads here.
    pub enabled: Option<bool>,
    /// When this host switched it on, in the last 24 hours.
    pub switched_on: Vec<Timestamp>,
}

impl Keeper {
    pub(super) async fn look_at_webhook(&mut self, now: Timestamp) -> Result<(), Failed> {
        let kept = Arc::clone(&self.kept);
        let Environment { source, client, .. } = &kept.environment;
        let found = match client.webhooks(now).await {
            Ok(found) => found,
            // The application may not be allowed to look; that is no reason to ask for actions less often.
            Err(error @ (CallError::Refused { .. } | CallError::Unreadable(_))) => {
                tracing::warn!(%source, %error, "the webhook cannot be looked at");
                kept.health.send_modify(|health| health.webhook = None);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let path = format!("/alcmeon/{source}/notify");
        let own = found.iter().find(|webhook| webhook.url.trim_end_matches('/').ends_with(&path));
        let mut enabled = own.map(|webhook| webhook.enabled);
        if enabled.is_none() {
            // The other calls have their turns in between, however seldom they are made.
            self.look_at = now.after(LOOK_SOON.max(kept.environment.every * 8));
        }
        self.switched_on.retain(|at| now.since(*at) < DAY);
        if enabled == Some(false) && self.switched_on.len() < SWITCHES {
            match client.switch_webhook_on(now).await {
                Ok(()) => {
                    tracing::warn!(%source, times = self.switched_on.len() + 1, "Alcmeon had disabled its webhook; it is on again");
                    self.switched_on.push_back(now);
                    enabled = Some(true);
                }
                Err(CallError::RateLimited { until }) => return Err(Failed::RateLimited(until)),
                Err(error) => tracing::warn!(%source, %error, "the webhook is off and cannot be switched on"),
            }
        }
        match enabled {
            Some(false) => {
                let cure = "find out why notifications fail, and switch the webhook on in Alcmeon";
                self.trouble(WEBHOOK, "Alcmeon has switched its webhook off", cure, now);
            }
            _ => self.cured(WEBHOOK),
        }
        let switched_on = self.switched_on.iter().copied().collect();
        kept.health.send_modify(|health| {
            health.webhook = Some(WebhookHealth { looked_at: now, enabled, switched_on });
        });
        self.answered(now);
        Ok(())
    }
}
