//! Recounts a store's indexes and counts, on a host that runs or in a store that none uses, and says what differs.

use std::process::ExitCode;

use anyhow::Context;
use reqwest::Method;

use super::progress::Progress;
use super::quarantine::{Opened, Place};
use crate::cli::out::{say, tell};
use crate::ledger::Verified;

/// 0 where nothing differs, 1 where something does, 2 where that cannot be told.
pub(super) async fn run(place: Place) -> ExitCode {
    match recount(place).await {
        Ok(verified) => {
            verified.named.iter().for_each(|difference| say!("{difference}"));
            let Verified { conversations, sync_errors, differences, .. } = verified;
            tell!("{conversations} conversations, {sync_errors} sync errors, {differences} differences");
            if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            tell!("switchyard: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn recount(place: Place) -> anyhow::Result<Verified> {
    match place.open()? {
        Opened::Here(ledger) => {
            let mut progress = Progress::start();
            let told = |verified: &Verified| {
                let Verified { conversations, sync_errors, .. } = verified;
                progress.at(None, || format!("{conversations} conversations, {sync_errors} sync errors so far"));
            };
            Ok(ledger.verify(told).await?)
        }
        Opened::There(remote) => {
            let answer = remote.call(Method::POST, "/v1/store/verify", None).await?;
            serde_json::from_value(answer).context("the host answers something else than a recount")
        }
    }
}
