//! Moves the content of a store, recounts it, and looks after what was set aside.

use std::fs::File;
use std::io::{BufReader, BufWriter, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::quarantine::{self, Place};
use super::verify;
use crate::ledger::is_in_the_clear;
use crate::store::{SledStore, Store, export, import};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write everything as lines of JSON.
    Export {
        /// The folder of the store.
        #[arg(long)]
        path: PathBuf,
        /// Where to; the standard output where not given.
        #[arg(long)]
        to: Option<PathBuf>,
    },
    /// Read what `export` wrote into an empty store.
    Import {
        /// The folder of the store.
        #[arg(long)]
        path: PathBuf,
        /// Where from; the standard input where not given.
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// Recount indexes and counts, and print what differs from what it should be: exit code 1 if anything does.
    Verify(Place),
    /// Look after records that could not be read or kept.
    #[command(subcommand)]
    Quarantine(quarantine::Command),
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Export { path, to } => {
            if !path.is_dir() {
                bail!("there is no store at {}", path.display());
            }
            let store = SledStore::open(&path)?;
            let count = match to {
                Some(file) => export(
                    &store,
                    BufWriter::new(File::create(&file).with_context(|| file.display().to_string())?),
                    is_in_the_clear,
                )?,
                None => export(&store, stdout().lock(), is_in_the_clear)?,
            };
            eprintln!("{count} records exported");
        }
        Command::Import { path, from } => {
            let store = SledStore::open(&path)?;
            if !store.scan(b"", None, 1)?.is_empty() {
                bail!("the store at {} is not empty", path.display());
            }
            let count = match from {
                Some(file) => {
                    import(&store, BufReader::new(File::open(&file).with_context(|| file.display().to_string())?))
                        .await?
                }
                None => import(&store, BufReader::new(stdin())).await?,
            };
            eprintln!("{count} records imported");
        }
        Command::Verify(place) => return Ok(verify::run(place).await),
        Command::Quarantine(command) => quarantine::run(command).await?,
    }
    Ok(ExitCode::SUCCESS)
}
