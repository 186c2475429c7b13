//! For those who run policies: a repro bundle can be run again, offline.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Subcommand;

use super::plugin::print_difference;
use super::plugin::workbench::{self, patient, plugins_of, read};
use crate::domain::PolicyName;
use crate::domain::{Origin, PolicySource};
use crate::policy::PolicyHost;
use crate::policy::case::{Answer, Bundled, Case};

/// What a policy in a bundle is called that does not tell its name.
const NAMELESS: &str = "replay";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a repro bundle again and say whether the answer is the same.
    #[command(after_help = "\
Examples:
  switchyard policy replay bundle.json
  switchyard policy replay bundle.json --plugins plugins

The bundle is what `GET /v1/sync-errors/{id}/repro` gives: a conversation, the policy with its scripts, the clock and the seed
that it was given, and its answer. Built-in plugins are those of this program; a plugin that is not the one of the bundle
is warned of. The exit code is 1 when the answer is not the same.")]
    Replay {
        /// The bundle.
        bundle: PathBuf,
        /// Where the plugins lie that are not built in.
        #[arg(long)]
        plugins: Option<PathBuf>,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Replay { bundle, plugins } => replay(&bundle, plugins.as_deref()).await,
    }
}

async fn replay(path: &Path, plugins: Option<&Path>) -> anyhow::Result<()> {
    let shown = path.display();
    let case = Case::read(&read(path)?).with_context(|| shown.to_string())?;
    let bundled =
        case.policy.as_ref().with_context(|| format!("{shown}: it has no `policy`, so it is no repro bundle"))?;
    let expected = case.expected.as_ref().with_context(|| format!("{shown}: it has no `expected` answer"))?;
    let host = workbench::host(patient(), plugins, &plugins_of(&bundled.toml)).await?;
    warn_of_other_plugins(&host, bundled);
    let name = bundled.name.clone().map_or_else(|| PolicyName::new(NAMELESS), Ok)?;
    let source = PolicySource {
        toml: bundled.toml.clone(),
        scripts: bundled.scripts.clone(),
        origin: Origin::File { path: shown.to_string() },
        at: bundled.applied_at.unwrap_or(case.now()),
    };
    let applied = host.apply(name.clone(), source).await;
    applied.map_err(|rejection| anyhow!("the policy of the bundle is not accepted:\n{rejection}"))?;
    let trial = host.try_case(&name, &case).await;
    if Answer::of(&trial.decision.answer) == *expected {
        println!("the same answer: {expected}");
        return Ok(());
    }
    println!("another answer to `{}`:", case.question);
    print_difference(expected, &trial);
    bail!("{shown}: the answer is not the same");
}

/// Another plugin may answer otherwise, or the same by chance.
fn warn_of_other_plugins(host: &PolicyHost, bundled: &Bundled) {
    let plugins = host.plugins();
    for (name, digest) in &bundled.plugin_digests {
        match plugins.iter().find(|plugin| plugin.name == *name) {
            None => eprintln!("warning: there is no plugin `{name}`; give its folder with --plugins"),
            Some(plugin) if plugin.digest != *digest => {
                eprintln!(
                    "warning: the plugin `{name}` is another one: sha256 {}, and in the bundle {digest}",
                    plugin.digest
                );
            }
            Some(_) => {}
        }
    }
}
