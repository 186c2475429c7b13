//! Runs a folder of cases and says which answers are not the expected ones.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::Subject;
use super::workbench::{Workbench, patient, read};
use crate::cli::out::{say, tell};
use crate::policy::Trial;
use crate::policy::case::{Case, CaseAnswer};

pub(super) const EXAMPLES: &str = "\
Examples:
  switchyard plugin test my-router.wasm cases
  switchyard plugin test my-policy.toml cases --plugins target/wasm32-wasip2/release

A case, cases/refund.json:
  {\"question\": \"route\",
   \"conversation\": {\"id\": \"1\", \"channel\": \"whatsapp\", \"team\": \"billing\", \"messages\": [{\"body\": \"A refund!\"}]},
   \"settings\": {\"queues\": {\"billing\": \"Billing\"}},
   \"expected\": {\"queue\": \"Billing\"}}

A repro bundle of a sync error is a case too. The exit code is 1 when a case fails.";

pub(super) async fn run(subject: &Subject, folder: &Path, as_json: bool) -> anyhow::Result<()> {
    let cases: Vec<_> = files(folder)?.into_iter().map(|path| (read_case(&path), path)).collect();
    let asked: Vec<_> = cases.iter().filter_map(|(case, _)| Some(case.as_ref().ok()?.0.question)).collect();
    let bench = Workbench::set_up(subject, patient(), &asked).await?;
    let total = cases.len();
    let mut failed = 0;
    for (case, path) in cases {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match try_out(&bench, case).await {
            Ok((expected, trial)) => failed += usize::from(!report(&name, &expected, &trial, as_json)),
            Err(error) => {
                failed += 1;
                if as_json {
                    say!("{}", json!({ "case": name, "same": false, "error": format!("{error:#}") }));
                    continue;
                }
                say!("FAILED  {name}");
                say!("{}", indented(&format!("{error:#}")));
            }
        }
    }
    let sum = format!("{total} cases, {failed} failed");
    if as_json {
        tell!("{sum}")
    } else {
        say!("{sum}")
    }
    if failed > 0 {
        bail!("{failed} of {total} cases failed");
    }
    Ok(())
}

/// The cases of a folder, in the order of their names.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("{}: there is no case (*.json) in it", folder.display());
    }
    files.sort();
    Ok(files)
}

fn read_case(path: &Path) -> anyhow::Result<(Case, CaseAnswer)> {
    let case = Case::read(&read(path)?)?;
    let expected = case.expected.clone().context("the case has no `expected` answer")?;
    Ok((case, expected))
}

async fn try_out(bench: &Workbench, case: anyhow::Result<(Case, CaseAnswer)>) -> anyhow::Result<(CaseAnswer, Trial)> {
    let (case, expected) = case?;
    bench.configure(&case).await?;
    Ok((expected, bench.ask(&case).await))
}

/// Prints a line, and what differs; `true` where nothing does.
fn report(name: &str, expected: &CaseAnswer, trial: &Trial, as_json: bool) -> bool {
    let got = CaseAnswer::of(&trial.decision.answer);
    if as_json {
        let mut told = compared(expected, trial);
        told["case"] = json!(name);
        say!("{told}");
        return got == *expected;
    }
    if got == *expected {
        say!("ok      {name}  {}  {got}", trial.decision.question);
        return true;
    }
    say!("FAILED  {name}  {}", trial.decision.question);
    print_difference(expected, trial);
    false
}

/// The expected answer and the one that was given, as an object.
pub(in crate::cli) fn compared(expected: &CaseAnswer, trial: &Trial) -> Value {
    let (decision, got) = (&trial.decision, CaseAnswer::of(&trial.decision.answer));
    json!({
        "question": decision.question, "same": got == *expected, "expected": expected, "got": got,
        "fault": decision.answer.as_ref().err(), "rule": decision.rule, "logs": decision.logs,
    })
}

/// The expected answer above the one that was given, with the plugin's own words below.
pub(in crate::cli) fn print_difference(expected: &CaseAnswer, trial: &Trial) {
    say!("        expected  {expected}");
    say!("        got       {}", CaseAnswer::of(&trial.decision.answer));
    if let Err(fault) = &trial.decision.answer {
        say!("{}", indented(&fault.to_string()));
    }
    if let Some(rule) = &trial.decision.rule {
        say!("        rule      {rule}");
    }
    for line in &trial.decision.logs {
        say!("        log       {line}");
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("        {line}")).collect::<Vec<_>>().join("\n")
}
