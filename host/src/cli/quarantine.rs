//! What a host has set aside, on a host that runs or in a store that none uses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::progress::Progress;
use super::remote::{Remote, known};
use super::table::{fitted, plain};
use crate::cli::out::{self, say, tell};
use crate::http::api::Quarantined as View;
use crate::ledger::{Ledger, NotPutBack, Quarantined};
use crate::store::{Error, Opening, SledStore};

/// Entries of one call.
const PAGE: usize = 500;

/// Which store.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The folder of the store, while no host uses it; without it the host that runs is asked.
    #[arg(long)]
    path: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what was set aside, and why.
    List {
        /// Print one JSON object for each line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Show an entry with what it holds, which may be personal data.
    Show {
        /// Its id.
        id: String,
        /// As JSON, which it is anyway.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Put entries back under their keys, to be read again.
    Retry {
        /// Their ids.
        #[arg(required = true)]
        ids: Vec<String>,
        /// Print one JSON object for each that it is done with: its id.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Forget entries with what they hold.
    Drop {
        /// Their ids.
        #[arg(required = true)]
        ids: Vec<String>,
        /// Print one JSON object for each that it is done with: its id.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json, place } => list(&place.open()?, json).await,
        Command::Show { id, place, .. } => {
            say!("{}", serde_json::to_string_pretty(&place.open()?.show(&id).await?)?);
            Ok(())
        }
        Command::Retry { ids, json, place } => {
            let opened = place.open()?;
            each(&ids, json, "is put back", async |id| opened.retry(id).await).await
        }
        Command::Drop { ids, json, place } => {
            let opened = place.open()?;
            each(&ids, json, "is forgotten", async |id| opened.drop(id).await).await
        }
    }
}

/// Does the same to each; one that is refused does not keep the others from it.
async fn each(
    ids: &[String],
    as_json: bool,
    done: &str,
    act: impl AsyncFn(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut refused = 0;
    for id in ids {
        match act(id).await {
            Ok(()) if as_json => say!("{}", json!({ "id": id })),
            Ok(()) => say!("{id} {done}"),
            Err(error) => {
                tell!("{id}: {error:#}");
                refused += 1;
            }
        }
    }
    match refused {
        0 => Ok(()),
        refused => bail!("{refused} of {} were refused", ids.len()),
    }
}

async fn list(opened: &Opened, json: bool) -> anyhow::Result<()> {
    let (mut cursor, mut count) = (None, 0);
    loop {
        let (entries, next) = opened.page(cursor.as_deref()).await?;
        for entry in entries {
            count += 1;
            if json {
                say!("{entry}");
                continue;
            }
            let View { id, org, source, key, reason, at, bytes } = known(&entry)?;
            let of = org.map(|org| org.to_string()).or(source.map(|source| source.to_string())).unwrap_or_default();
            fitted(&format!("{id}  {at}  {of}  {bytes} bytes  {}: {}", plain(&key), plain(&reason)));
        }
        if next.is_none() || !out::is_open() {
            break;
        }
        cursor = next;
    }
    tell!("{count} in the quarantine");
    Ok(())
}

/// A quarantine that can be reached.
pub(super) enum Opened {
    Here(Ledger),
    There(Remote),
}

impl Place {
    pub(super) fn open(self) -> anyhow::Result<Opened> {
        Ok(match self.path {
            Some(path) => Opened::Here(Ledger::new(Arc::new(existing(&path)?))),
            None => Opened::There(self.remote),
        })
    }
}

/// A store that is there and that no host uses.
pub(super) fn existing(path: &Path) -> Result<SledStore, Error> {
    let _shown = Progress::start("the store is opened");
    SledStore::open_with(path, Opening::existing())
}

fn quoted(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string()
}

impl Opened {
    async fn page(&self, cursor: Option<&str>) -> anyhow::Result<(Vec<Value>, Option<String>)> {
        match self {
            Self::Here(ledger) => {
                let page = ledger.quarantine(cursor, PAGE).await?;
                Ok((page.entries.iter().map(|entry| json!(entry)).collect(), page.next))
            }
            Self::There(remote) => {
                let next = cursor.map(|cursor| format!("&cursor={}", quoted(cursor))).unwrap_or_default();
                let path = format!("/v1/quarantine?limit={PAGE}{next}");
                let page = remote.call(Method::GET, &path, None).await?;
                let entries = page["quarantine"].as_array().cloned().unwrap_or_default();
                Ok((entries, page["next_cursor"].as_str().map(str::to_owned)))
            }
        }
    }

    async fn show(&self, id: &str) -> anyhow::Result<Value> {
        match self {
            Self::Here(ledger) => {
                let entry = find(ledger, id).await?;
                let mut shown = json!(entry);
                shown["value"] = json!(String::from_utf8(entry.value).ok());
                Ok(shown)
            }
            Self::There(remote) => remote.call(Method::GET, &format!("/v1/quarantine/{}", quoted(id)), None).await,
        }
    }

    async fn retry(&self, id: &str) -> anyhow::Result<()> {
        match self {
            Self::Here(ledger) => {
                let entry = find(ledger, id).await?;
                let Some(org) = &entry.org else { return Err(NotPutBack::NeverARecord(entry.key).into()) };
                let mut state = match ledger.lane_state(org).await {
                    Err(Error::Unreadable { .. }) => ledger.recounted(org).await?,
                    state => state?.unwrap_or_default(),
                };
                Ok(ledger.lane_writer(org).put_back(&entry, None, &mut state).await?)
            }
            Self::There(remote) => {
                remote.call(Method::POST, &format!("/v1/quarantine/{}/retry", quoted(id)), None).await.map(drop)
            }
        }
    }

    async fn drop(&self, id: &str) -> anyhow::Result<()> {
        match self {
            Self::Here(ledger) => Ok(ledger.drop_quarantined(&find(ledger, id).await?, None).await?),
            Self::There(remote) => {
                remote.call(Method::DELETE, &format!("/v1/quarantine/{}", quoted(id)), None).await.map(drop)
            }
        }
    }
}

async fn find(ledger: &Ledger, id: &str) -> anyhow::Result<Quarantined> {
    ledger.quarantined(id).await?.with_context(|| format!("the quarantine has no {id}"))
}
