//! The files of a policy: NAME.toml and the scripts that it names, read together, deleted together.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::listing::list;
use super::text::read_text;
use crate::disk::sync_names;
use crate::domain::PolicyName;
use crate::policy::{PolicyProblem, scripts_named};

/// How often texts that change while they are read are read anew.
const READINGS: usize = 5;

/// A policy's texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Texts {
    /// The text of NAME.toml.
    pub(crate) toml: String,
    /// Scripts by file name.
    pub(crate) scripts: BTreeMap<String, String>,
}

/// What is read of a policy: no texts where it has no file, and otherwise what is wrong with its files.
pub(crate) type Reading = Result<Option<Texts>, Vec<PolicyProblem>>;

/// The digest of what was read of a policy.
pub(crate) type Digest = [u8; 32];

/// The digest of whatever was read, with the length of each part, so that no two readings have the same.
pub(crate) fn digest(read: &Reading) -> Digest {
    let mut digest = Sha256::new();
    let mut add = |part: &str| {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    };
    match read {
        Ok(texts) => {
            for Texts { toml, scripts } in texts.iter() {
                add(toml);
                scripts.iter().flat_map(|(file, text)| [file, text]).for_each(|part| add(part));
            }
        }
        Err(problems) => problems.iter().for_each(|problem| add(&format!("problem {problem}"))),
    }
    digest.finalize().into()
}

/// Those policies of which something else is read by now than had the digest beside them: for a blocking thread.
pub(crate) fn others(folder: &Path, known: Vec<(PolicyName, Option<Digest>)>, most_bytes: usize) -> Vec<PolicyName> {
    let other =
        |(name, known): &(PolicyName, Option<Digest>)| *known != Some(digest(&read_once(folder, name, most_bytes)));
    known.into_iter().filter(other).map(|(name, _)| name).collect()
}

/// Reads a policy with the scripts that it names, as they stood at one moment: for a blocking thread. A script that is not
/// there is left out.
pub(crate) fn read(folder: &Path, name: &PolicyName, most_bytes: usize) -> Reading {
    let mut last = read_once(folder, name, most_bytes);
    for _ in 1..READINGS {
        // Half of what was read may be of a moment ago.
        let again = read_once(folder, name, most_bytes);
        if again == last {
            break;
        }
        last = again;
    }
    last
}

fn read_once(folder: &Path, name: &PolicyName, most_bytes: usize) -> Reading {
    let toml = read_text(folder, &policy_file(name), most_bytes).map_err(|problem| vec![problem])?;
    let Some(toml) = toml else { return Ok(None) };
    let scripts = scripts_beside(folder, &toml, most_bytes)?;
    Ok(Some(Texts { toml, scripts }))
}

/// The scripts that a policy's text names, from the folder that it lies in. One that is not there is left out.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn scripts_beside(
    folder: &Path,
    toml: &str,
    most_bytes: usize,
) -> Result<BTreeMap<String, String>, Vec<PolicyProblem>> {
    let (mut scripts, mut problems) = (BTreeMap::new(), Vec::new());
    for file in scripts_named(toml) {
        match read_text(folder, &file, most_bytes) {
            Ok(Some(text)) => drop(scripts.insert(file, text)),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(scripts) } else { Err(problems) }
}

/// The scripts that other policies of the folder name, with the policy that does. One that cannot be read names none.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn in_others(
    folder: &Path,
    name: &PolicyName,
    most_bytes: usize,
) -> io::Result<BTreeMap<String, PolicyName>> {
    let others = list::<PolicyName>(folder, "toml")?.map(|listing| listing.files).unwrap_or_default();
    let mut named = BTreeMap::new();
    for other in others.into_keys().filter(|other| other != name) {
        let toml = read_text(folder, &policy_file(&other), most_bytes).ok().flatten().unwrap_or_default();
        named.extend(scripts_named(&toml).into_iter().map(|script| (script, other.clone())));
    }
    Ok(named)
}

/// Deletes the files of a policy, but no script that another one names; `false` when it has no file.
///
/// # Errors
/// When a file cannot be deleted. NAME.toml goes first: without it the others are no policy.
pub(crate) fn delete(folder: &Path, name: &PolicyName, most_bytes: usize) -> io::Result<bool> {
    let toml = match read_text(folder, &policy_file(name), most_bytes) {
        Ok(None) => return Ok(false),
        Ok(Some(toml)) => toml,
        Err(_) => String::new(),
    };
    let others = in_others(folder, name, most_bytes)?;
    std::fs::remove_file(folder.join(policy_file(name)))?;
    sync_names(folder)?;
    for script in scripts_named(&toml).into_iter().filter(|script| !others.contains_key(script)) {
        match std::fs::remove_file(folder.join(script)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync_names(folder)?;
    Ok(true)
}

pub(super) fn policy_file(name: &PolicyName) -> String {
    format!("{name}.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> PolicyName {
        PolicyName::new(name).unwrap()
    }

    #[test]
    fn a_policy_is_read_with_the_scripts_that_it_names_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let toml = "plugin = 'script'\nscript = 'ba.rhai'\n[errors]\nplugin = 'script'\nscript = 'errors.rhai'\n";
        for (file, text) in [("shop.toml", toml), ("a.rhai", "a"), ("ba.rhai", "ba"), ("errors.rhai", "errors")] {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let texts = read(folder.path(), &name("shop"), 1_000).unwrap().unwrap();
        assert_eq!(texts.scripts.keys().collect::<Vec<_>>(), ["ba.rhai", "errors.rhai"]);
        assert_eq!(read(folder.path(), &name("none"), 1_000), Ok(None));
        std::fs::write(folder.path().join("ba.rhai"), [0xff]).unwrap();
        std::fs::remove_file(folder.path().join("errors.rhai")).unwrap();
        std::fs::create_dir(folder.path().join("errors.rhai")).unwrap();
        let problems = read(folder.path(), &name("shop"), 1_000).unwrap_err();
        let told: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(told, ["ba.rhai", "errors.rhai"], "each of them, and none as if it were not there");
        assert!(read(folder.path(), &name("shop"), 10).unwrap_err()[0].message.contains("10 are allowed"));
    }

    #[test]
    fn what_is_deleted_with_a_policy_is_named_by_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let toml = |script: &str| {
            format!("plugin = 'script'\nscript = 'shared.rhai'\n[errors]\nplugin = 'script'\nscript = '{script}'\n")
        };
        for (file, text) in [("a.toml", toml("a.rhai")), ("b.toml", toml("b.rhai"))] {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        for file in ["shared.rhai", "a.rhai", "b.rhai"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        assert!(delete(folder.path(), &name("a"), 1_000).unwrap());
        assert!(!delete(folder.path(), &name("a"), 1_000).unwrap());
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["b.rhai", "b.toml", "shared.rhai"]);
    }
}
