//! For those who run policies: previews, swaps and revisions of a host that runs, and repro bundles offline.

mod preview;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use super::plugin::print_difference;
use super::plugin::workbench::{self, patient, plugins_of, read};
use super::remote::{Remote, texts};
use crate::cli::out::{say, tell};
use crate::domain::PolicyName;
use crate::domain::{Origin, PolicySource};
use crate::policy::PolicyHost;
use crate::policy::case::{Bundled, Case, CaseAnswer};

/// What a policy in a bundle is called that does not tell its name.
const NAMELESS: &str = "replay";

/// A policy's file, and the name it has in the host.
#[derive(Debug, Args)]
pub(super) struct Given {
    /// NAME.toml; the scripts that it names lie beside it.
    file: PathBuf,
    /// The policy's name in the host; the file's where not given.
    #[arg(long)]
    name: Option<PolicyName>,
    #[command(flatten)]
    remote: Remote,
}

/// A policy of a host.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Its name.
    name: PolicyName,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what would change if a policy were in force: over all sync errors that are open, and over good conversations.
    #[command(after_help = "\
It goes over all of them, says by cause how many would pass, and prints one JSON object. Ctrl-C ends it with what was found by
then; the object says `\"complete\": false`.")]
    Preview(Given),
    /// Put a policy in force from the next decision on.
    Put(Given),
    /// Let a policy answer beside the one in force, to be compared; `show` tells how it compares.
    Shadow(Given),
    /// End the shadow of a policy.
    EndShadow(Named),
    /// Show how a policy stands.
    Show(Named),
    /// List the revisions of a policy, newest first.
    Revisions(Named),
    /// Put an earlier revision in force again.
    Restore {
        #[command(flatten)]
        policy: Named,
        /// The revision's number.
        #[arg(long)]
        revision: u32,
    },
    /// Delete a policy that no organization uses, with its files; its revisions are kept, so that `restore` brings it back.
    Delete(Named),
    /// List teams, channels and tags that were seen lately and that a policy refuses to route.
    Coverage(Named),
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
        Command::Preview(given) => preview::run(&given).await,
        Command::Put(given) => {
            let status = given.send(Method::PUT, "").await?;
            say!("{} is in force as revision {}", text(&status["name"]), status["in_force"]["revision"]);
            Ok(())
        }
        Command::Shadow(given) => print(&given.send(Method::PUT, "/shadow").await?["shadow"]),
        Command::EndShadow(named) => named.ask(Method::DELETE, "/shadow").await.map(drop),
        Command::Show(named) => print(&named.ask(Method::GET, "").await?),
        Command::Revisions(named) => {
            for revision in named.ask(Method::GET, "/revisions").await?["revisions"].as_array().into_iter().flatten() {
                let (number, state) = (&revision["number"], text(&revision["state"]));
                say!("{number:>6}  {state:<12}{}  {}", text(&revision["changed_at"]), text(&revision["reason"]));
            }
            Ok(())
        }
        Command::Restore { policy, revision } => {
            let status = policy.ask(Method::POST, &format!("/revisions/{revision}/restore")).await?;
            say!("{} is in force as revision {}", policy.name, status["in_force"]["revision"]);
            Ok(())
        }
        Command::Delete(named) => {
            named.ask(Method::DELETE, "").await?;
            say!("{} is deleted", named.name);
            Ok(())
        }
        Command::Coverage(named) => print(&named.ask(Method::GET, "/coverage").await?),
    }
}

impl Given {
    fn name(&self) -> anyhow::Result<PolicyName> {
        let stem = || PolicyName::new(self.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default());
        self.name.clone().map_or_else(stem, Ok).context("the policy's name")
    }

    async fn send(&self, method: Method, after: &str) -> anyhow::Result<Value> {
        self.remote.call(method, &format!("/v1/policies/{}{after}", self.name()?), Some(texts(&self.file)?)).await
    }
}

impl Named {
    async fn ask(&self, method: Method, after: &str) -> anyhow::Result<Value> {
        self.remote.call(method, &format!("/v1/policies/{}{after}", self.name), None).await
    }
}

fn print(answer: &Value) -> anyhow::Result<()> {
    say!("{}", serde_json::to_string_pretty(answer)?);
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
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
    if CaseAnswer::of(&trial.decision.answer) == *expected {
        say!("the same answer: {expected}");
        return Ok(());
    }
    say!("another answer to `{}`:", case.question);
    print_difference(expected, &trial);
    bail!("{shown}: the answer is not the same");
}

/// Another plugin may answer otherwise, or the same by chance.
fn warn_of_other_plugins(host: &PolicyHost, bundled: &Bundled) {
    let plugins = host.plugins();
    for (name, digest) in &bundled.plugin_digests {
        match plugins.iter().find(|plugin| plugin.name == *name) {
            None => tell!("warning: there is no plugin `{name}`; give its folder with --plugins"),
            Some(plugin) if plugin.digest != *digest => {
                tell!(
                    "warning: the plugin `{name}` is another one: sha256 {}, and in the bundle {digest}",
                    plugin.digest
                );
            }
            Some(_) => {}
        }
    }
}
