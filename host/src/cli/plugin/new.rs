//! Writes a project to start from: small, complete, and with cases that pass.

use std::path::Path;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::json;

use crate::cli::out::say;
use crate::domain::PluginName;

pub(super) const EXAMPLES: &str = "\
Examples:
  switchyard plugin new my-policy --lang script       nothing to build
  switchyard plugin new my-router --lang rust         needs the target wasm32-wasip2
  switchyard plugin new my-router --lang javascript   needs Node.js and npm
  switchyard plugin new my-router --lang python       needs Python and pip

The README.md in the new folder has the next commands.";

const WIT: &str = include_str!("../../../../wit/v0.2/policy.wit");
const POLICY: &str = include_str!("templates/policy.toml");
const COMMANDS: &str = include_str!("templates/commands.md");
const IN_FORCE_PLUGIN: &str = include_str!("templates/put-in-force-plugin.md");
const IN_FORCE_SCRIPT: &str = include_str!("templates/put-in-force-script.md");
const CASES: [(&str, &str); 2] = [
    ("cases/team-with-a-queue.json", include_str!("templates/team-with-a-queue.json")),
    ("cases/team-without-a-queue.json", include_str!("templates/team-without-a-queue.json")),
];

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Language {
    /// Rust, compiled for wasm32-wasip2 with wit-bindgen.
    Rust,
    /// JavaScript, packed with componentize-js.
    Javascript,
    /// Python, packed with componentize-py.
    Python,
    /// A Rhai script for the built-in plugin.
    Script,
}

impl Language {
    /// Every file by path; `NAME` and `ARTIFACT` in path and text are still to be replaced.
    fn files(self) -> Vec<(&'static str, String)> {
        let mut files: Vec<_> = CASES.map(|(path, text)| (path, text.to_owned())).into();
        let mut add = |path: &'static str, text: &str| files.push((path, text.to_owned()));
        let (readme, in_force, policy) = match self {
            Self::Rust => {
                add("Cargo.toml", include_str!("templates/rust/manifest.toml"));
                add("src/lib.rs", include_str!("templates/rust/lib.rs"));
                add(".gitignore", "target\n");
                (include_str!("templates/rust/README.md"), IN_FORCE_PLUGIN, POLICY)
            }
            Self::Javascript => {
                add("package.json", include_str!("templates/javascript/package.json"));
                add("plugin.js", include_str!("templates/javascript/plugin.js"));
                add(".gitignore", "node_modules\n");
                (include_str!("templates/javascript/README.md"), IN_FORCE_PLUGIN, POLICY)
            }
            Self::Python => {
                add("requirements.txt", include_str!("templates/python/requirements.txt"));
                add("app.py", include_str!("templates/python/app.py"));
                add(".gitignore", ".venv\n__pycache__\n");
                (include_str!("templates/python/README.md"), IN_FORCE_PLUGIN, POLICY)
            }
            Self::Script => {
                add("NAME.rhai", include_str!("templates/script/script.rhai"));
                (
                    include_str!("templates/script/README.md"),
                    IN_FORCE_SCRIPT,
                    include_str!("templates/script/policy.toml"),
                )
            }
        };
        add("NAME.toml", policy);
        add("README.md", &[readme, COMMANDS, in_force].concat());
        if !matches!(self, Self::Script) {
            add("wit/policy.wit", WIT);
        }
        files
    }
}

pub(super) fn run(name: &PluginName, language: Language, as_json: bool) -> anyhow::Result<()> {
    let name = name.as_str();
    // What every language takes as the name of a package.
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !fits {
        bail!("`{name}` cannot be the name of a project: a letter, then letters, digits and -, in lower case");
    }
    let folder = Path::new(name);
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("there is something at {name} already; nothing was written");
        }
        made => made.with_context(|| name.to_owned())?,
    }
    let mut written = Vec::new();
    for (path, text) in language.files() {
        let path = folder.join(path.replace("NAME", name));
        let text = text.replace("ARTIFACT", &name.replace('-', "_")).replace("NAME", name);
        let write = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&path, text)
        };
        write().with_context(|| path.display().to_string())?;
        written.push(path);
    }
    if as_json {
        say!("{}", json!({ "folder": folder, "files": written }));
        return Ok(());
    }
    written.iter().for_each(|path| say!("{}", path.display()));
    say!("\nNext: cd {name}, and the commands in README.md");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Subject;
    use super::super::workbench::{Workbench, patient};
    use super::*;
    use crate::domain::Question;
    use crate::policy::DEFAULT_POLICY;
    use crate::policy::case::Case;

    #[tokio::test]
    async fn a_script_to_start_from_answers_for_routes_and_leaves_contacts_and_errors_to_the_default_policy() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("cases")).unwrap();
        for (path, text) in Language::Script.files() {
            std::fs::write(folder.path().join(path), text).unwrap();
        }
        let subject = Subject { file: folder.path().join("NAME.toml"), settings: None, plugins: None };
        let all = [Question::Route, Question::Search, Question::Choose, Question::Judge];
        let bench = Workbench::set_up(&subject, patient(), &all).await.unwrap();
        bench.configure(&Case::read(CASES[0].1).unwrap()).await.unwrap();
        let by = all.map(|question| bench.answered_by(question).unwrap().policy.name.to_string());
        assert_eq!(by, ["NAME", DEFAULT_POLICY, DEFAULT_POLICY, DEFAULT_POLICY]);
    }
}
