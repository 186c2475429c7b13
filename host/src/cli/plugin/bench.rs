//! Measures how long decisions take, one after the other, each in a fresh instance as on a host.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use super::workbench::{Workbench, read_input};
use super::{Asked, Subject};
use crate::cli::out::say;
use crate::cli::progress::Progress;
use crate::clock::Stopwatch;
use crate::policy::Config;
use crate::policy::case::CaseAnswer;

pub(super) const EXAMPLES: &str = "\
Examples:
  switchyard plugin bench my-router.wasm --settings settings.toml --input conversation.json
  switchyard plugin bench my-policy.rhai --input cases/refund.json --times 10000

The time is that of one decision on this machine, from the conversation in the host's memory to the answer. The cost is the
same on every machine: WebAssembly fuel, about one unit an instruction.";

/// Decisions before anything is measured, so that caches are as warm as on a host that runs.
const WARM_UP: u32 = 50;

pub(super) async fn run(subject: &Subject, asked: &Asked, times: u32) -> anyhow::Result<()> {
    let case = read_input(&asked.input, asked.question)?;
    let bench = Workbench::set_up(subject, Config::default(), &[case.question]).await?;
    bench.configure_and_freeze(&case).await?;
    for _ in 0..WARM_UP.min(times) {
        bench.ask(&case).await;
    }
    let (mut took, mut costs, mut faults) = (Vec::new(), Vec::new(), 0_u32);
    let (mut last, mut progress) = (None, Progress::start("decisions are measured"));
    for time in 0..times {
        progress.of(time.into(), times.into(), "decisions were measured");
        let watch = Stopwatch::start();
        let trial = bench.ask(&case).await;
        took.push(watch.elapsed());
        costs.push(trial.decision.cost);
        faults += u32::from(trial.decision.answer.is_err());
        last = Some(trial);
    }
    drop(progress);
    took.sort_unstable();
    let trial = last.context("nothing was measured")?;
    let by = bench.answered_by(case.question);
    let frozen = by.as_ref().is_some_and(|by| by.frozen);
    let (least, most) = (costs.iter().min().copied().unwrap_or(0), costs.iter().max().copied().unwrap_or(0));
    let (p50, p99) = (percentile(&took, 50), percentile(&took, 99));
    let micros = |time: Duration| (time.as_secs_f64() * 1e7).round() / 10.0;
    let answer = CaseAnswer::of(&trial.decision.answer);
    if asked.json {
        let whole = json!({
            "question": case.question, "answer": answer, "times": times, "faults": faults, "frozen": frozen,
            "p50_us": micros(p50), "p99_us": micros(p99), "cost": {"least": least, "most": most},
            "memory_bytes": trial.memory_bytes,
        });
        say!("{whole}");
        return Ok(());
    }
    let how = if frozen { "a fresh clone of the frozen plugin for each" } else { "configured for each" };
    say!("{times} decisions, {how}: {answer}");
    if let Some(why) = by.and_then(|by| by.not_frozen_because) {
        say!("not frozen: {why}");
    }
    say!("p50      {} µs", micros(p50));
    say!("p99      {} µs", micros(p99));
    say!("cost     {} units of fuel", if least == most { least.to_string() } else { format!("{least} to {most}") });
    say!("memory   {} KiB at its peak", trial.memory_bytes.div_ceil(1024));
    if let Err(fault) = &trial.decision.answer {
        say!("faults   {faults}; the last one: {fault}");
    }
    Ok(())
}

/// The time that so many of a hundred do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_measured_times() {
        let times: Vec<_> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(percentile(&times, 50), Duration::from_micros(100));
        assert_eq!(percentile(&times, 99), Duration::from_micros(198));
        assert_eq!(percentile(&times[..1], 99), Duration::from_micros(1));
    }
}
