//! Moves the content of a store, of one that no host uses or of a running host, recounts it, and looks after what was set aside.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use reqwest::Method;

use super::draft::Draft;
use super::out::{self, Output};
use super::progress::{Counted, Progress};
use super::quarantine::{self, Place};
use super::remote::{Remote, copy};
use super::verify;
use crate::clock::Clock;
use crate::ledger::Upgrade;
use crate::store::{AsTheyAre, Convert, SledStore, check_export, export, import};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write everything as lines of JSON. No host may be using the store.
    Export {
        /// The folder of the store.
        #[arg(long)]
        path: PathBuf,
        /// Where to; the standard output where not given. A file is replaced when all of it is written.
        #[arg(long)]
        to: Option<PathBuf>,
        /// Print how many records the file has as a JSON object; without a file the lines are JSON anyway.
        #[arg(long)]
        json: bool,
    },
    /// Read what `export` or `backup` wrote into an empty store. All of it is checked before anything is written.
    Import {
        /// The folder of the store.
        #[arg(long)]
        path: PathBuf,
        /// Where from; the standard input where not given.
        #[arg(long)]
        from: Option<PathBuf>,
        /// The export is of a release that wrote neither a header nor a last line: whether it is whole is not known.
        #[arg(long)]
        headerless: bool,
        /// Print how many records there are as a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Write everything that a running host keeps, as of the end of this command. Its token needs the scope `backup`.
    Backup {
        #[command(flatten)]
        remote: Remote,
        /// The file, which is replaced when all of it is there; `import` reads it.
        #[arg(long)]
        to: PathBuf,
        /// Print how many records it has as a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Recount indexes and counts, and print what differs from what it should be: exit code 1 if anything does.
    Verify {
        /// Print what was found as one JSON object.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Look after records that could not be read or kept.
    #[command(subcommand)]
    Quarantine(quarantine::Command),
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Export { path, to, json } => write_out(&path, to.as_deref(), json).await?,
        Command::Import { path, from: Some(file), headerless, json } => {
            let named = || file.display().to_string();
            read_in(&path, BufReader::new(File::open(&file).with_context(named)?), headerless, json)
                .await
                .with_context(named)?;
        }
        Command::Import { path, from: None, headerless, json } => {
            // It is read more than once.
            let mut spooled = tempfile::tempfile_in(standing(&path)).context("the standard input cannot be kept")?;
            let shown = Progress::start("the standard input is read");
            std::io::copy(&mut stdin().lock(), &mut spooled).context("the standard input cannot be kept")?;
            drop(shown);
            read_in(&path, BufReader::new(spooled), headerless, json).await?;
        }
        Command::Backup { remote, to, json } => {
            let named = || to.display().to_string();
            let draft = Draft::of(&to).with_context(named)?;
            back_up(&remote, draft, json).await.with_context(named)?;
        }
        Command::Verify { json, place } => return Ok(verify::run(place, json).await),
        Command::Quarantine(command) => quarantine::run(command).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn write_out(path: &Path, to: Option<&Path>, as_json: bool) -> anyhow::Result<()> {
    let store = quarantine::existing(path)?;
    let count = match to {
        Some(file) => {
            let named = || file.display().to_string();
            let mut draft = Draft::of(file).with_context(named)?;
            let count = export(&store, Counted::new(draft.writer(), "lines exported")).await.with_context(named)?;
            draft.keep().with_context(named)?;
            count
        }
        None => match export(&store, BufWriter::new(Counted::printed(Output, "lines exported"))).await {
            // A reader that left wants no more, and a full disk is told at the end.
            Err(_) if !out::is_open() => return Ok(()),
            count => count?,
        },
    };
    out::count(count, "records", "exported", as_json && to.is_some());
    Ok(())
}

async fn read_in(path: &Path, mut from: impl BufRead + Seek, headerless: bool, as_json: bool) -> anyhow::Result<()> {
    let mut progress = Progress::start("all of it is checked");
    let checked = check_export(&mut from, headerless, convert)?;
    let store = SledStore::open(path)?;
    let far = |done: u64| progress.of(done, checked.records, "records imported");
    let count = import(&store, &mut from, &checked, convert, far).await;
    drop(progress);
    let count = count.with_context(|| format!("the store at {} cannot be filled", path.display()))?;
    out::count(count, "records", "imported", as_json);
    Ok(())
}

async fn back_up(remote: &Remote, mut draft: Draft, as_json: bool) -> anyhow::Result<()> {
    // What cannot be read again cannot be checked.
    draft.written()?;
    let answer = remote.answer(Method::POST, "/v1/backup", None).await?;
    copy(answer, Counted::new(draft.writer(), "lines backed up")).await?;
    let shown = Progress::start("all of it is checked");
    // What is on the disk is what has to be whole.
    let checked = check_export(&mut draft.written()?, false, convert)?;
    draft.keep()?;
    drop(shown);
    out::count(checked.records, "records", "backed up", as_json);
    Ok(())
}

/// What records of an older format become.
fn convert(format: u64) -> Box<dyn Convert> {
    match format {
        1 => Box::new(Upgrade::new(Clock::System.now())),
        format => Box::new(AsTheyAre { format }),
    }
}

/// The nearest folder above a path that is there.
fn standing(path: &Path) -> &Path {
    path.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("."))
}
