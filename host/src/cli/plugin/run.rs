//! Asks a plugin one question and prints everything that is known of the decision.

use serde_json::json;

use super::workbench::{Workbench, read_input};
use super::{Asked, Subject};
use crate::cli::out::say;
use crate::clock::Stopwatch;
use crate::policy::Config;
use crate::policy::case::CaseAnswer;

pub(super) const EXAMPLES: &str = "\
Examples:
  switchyard plugin run my-router.wasm --settings settings.toml --input conversation.json
  switchyard plugin run my-policy.toml --input cases/refund.json
  switchyard plugin run my-policy.rhai --question search --input conversation.json --json

The least that a conversation has:
  {\"id\": \"1\", \"channel\": \"whatsapp\", \"team\": \"billing\", \"messages\": [{\"body\": \"Hello\"}]}

The clock and the random numbers that the plugin reads are those of the case: the same case, the same decision.";

pub(super) async fn run(subject: &Subject, asked: &Asked) -> anyhow::Result<()> {
    let case = read_input(&asked.input, asked.question)?;
    let bench = Workbench::set_up(subject, Config::default(), &[case.question]).await?;
    bench.configure_and_freeze(&case).await?;
    let watch = Stopwatch::start();
    let trial = bench.ask(&case).await;
    let took = watch.elapsed();
    let (decision, by) = (&trial.decision, bench.answered_by(case.question));
    let answer = CaseAnswer::of(&decision.answer);
    if asked.json {
        let whole = json!({
            "question": case.question,
            "answer": answer,
            "fault": decision.answer.as_ref().err(),
            "policy": decision.policy,
            "plugin": by.as_ref().map(|by| &by.plugin),
            "plugin_digest": by.as_ref().map(|by| &by.plugin_digest),
            "frozen": by.as_ref().map(|by| by.frozen),
            "not_frozen_because": by.as_ref().and_then(|by| by.not_frozen_because.as_ref()),
            "rule": decision.rule,
            "cost": decision.cost,
            "memory_bytes": trial.memory_bytes,
            "time_us": u64::try_from(took.as_micros())?,
            "logs": decision.logs,
        });
        say!("{whole}");
        return Ok(());
    }
    say!("{:9}{answer}", case.question.to_string());
    if let Err(fault) = &decision.answer {
        say!("{:9}{fault}", "");
    }
    if let Some(by) = by {
        say!("by       {} of the policy {}", by.plugin, by.policy.name);
        if let Some(why) = by.not_frozen_because {
            say!("         configured for every decision, since it cannot be frozen: {why}");
        }
    }
    if let Some(rule) = &decision.rule {
        say!("rule     {rule}");
    }
    say!("cost     {} units of fuel", decision.cost);
    say!("memory   {} KiB at its peak", trial.memory_bytes.div_ceil(1024));
    say!("time     {:.3} ms", took.as_secs_f64() * 1e3);
    for (number, line) in decision.logs.iter().enumerate() {
        say!("{:9}{line}", if number == 0 { "log" } else { "" });
    }
    Ok(())
}
