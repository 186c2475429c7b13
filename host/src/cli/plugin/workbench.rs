//! A policy host of its own for one plugin, script or policy, so that it can be asked without a server and without a store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use serde_json::{Map, Value};

use super::Subject;
use crate::app::embedded;
use crate::cli::progress::Progress;
use crate::cli::remote::scripts_of;
use crate::domain::{Origin, PluginName, PolicyName, PolicySource, Question, Timestamp};
use crate::policy::case::Case;
use crate::policy::{AnsweredBy, Config, PolicyHost, Trial, compatibility};

/// What is said while that takes longer than a moment.
const COMPILED: &str = "plugins are compiled";
/// The tables of a policy's file that can name a plugin, beside the file itself.
const PARTS: [&str; 3] = ["routing", "contacts", "errors"];

/// A host with the built-in plugins and the default policy, and what is looked at.
pub(in crate::cli) struct Workbench {
    pub(in crate::cli) host: PolicyHost,
    name: PolicyName,
    /// The policy's file, made up where a plugin or a script is looked at alone.
    toml: String,
    scripts: BTreeMap<String, String>,
    origin: Origin,
    /// Those of the command line.
    settings: toml::Table,
}

/// Bounds under which a busy machine fails no decision: for those who ask what is decided, not how fast. Nothing is
/// frozen: the answers are the same, and each new table of settings would have to be compiled.
pub(in crate::cli) fn patient() -> Config {
    Config { deadline_ms: 5_000, configure_deadline_ms: 60_000, freeze: false, ..Config::default() }
}

/// A host with the built-in plugins and the default policy, and those plugins of a folder that are `wanted`.
pub(in crate::cli) async fn host(
    config: Config,
    folder: Option<&Path>,
    wanted: &BTreeSet<String>,
) -> anyhow::Result<PolicyHost> {
    let _shown = Progress::start(COMPILED);
    let host = PolicyHost::start(config)?;
    embedded::add_plugins(&host).await?;
    for name in wanted {
        let Some(path) = folder.map(|folder| folder.join(format!("{name}.wasm"))).filter(|path| path.is_file()) else {
            continue;
        };
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        add(&host, PluginName::new(name)?, &path, bytes).await?;
    }
    embedded::apply_default(&host, Timestamp::default()).await?;
    Ok(host)
}

/// The plugins that a policy's file names; none where it cannot be read, which the policy room tells better.
pub(in crate::cli) fn plugins_of(policy: &str) -> BTreeSet<String> {
    let table: toml::Table = policy.parse().unwrap_or_default();
    let parts = PARTS.iter().filter_map(|part| table.get(*part)?.as_table());
    let named = parts.chain([&table]).filter_map(|table| table.get("plugin")?.as_str());
    named.map(str::to_owned).collect()
}

impl Workbench {
    /// Sets up a host for a plugin (.wasm), a script (.rhai) or a policy (.toml), which is going to be asked this.
    pub(super) async fn set_up(subject: &Subject, config: Config, asked: &[Question]) -> anyhow::Result<Self> {
        let Subject { file, settings, plugins } = subject;
        let _shown = Progress::start(COMPILED);
        let shown = file.display();
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = PolicyName::new(stem).with_context(|| format!("{shown}: the name of the file"))?;
        let settings = settings.as_deref().map(read_settings).transpose()?.unwrap_or_default();
        let beside = plugins.as_deref().or(file.parent());
        let mut scripts = BTreeMap::new();
        let (host, toml) = match file.extension().and_then(|extension| extension.to_str()) {
            Some("wasm") => {
                let bytes = std::fs::read(file).with_context(|| shown.to_string())?;
                let answers = compatibility::check(&bytes).questions;
                // What takes a second to compile is left out where nobody is going to ask it.
                let host = match asked.iter().all(|question| answers.contains(question)) {
                    true => PolicyHost::start(config)?,
                    false => host(config, None, &BTreeSet::new()).await?,
                };
                add(&host, PluginName::new(stem)?, file, bytes).await?;
                (host, format!("plugin = \"{stem}\"\n"))
            }
            Some("rhai") => {
                scripts.insert(format!("{stem}.rhai"), read(file)?);
                (
                    host(config, None, &BTreeSet::new()).await?,
                    format!("plugin = \"script\"\nscript = \"{stem}.rhai\"\n"),
                )
            }
            Some("toml") => {
                let toml = read(file)?;
                scripts = scripts_of(file, &toml)?;
                (host(config, beside, &plugins_of(&toml)).await?, toml)
            }
            _ => bail!("{shown}: a component (.wasm), a script (.rhai) or a policy (.toml) is needed"),
        };
        let origin = Origin::File { path: file.display().to_string() };
        Ok(Self { host, name, toml, scripts, origin, settings })
    }

    /// Puts the policy in force with the settings of the command line and, before them, of a case. The same ones once
    /// more cost nothing.
    pub(super) async fn configure(&self, case: &Case) -> anyhow::Result<()> {
        let mut settings = self.settings.clone();
        settings.extend(to_toml(&case.settings).context("settings of the case")?);
        let toml = with_settings(&self.toml, case.question, settings)?;
        let (origin, scripts) = (self.origin.clone(), self.scripts.clone());
        let source = PolicySource { toml, scripts, origin, at: case.now() };
        let applied = self.host.apply(self.name.clone(), source).await;
        applied.map(drop).map_err(|rejection| anyhow!("it is not accepted:\n{rejection}"))
    }

    /// The same, and waits until decisions begin from a frozen copy, as they soon would in a host.
    pub(super) async fn configure_and_freeze(&self, case: &Case) -> anyhow::Result<()> {
        let _shown = Progress::start(COMPILED);
        self.configure(case).await?;
        self.host.settled(&self.name).await;
        Ok(())
    }

    /// Asks what a case asks.
    pub(super) async fn ask(&self, case: &Case) -> Trial {
        self.host.try_case(&self.name, case).await
    }

    /// Who answers a question, as it is configured now.
    pub(super) fn answered_by(&self, question: Question) -> Option<AnsweredBy> {
        let status = self.host.policies().into_iter().find(|status| status.name == self.name)?;
        status.in_force?.answered_by.into_iter().find(|by| by.question == question)
    }
}

/// Reads a conversation or a case, and asks it another question where one is given.
pub(super) fn read_input(path: &Path, question: Option<Question>) -> anyhow::Result<Case> {
    let mut case = Case::read_input(&read(path)?).with_context(|| path.display().to_string())?;
    if let Some(question) = question
        && question != case.question
    {
        // What was expected was the answer to the other one.
        case = Case { question, expected: None, ..case };
        case.check().with_context(|| path.display().to_string())?;
    }
    Ok(case)
}

pub(in crate::cli) fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

async fn add(host: &PolicyHost, name: PluginName, path: &Path, bytes: Vec<u8>) -> anyhow::Result<()> {
    let shown = path.display().to_string();
    let added = host.add_plugin(name, bytes, Origin::File { path: shown.clone() }).await;
    added.map(drop).with_context(|| format!("`switchyard plugin check {shown}` tells more"))
}

fn read_settings(path: &Path) -> anyhow::Result<toml::Table> {
    let text = read(path)?;
    let table = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).map_err(anyhow::Error::from).and_then(|map| to_toml(&map)),
        _ => text.parse().map_err(anyhow::Error::from),
    };
    table.with_context(|| path.display().to_string())
}

pub(super) fn to_toml(settings: &Map<String, Value>) -> anyhow::Result<toml::Table> {
    let table = toml::Table::try_from(settings).context("they cannot be written as TOML, which knows no `null`")?;
    // What the crate writes a date as inside of itself would be read back as one.
    let again = toml::to_string(&table)?.parse::<toml::Table>().ok();
    anyhow::ensure!(again.as_ref() == Some(&table), "they cannot be written as TOML: a key in them is kept for dates");
    Ok(table)
}

/// The file of a policy with other settings where it answers a question. Without any it stays as it is, so that what
/// is wrong in it is found at its line.
pub(super) fn with_settings(toml: &str, question: Question, settings: toml::Table) -> anyhow::Result<String> {
    let Ok(mut policy) = toml.parse::<toml::Table>() else { return Ok(toml.to_owned()) };
    if settings.is_empty() {
        return Ok(toml.to_owned());
    }
    let part = match question {
        Question::Route => "routing",
        Question::Search | Question::Choose => "contacts",
        Question::Judge => "errors",
    };
    let table = match policy.contains_key(part) {
        true => {
            policy.get_mut(part).and_then(toml::Value::as_table_mut).with_context(|| format!("`{part}` is no table"))?
        }
        false => &mut policy,
    };
    match table.entry("settings").or_insert_with(|| toml::Table::new().into()) {
        toml::Value::Table(own) => own.extend(settings),
        other => *other = settings.into(),
    }
    Ok(toml::to_string(&policy)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_go_to_the_part_that_answers_and_before_its_own() {
        let policy = "plugin = 'a'\n[settings]\nx = 1\ny = 2\n[contacts]\nplugin = 'b'\n";
        let given: toml::Table = "x = 3".parse().unwrap();
        let of = |question| with_settings(policy, question, given.clone()).unwrap().parse::<toml::Table>().unwrap();
        let route = of(Question::Route);
        assert_eq!((route["settings"]["x"].as_integer(), route["settings"]["y"].as_integer()), (Some(3), Some(2)));
        let search = of(Question::Search);
        assert_eq!(search["contacts"]["settings"]["x"].as_integer(), Some(3));
        assert_eq!(search["settings"]["x"].as_integer(), Some(1));
        assert_eq!(with_settings(policy, Question::Route, toml::Table::new()).unwrap(), policy);
    }

    #[test]
    fn settings_that_toml_would_take_for_a_date_are_refused() {
        let settings = |key: &str| Map::from_iter([("x".to_owned(), serde_json::json!({ key: "2026-01-15" }))]);
        assert!(to_toml(&settings("$__toml_private_datetime")).is_err());
        assert_eq!(to_toml(&settings("date")).unwrap()["x"]["date"].as_str(), Some("2026-01-15"));
    }

    #[test]
    fn every_plugin_that_a_policy_names_is_found() {
        let policy = "plugin = 'a'\n[routing]\nplugin = 'b'\n[errors]\nplugin = 'c'\n";
        assert_eq!(plugins_of(policy).into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(plugins_of("plugin = ").is_empty());
    }
}
