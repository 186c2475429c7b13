//! Uses each organization's refresh token once a day, so that no limit on idle tokens ends the connection: a session that goes
//! on does not count as use, and an organization without conversations has none.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::org::Org;
use crate::clock::Clock;
use crate::domain::Class;
use crate::salesforce::advice;
use crate::troubles::{Trouble, Troubles};

/// How often it is looked at; the first time so long after the start.
const LOOKED_AT: Duration = Duration::from_secs(3600);
/// How long a token may go unused.
const AGE: Duration = Duration::from_secs(24 * 3600);
const KIND: &str = "refresh-token";

pub(super) async fn run(org: Arc<Org>, clock: Clock, troubles: Troubles, mut stopping: watch::Receiver<bool>) {
    loop {
        let next = clock.now().after(LOOKED_AT);
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = clock.sleep_until(next) => {}
        }
        let used = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            used = org.salesforce.keep_alive(AGE) => used,
        };
        match used {
            None => {}
            Some(Ok(())) => troubles.cure(KIND, Some(&org.id), &org.name),
            // What passes is tried again in an hour.
            Some(Err(refusal)) if matches!(refusal.class, Class::Transient | Class::Limit) => {
                tracing::debug!(org = %org.id, code = %refusal.code, "a refresh token could not be used");
            }
            Some(Err(refusal)) => {
                tracing::warn!(org = %org.id, code = %refusal.code, "a refresh token is not accepted any more");
                let what = format!(
                    "Salesforce did not accept the refresh token when it was used to keep it alive ({}: {}). What goes through \
                     still ends with the present session.",
                    refusal.code, refusal.text
                );
                let cure = advice(&refusal).check;
                troubles.raise(Trouble::new(KIND, &org.name, &what, cure, clock.now()).of(&org.id));
            }
        }
    }
}
