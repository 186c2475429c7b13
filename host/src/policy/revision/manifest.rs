//! NAME.toml: which plugin answers which questions, with which settings and script.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::contact_fields::contact_fields;
use super::rejection::PolicyProblem;
use crate::domain::{BrakeSettings, FieldPath, PluginName, PolicyName, PolicySource};
use crate::policy::component::Part;
use crate::policy::runtime::{Assignment, Isolation};

/// A policy as it is written down: at most one assignment for each part.
#[derive(Debug)]
pub(super) struct Manifest {
    /// By the table that they stand in: `""` for the policy itself, then the parts that it leaves to others.
    general: Option<Assignment>,
    special: [Option<Assignment>; 3],
    /// What `choose` is told of each contact that was found, beside what everybody is told.
    contact_fields: Arc<[FieldPath]>,
    /// How much the policy may ignore by itself.
    pub(super) ignore: BrakeSettings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    isolation: Isolation,
    plugin: Option<Spanned<String>>,
    digest: Option<Spanned<String>>,
    script: Option<Spanned<String>>,
    #[serde(default)]
    settings: toml::Table,
    routing: Option<Table>,
    contacts: Option<Contacts>,
    errors: Option<Table>,
    #[serde(default)]
    ignore: BrakeSettings,
}

/// A part that another plugin answers; nothing of the policy's own assignment is passed on to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    plugin: Spanned<String>,
    digest: Option<Spanned<String>>,
    script: Option<Spanned<String>>,
    #[serde(default)]
    settings: toml::Table,
}

/// The part that finds out who a customer is: it may name fields and leave the plugin to the policy's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contacts {
    plugin: Option<Spanned<String>>,
    digest: Option<Spanned<String>>,
    script: Option<Spanned<String>>,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    fields: Vec<Spanned<String>>,
}

/// The tables of a policy's file that can name a plugin and a script, beside the file itself.
const TABLES: [&str; 3] = ["routing", "contacts", "errors"];

/// The scripts that a policy's text names: plain names of files, whatever else it may say; none where it cannot be read.
#[must_use]
pub fn scripts_named(toml: &str) -> BTreeSet<String> {
    let Ok(policy) = toml.parse::<toml::Table>() else { return BTreeSet::new() };
    let tables = TABLES.iter().filter_map(|table| policy.get(*table)?.as_table());
    let named = tables.chain([&policy]).filter_map(|table| table.get("script")?.as_str());
    named.filter(|file| is_script_file(file)).map(str::to_owned).collect()
}

/// Whether this can be the name of a script: a file of the policy's own folder that ends in `.rhai`.
#[must_use]
pub fn is_script_file(name: &str) -> bool {
    name.strip_suffix(".rhai").is_some_and(|stem| PolicyName::new(stem).is_ok())
}

impl Manifest {
    /// Reads a policy's file.
    pub(super) fn read(name: &PolicyName, source: &PolicySource) -> Result<Self, Vec<PolicyProblem>> {
        let mut reader = Reader { path: format!("{name}.toml"), source, isolation: Isolation::default() };
        let file: File = toml::from_str(&source.toml).map_err(|error| {
            vec![match error.span() {
                Some(span) => PolicyProblem::at(&reader.path, &source.toml, span.start, error.message()),
                None => PolicyProblem::of(&reader.path, error.message()),
            }]
        })?;
        reader.isolation = file.isolation;
        let ignore = file.ignore;
        let general = match file.plugin {
            Some(plugin) => {
                let File { digest, script, settings, .. } = file;
                Some(reader.assignment(Table { plugin, digest, script, settings })?)
            }
            None if file.script.is_some() || file.digest.is_some() || !file.settings.is_empty() => {
                return Err(vec![PolicyProblem::of(&reader.path, "`digest`, `script` and `settings` need a `plugin`")]);
            }
            None => None,
        };
        let named = file.contacts.as_ref().map_or(&[][..], |contacts| &contacts.fields);
        let contact_fields = contact_fields(named, &reader.path, &source.toml)?;
        let contacts = file.contacts.map(|table| reader.contacts(table, general.is_some())).transpose()?.flatten();
        let special = |table: Option<Table>| table.map(|table| reader.assignment(table)).transpose();
        let special = [special(file.routing)?, special(contacts)?, special(file.errors)?];
        let manifest = Self { general, special, contact_fields, ignore };
        if manifest.general.is_none() && manifest.special.iter().all(Option::is_none) {
            return Err(vec![PolicyProblem::of(&reader.path, "no `plugin` is named")]);
        }
        Ok(manifest)
    }

    /// Who is to answer a part; `true` where the part has a table of its own, so that its plugin must know the answer.
    pub(super) fn assignment(&self, part: Part) -> Option<(&Assignment, bool)> {
        let special = self.special[part as usize].as_ref();
        let must = part == Part::Contacts && !self.contact_fields.is_empty();
        special.map(|it| (it, true)).or(self.general.as_ref().map(|it| (it, must)))
    }

    /// What `choose` is told of each contact that was found, beside what everybody is told.
    pub(super) fn contact_fields(&self) -> &Arc<[FieldPath]> {
        &self.contact_fields
    }

    /// Every assignment, the policy's own first.
    pub(super) fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.general.iter().chain(self.special.iter().flatten())
    }
}

struct Reader<'a> {
    path: String,
    source: &'a PolicySource,
    isolation: Isolation,
}

impl Reader<'_> {
    /// Who answers for contacts, where that is not the policy's own plugin.
    fn contacts(&self, table: Contacts, has_own: bool) -> Result<Option<Table>, Vec<PolicyProblem>> {
        let Contacts { plugin, digest, script, settings, fields } = table;
        match plugin {
            Some(plugin) => Ok(Some(Table { plugin, digest, script, settings })),
            None if fields.is_empty() || script.is_some() || digest.is_some() || !settings.is_empty() => {
                Err(vec![PolicyProblem::of(&self.path, "[contacts] names no `plugin`, and not `fields` alone")])
            }
            None if !has_own => {
                let message = "the `fields` of [contacts] need a `plugin`, there or at the top of the file: the default \
                               policy looks at no further ones";
                Err(vec![PolicyProblem::at(&self.path, &self.source.toml, fields[0].span().start, message)])
            }
            None => Ok(None),
        }
    }

    fn assignment(&self, table: Table) -> Result<Assignment, Vec<PolicyProblem>> {
        let wrong = |at: usize, message: String| vec![PolicyProblem::at(&self.path, &self.source.toml, at, message)];
        let plugin = PluginName::new(table.plugin.get_ref())
            .map_err(|error| wrong(table.plugin.span().start, error.to_string()))?;
        let mut configuration = Map::new();
        let settings = settings(table.settings).map_err(|message| vec![PolicyProblem::of(&self.path, message)])?;
        configuration.insert("settings".into(), settings);
        let script = match table.script {
            Some(script) => {
                let at = script.span().start;
                let script = script.into_inner();
                let Some(text) = self.source.scripts.get(&script) else {
                    return Err(wrong(at, format!("there is no script `{script}`")));
                };
                configuration.insert("script".into(), json!(text));
                configuration.insert("script-file".into(), json!(script));
                Some(script)
            }
            None => None,
        };
        let digest = match table.digest {
            Some(digest) => Some(hexadecimal(digest.get_ref()).ok_or_else(|| {
                wrong(digest.span().start, "a digest is `sha256:` and 64 hexadecimal digits".to_owned())
            })?),
            None => None,
        };
        let configuration = Value::Object(configuration).to_string();
        Ok(Assignment { plugin, digest, script, configuration, isolation: self.isolation })
    }
}

fn hexadecimal(digest: &str) -> Option<String> {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest).to_ascii_lowercase();
    (digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(digits)
}

fn settings(table: toml::Table) -> Result<Value, String> {
    let entry = |(key, value): (String, toml::Value)| match value_of(value) {
        Ok(value) => Ok((key, value)),
        Err(message) => Err(format!("settings: {key}: {message}")),
    };
    table.into_iter().map(entry).collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

/// By hand, since a date would become an object of the TOML crate's own.
fn value_of(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => match serde_json::Number::from_f64(number) {
            Some(number) => number.into(),
            None => return Err(format!("{number} is not a number that a plugin can be told")),
        },
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(value_of).collect::<Result<Vec<_>, _>>()?.into(),
        toml::Value::Table(table) => settings(table)?,
    })
}

#[cfg(test)]
mod tests;
