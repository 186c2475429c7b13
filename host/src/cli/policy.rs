//! For those who run policies: previews, swaps and revisions of a host that runs, and repro bundles offline.

mod preview;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::plugin::workbench::{self, patient, plugins_of, read};
use super::plugin::{compared, print_difference};
use super::remote::{Remote, known, list as list_of, texts};
use super::table::{Table, fitted, plain};
use crate::cli::out::{say, tell};
use crate::domain::PolicyName;
use crate::domain::{Origin, PolicySource};
use crate::http::api::{Faults, PolicyStatus, Revision};
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
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// A policy of a host.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Its name.
    name: PolicyName,
    /// Print what the host answers, as JSON.
    #[arg(long)]
    json: bool,
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
    /// Let a policy answer beside the one in force, to be compared; prints how that stands as JSON, which `show` does later on.
    Shadow(Given),
    /// End the shadow of a policy.
    EndShadow(Named),
    /// List the policies: which revision of each is in force, how often it was asked, and how often it failed.
    List {
        /// Print one JSON object for each line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show how a policy stands, as JSON.
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
    /// List teams, channels and tags that were seen lately and that a policy refuses to route, as JSON.
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
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Replay { bundle, plugins, json } => replay(&bundle, plugins.as_deref(), json).await,
        Command::Preview(given) => preview::run(&given).await,
        Command::List { json, remote } => list(json, &remote).await,
        Command::Put(given) => in_force(&given.send(Method::PUT, "").await?, given.json),
        Command::Shadow(given) => print(&given.send(Method::PUT, "/shadow").await?["shadow"]),
        Command::EndShadow(named) => {
            named.ask(Method::DELETE, "/shadow").await?;
            named.done("has no shadow any more")
        }
        Command::Show(named) => print(&named.ask(Method::GET, "").await?),
        Command::Revisions(named) => revisions(&named.ask(Method::GET, "/revisions").await?, named.json),
        Command::Restore { policy, revision } => {
            let status = policy.ask(Method::POST, &format!("/revisions/{revision}/restore")).await?;
            in_force(&status, policy.json)
        }
        Command::Delete(named) => {
            named.ask(Method::DELETE, "").await?;
            named.done("is deleted")
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

    /// Says what was done, where the host had nothing to answer.
    fn done(&self, words: &str) -> anyhow::Result<()> {
        match self.json {
            true => print(&json!({ "name": self.name }))?,
            false => say!("{} {words}", self.name),
        }
        Ok(())
    }
}

fn print(answer: &Value) -> anyhow::Result<()> {
    say!("{}", serde_json::to_string_pretty(answer)?);
    Ok(())
}

async fn list(as_json: bool, remote: &Remote) -> anyhow::Result<()> {
    let answer = remote.call(Method::GET, "/v1/policies", None).await?;
    let mut table = Table::new(&["policy", "revision", "since", "decisions", "faults", "shadow", "refused at"]);
    for policy in list_of(&answer, "policies") {
        match as_json {
            true => say!("{policy}"),
            false => table.row(row(known(policy)?)),
        }
    }
    table.print();
    Ok(())
}

fn row(PolicyStatus { name, in_force, last_rejection, shadow, decisions, faults }: PolicyStatus) -> [String; 7] {
    let Faults { trapped, too_slow, too_large, refused, senseless } = faults;
    let faults = trapped + too_slow + too_large + refused + senseless;
    let (revision, since) = in_force.map(|it| (it.revision.to_string(), it.applied_at.to_string())).unwrap_or_default();
    let shadow = shadow.map(|shadow| shadow.revision.to_string()).unwrap_or_default();
    let rejected = last_rejection.map(|rejection| rejection.at.to_string()).unwrap_or_default();
    [name.to_string(), revision, since, decisions.to_string(), faults.to_string(), shadow, rejected]
}

/// Says which revision decides from now on.
fn in_force(answer: &Value, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return print(answer);
    }
    let PolicyStatus { name, in_force, .. } = known(answer)?;
    let in_force = in_force.with_context(|| format!("{name} is not in force"))?;
    say!("{name} is in force as revision {}", in_force.revision);
    Ok(())
}

fn revisions(answer: &Value, as_json: bool) -> anyhow::Result<()> {
    for answer in list_of(answer, "revisions") {
        if as_json {
            say!("{answer}");
            continue;
        }
        let Revision { number, state, reason, changed_at, .. } = known(answer)?;
        fitted(&format!("{number:>6}  {:<12}{changed_at}  {}", state.as_str(), plain(&reason.unwrap_or_default())));
    }
    Ok(())
}

async fn replay(path: &Path, plugins: Option<&Path>, as_json: bool) -> anyhow::Result<()> {
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
    let is_same = CaseAnswer::of(&trial.decision.answer) == *expected;
    if as_json {
        say!("{}", compared(expected, &trial));
    } else if is_same {
        say!("the same answer: {expected}");
    } else {
        say!("another answer to `{}`:", case.question);
        print_difference(expected, &trial);
    }
    if is_same {
        return Ok(());
    }
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
