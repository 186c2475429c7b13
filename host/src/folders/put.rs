//! Several files of a policy that come into the folder together or not at all, also when the power is cut in between.
//!
//! They are written into a folder of their own first, `.switchyard-draft-...`. Renaming that to `.NAME.put` is the moment from
//! which they are the policy's files; what then is left to be moved to its place is moved at the next look.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::policy_files::{Texts, policy_file};
use crate::disk::{replace, sync_names};
use crate::domain::PolicyName;
use crate::policy::is_script_file;

const PUT: &str = ".put";
/// What the names of folders begin with that hold a draft: what a power cut left behind under such a name is nobody's.
const DRAFT: &str = ".switchyard-draft-";

/// Texts that are written, and whose files are in their places only after [`put`](Self::put). Dropped, they are gone.
pub(crate) struct Draft {
    folder: PathBuf,
    name: PolicyName,
    written: TempDir,
}

impl Draft {
    /// Writes texts: for a blocking thread. What needs room on the disk is done afterwards.
    ///
    /// # Errors
    /// When they cannot be written, or will not get to their places.
    pub(crate) fn write(folder: &Path, name: &PolicyName, texts: &Texts) -> io::Result<Self> {
        let toml = (policy_file(name), &texts.toml);
        let files: Vec<_> = texts.scripts.iter().map(|(file, text)| (file.clone(), text)).chain([toml]).collect();
        for (file, _) in &files {
            if std::fs::symlink_metadata(folder.join(file)).is_ok_and(|about| about.is_dir()) {
                return Err(io::Error::other(format!("{file} is a folder")));
            }
        }
        // What another call has put has to be in its place before.
        let put = folder.join(put_folder(name));
        if put.is_dir() {
            move_out(folder, &put)?;
        }
        let written = tempfile::Builder::new().prefix(DRAFT).tempdir_in(folder)?;
        for (file, text) in files {
            replace(written.path(), &file, text.as_bytes())?;
            // Who could read the one before can read this one.
            if let Ok(before) = std::fs::symlink_metadata(folder.join(&file))
                && before.is_file()
            {
                std::fs::set_permissions(written.path().join(&file), before.permissions())?;
            }
        }
        sync_names(written.path())?;
        Ok(Self { folder: folder.to_owned(), name: name.clone(), written })
    }

    /// Puts the files in their places: for a blocking thread.
    ///
    /// # Errors
    /// When that fails; where it failed half way, it is finished at the next look.
    pub(crate) fn put(self) -> io::Result<()> {
        let put = self.folder.join(put_folder(&self.name));
        std::fs::rename(self.written.path(), &put)?;
        // It is not there any more under its own name.
        drop(self.written.keep());
        sync_names(&self.folder)?;
        move_out(&self.folder, &put)
    }
}

/// Finishes what was put and is not in its place: for a blocking thread. Answers the policies for which that failed, and why.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn finish(folder: &Path) -> io::Result<Vec<(PolicyName, String)>> {
    let mut unfinished = Vec::new();
    for name in names(folder)? {
        let put = name.strip_suffix(PUT).and_then(|name| name.strip_prefix('.'));
        let Some(policy) = put.and_then(|name| PolicyName::new(name).ok()) else { continue };
        let put = folder.join(&name);
        if std::fs::symlink_metadata(&put).is_ok_and(|about| about.is_dir())
            && let Err(error) = move_out(folder, &put)
        {
            unfinished.push((policy, format!("{name}: {error}")));
        }
    }
    Ok(unfinished)
}

/// Removes what was put of a policy and is not in its place yet.
pub(crate) fn forget(folder: &Path, name: &PolicyName) -> io::Result<()> {
    match std::fs::remove_dir_all(folder.join(put_folder(name))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes drafts that a power cut left behind: at a start, while nobody writes any.
pub(crate) fn sweep(folder: &Path) -> io::Result<()> {
    for name in names(folder)?.into_iter().filter(|name| name.starts_with(DRAFT)) {
        std::fs::remove_dir_all(folder.join(name))?;
    }
    Ok(())
}

/// The hidden names of a folder; none where it is not there.
fn names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok().filter(|name| name.starts_with('.')));
    }
    Ok(names)
}

fn put_folder(name: &PolicyName) -> String {
    format!(".{name}{PUT}")
}

/// Moves files to their places, the policy's own last, and removes the folder that they were in.
fn move_out(folder: &Path, put: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(put)? {
        let name = entry?.file_name();
        let known = name.to_str().filter(|name| is_script_file(name) || name.ends_with(".toml"));
        let Some(known) = known else { return Err(io::Error::other(format!("{} is unknown", name.display()))) };
        files.push(known.to_owned());
    }
    files.sort_by_key(|file| file.ends_with(".toml"));
    for file in files {
        std::fs::rename(put.join(&file), folder.join(&file))
            .map_err(|error| io::Error::new(error.kind(), format!("{file} cannot be put in its place: {error}")))?;
    }
    sync_names(folder)?;
    std::fs::remove_dir(put)?;
    sync_names(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(word: &str) -> Texts {
        Texts { toml: word.into(), scripts: [("a.rhai".to_owned(), word.to_owned())].into() }
    }

    fn left(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let text = |path: PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap_or_else(|_| "a folder".into()))
        };
        files.into_iter().map(text).collect()
    }

    fn both(word: &str) -> Vec<(String, String)> {
        ["a.rhai", "a.toml"].map(|file| (file.to_owned(), word.to_owned())).to_vec()
    }

    #[test]
    fn a_draft_that_is_not_put_leaves_nothing_and_one_that_is_replaces_all_files() {
        let folder = tempfile::tempdir().unwrap();
        let name = PolicyName::new("a").unwrap();
        drop(Draft::write(folder.path(), &name, &texts("dropped")).unwrap());
        assert_eq!(left(folder.path()), []);
        for word in ["one", "two"] {
            Draft::write(folder.path(), &name, &texts(word)).unwrap().put().unwrap();
            assert_eq!(left(folder.path()), both(word));
        }
        std::fs::create_dir(folder.path().join("b.toml")).unwrap();
        let other = PolicyName::new("b").unwrap();
        assert!(Draft::write(folder.path(), &other, &texts("three")).is_err());
        assert_eq!(std::fs::read_to_string(folder.path().join("a.rhai")).unwrap(), "two");
    }

    #[test]
    fn a_put_that_was_broken_off_anywhere_is_finished_or_was_never_there() {
        // The moments between its steps: while it is written, when it is whole, and after each file that is moved.
        for moved in 0..=2 {
            let folder = tempfile::tempdir().unwrap();
            let name = PolicyName::new("a").unwrap();
            Draft::write(folder.path(), &name, &texts("before")).unwrap().put().unwrap();
            let Draft { written, .. } = Draft::write(folder.path(), &name, &texts("after")).unwrap();
            let put = folder.path().join(".a.put");
            std::fs::rename(written.keep(), &put).unwrap();
            for file in ["a.rhai", "a.toml"].into_iter().take(moved) {
                std::fs::rename(put.join(file), folder.path().join(file)).unwrap();
            }
            assert_eq!(finish(folder.path()).unwrap(), []);
            assert_eq!(left(folder.path()), both("after"), "{moved} moved");
            let half = Draft::write(folder.path(), &name, &texts("never put")).unwrap();
            drop(half.written.keep());
            sweep(folder.path()).unwrap();
            assert_eq!(left(folder.path()), both("after"));
        }
    }

    #[test]
    fn what_cannot_be_finished_is_told_and_keeps_no_other_from_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            let put = folder.path().join(format!(".{name}.put"));
            std::fs::create_dir(&put).unwrap();
            std::fs::write(put.join(format!("{name}.toml")), "put").unwrap();
        }
        std::fs::create_dir_all(folder.path().join("a.toml").join("full")).unwrap();
        let unfinished = finish(folder.path()).unwrap();
        assert_eq!(unfinished.len(), 1);
        assert!(unfinished[0].0.as_str() == "a" && unfinished[0].1.contains("a.toml cannot be put"), "{unfinished:?}");
        assert_eq!(std::fs::read_to_string(folder.path().join("b.toml")).unwrap(), "put");
        assert_eq!(finish(&folder.path().join("nowhere")).unwrap(), []);
    }
}
