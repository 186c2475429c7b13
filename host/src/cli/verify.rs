//! Recounts a store's indexes and counts, on a host that runs or in a store that none uses, and says what differs.

use std::process::ExitCode;

use anyhow::Context;
use reqwest::Method;

use super::quarantine::{Opened, Place};
use crate::clock::Stopwatch;
use crate::ledger::Verified;

/// Says how far it is so often.
const SAID: std::time::Duration = std::time::Duration::from_secs(5);

/// 0 where nothing differs, 1 where something does, 2 where that cannot be told.
pub(super) async fn run(place: Place) -> ExitCode {
    match recount(place).await {
        Ok(verified) => {
            verified.named.iter().for_each(|difference| println!("{difference}"));
            let Verified { conversations, sync_errors, differences, .. } = verified;
            eprintln!("{conversations} conversations, {sync_errors} sync errors, {differences} differences");
            if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("switchyard: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn recount(place: Place) -> anyhow::Result<Verified> {
    match place.open()? {
        Opened::Here(ledger) => {
            let mut said = Stopwatch::start();
            let told = |verified: &Verified| {
                if said.elapsed() >= SAID {
                    said = Stopwatch::start();
                    eprintln!("{} conversations, {} sync errors so far", verified.conversations, verified.sync_errors);
                }
            };
            Ok(ledger.verify(told).await?)
        }
        Opened::There(remote) => {
            let answer = remote.call(Method::POST, "/v1/store/verify", None).await?;
            serde_json::from_value(answer).context("the host answers something else than a recount")
        }
    }
}
