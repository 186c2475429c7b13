//! Everything that matches, as lines for other tools, in one stream.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use reqwest::{Method, Response};

use super::filter::Filter;
use crate::cli::Misused;
use crate::cli::draft::Draft;
use crate::cli::out::{self, Output};
use crate::cli::progress::Counted;
use crate::cli::remote::{Remote, copy, query};

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    filter: Filter,
    /// One JSON object for each line, or a table for spreadsheets.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Where to; the standard output where not given. A file is replaced when all of it is written.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Print how many lines the file has as a JSON object; without a file the lines are JSON anyway.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

/// Writes what matches, in any state where none is asked for.
pub(super) async fn run(options: &Options) -> anyhow::Result<()> {
    let Options { filter, format, to, json, remote } = options;
    if *json && to.is_none() && matches!(format, Format::Csv) {
        return Err(Misused("--format csv is no JSON: write it --to a file").into());
    }
    let format = if matches!(format, Format::Csv) { "csv" } else { "jsonl" };
    let mut fields = filter.fields();
    fields.push(("format", format.to_owned()));
    let answer = remote.answer(Method::GET, &format!("/v1/sync-errors/export?{}", query(&fields)), None).await?;
    let lines = match to {
        Some(file) => to_file(answer, file).await.with_context(|| file.display().to_string())?,
        None => match copy(answer, Counted::printed(Output, "lines exported")).await {
            // A reader that left wants no more, and a full disk is told at the end.
            Err(_) if !out::is_open() => return Ok(()),
            lines => lines?,
        },
    };
    out::count(lines, "lines", "exported", *json && to.is_some());
    Ok(())
}

async fn to_file(answer: Response, file: &Path) -> anyhow::Result<u64> {
    let mut draft = Draft::of(file)?;
    let lines = copy(answer, Counted::new(draft.writer(), "lines exported")).await?;
    draft.keep()?;
    Ok(lines)
}
