//! Says what a component is and where it does not fit, without running it.

use std::path::Path;

use anyhow::{Context, bail};

use crate::cli::out::say;
use crate::policy::compatibility::{self, Report, VERSIONS};

pub(super) const EXAMPLES: &str = "\
Examples:
  switchyard plugin check my-router.wasm
  switchyard plugin check my-router.wasm --json | jq .misfits

Where it does not fit, the function or type that differs is named, with the shape that it has and the one that it should
have (lines that differ are marked), and the exit code is 1.";

/// Names and misfits that are shown; a hostile component may have any number of them.
const SHOWN: usize = 40;

pub(super) fn run(file: &Path, json: bool) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let report = compatibility::check(&bytes);
    if json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(file, &report);
    }
    match report.misfits.len() {
        0 => Ok(()),
        misfits => {
            bail!("{} does not fit: {misfits} {}", file.display(), if misfits == 1 { "misfit" } else { "misfits" })
        }
    }
}

fn print(file: &Path, report: &Report) {
    let known = VERSIONS.map(|(version, _)| version).join(" and ");
    let or_nothing = |names: Vec<String>| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    say!("{}", file.display());
    say!("size       {} bytes", report.bytes);
    say!("digest     sha256:{}", report.digest);
    say!("interface  {} (this host supports {known})", report.interface.as_deref().unwrap_or("none that is known"));
    say!("answers    {}", or_nothing(report.questions.iter().map(ToString::to_string).collect()));
    list("exports", &report.exports);
    list("imports", &report.imports);
    if report.misfits.is_empty() {
        say!("\nIt fits.");
    }
    for misfit in report.misfits.iter().take(SHOWN) {
        say!("\n{}", misfit.what);
        let (found, expected) = (misfit.found.as_deref(), misfit.expected.as_deref());
        shape("it has", found, expected);
        shape("it should have", expected, found);
    }
    if report.misfits.len() > SHOWN {
        say!("\nand {} more", report.misfits.len() - SHOWN);
    }
}

fn list(word: &str, names: &[String]) {
    for (number, name) in names.iter().take(SHOWN).enumerate() {
        say!("{:10} {name}", if number == 0 { word } else { "" });
    }
    match names.len() {
        0 => say!("{word:10} nothing"),
        more if more > SHOWN => say!("{:10} and {} more", "", more - SHOWN),
        _ => {}
    }
}

/// One side, its lines marked that the other does not have.
fn shape(word: &str, one: Option<&str>, other: Option<&str>) {
    let Some(one) = one else { return };
    say!("  {word}:");
    for line in one.lines() {
        let marked = other.is_some_and(|other| other.lines().all(|there| there != line));
        say!("  {} {line}", if marked { ">" } else { " " });
    }
}
