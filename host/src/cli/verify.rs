//! Recounts a store's indexes and counts, on a host that runs or in a store that none uses, and says what differs.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::json;

use super::progress::Progress;
use super::quarantine::{Opened, Place};
use super::remote::known;
use crate::cli::out::{say, tell};
use crate::http::api::Recount;
use crate::ledger::Verified;

/// 0 where nothing differs, 1 where something does, 2 where that cannot be told.
pub(super) async fn run(place: Place, as_json: bool) -> ExitCode {
    match recount(place).await {
        Ok(found) => {
            match as_json {
                true => say!("{}", json!(found)),
                false => found.named.iter().for_each(|difference| say!("{difference}")),
            }
            let Recount { conversations, sync_errors, differences, .. } = found;
            tell!("{conversations} conversations, {sync_errors} sync errors, {differences} differences");
            if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            tell!("switchyard: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn recount(place: Place) -> anyhow::Result<Recount> {
    match place.open()? {
        Opened::Here(ledger) => {
            let mut progress = Progress::start("the store is recounted");
            let told = |verified: &Verified| {
                let Verified { conversations, sync_errors, .. } = verified;
                progress.at(None, || format!("{conversations} conversations, {sync_errors} sync errors so far"));
            };
            Ok(ledger.verify(told).await?.into())
        }
        Opened::There(remote) => {
            let answer = remote.call(Method::POST, "/v1/store/verify", None).await?;
            known(&answer)
        }
    }
}
