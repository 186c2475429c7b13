//! What lies in a folder: the files whose names are names of policies or plugins, and those whose names are none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// So many files are looked at; a folder of more is not one that people keep policies in.
const MOST_FILES: usize = 20_000;

/// Files of one extension.
#[derive(Debug)]
pub(crate) struct Listing<N> {
    /// By name.
    pub(crate) files: BTreeMap<N, PathBuf>,
    /// Those that no policy or plugin can be called by, with the reason.
    pub(crate) misnamed: BTreeMap<String, String>,
}

/// The files `NAME.extension` of a folder; hidden ones are left out. `None` where there is no such folder.
///
/// # Errors
/// When the folder cannot be read, or has too many files.
pub(crate) fn list<N: FromStr<Err: Display> + Ord>(folder: &Path, extension: &str) -> io::Result<Option<Listing<N>>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        names.insert(entry?.file_name());
        if names.len() > MOST_FILES {
            return Err(io::Error::other(format!("there are more than {MOST_FILES} files")));
        }
    }
    let mut listing = Listing { files: BTreeMap::new(), misnamed: BTreeMap::new() };
    for name in names {
        let shown = name.to_string_lossy();
        let Some(stem) = shown.strip_suffix(extension).and_then(|stem| stem.strip_suffix('.')) else { continue };
        if shown.starts_with('.') {
            continue;
        }
        match stem.parse::<N>() {
            Ok(known) => drop(listing.files.insert(known, folder.join(&name))),
            Err(why) => drop(listing.misnamed.insert(shown.clone().into_owned(), why.to_string())),
        }
    }
    Ok(Some(listing))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::PolicyName;

    #[test]
    fn files_are_listed_by_name_and_those_whose_names_are_none_apart() {
        let folder = tempfile::tempdir().unwrap();
        assert!(list::<PolicyName>(&folder.path().join("nowhere"), "toml").unwrap().is_none());
        for file in ["b.toml", "a.toml", "a.rhai", ".hidden.toml", "a copy.toml", "équipe.toml", "toml", ".toml"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let listing = list::<PolicyName>(folder.path(), "toml").unwrap().unwrap();
        assert_eq!(listing.files.keys().map(PolicyName::as_str).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(listing.misnamed.keys().collect::<Vec<_>>(), ["a copy.toml", "équipe.toml"]);
        assert!(listing.misnamed["a copy.toml"].contains("A-Z a-z 0-9"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_no_text_is_listed_among_those_that_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let name = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9.toml");
        std::fs::write(folder.path().join::<&std::ffi::OsStr>(name), "").unwrap();
        let listing = list::<PolicyName>(folder.path(), "toml").unwrap().unwrap();
        assert_eq!((listing.files.len(), listing.misnamed.len()), (0, 1));
    }

    proptest! {
        #[test]
        fn no_name_of_a_file_keeps_the_others_from_being_listed(name in "[^/\0]{1,40}") {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("known.toml"), "").unwrap();
            let file = format!("{name}.toml");
            std::fs::write(folder.path().join(&file), "").unwrap();
            let listing = list::<PolicyName>(folder.path(), "toml").unwrap().unwrap();
            prop_assert!(listing.files.keys().any(|known| known.as_str() == "known"));
            let known = listing.files.keys().any(|known| *known.as_str() == name);
            prop_assert!(known || file.starts_with('.') || listing.misnamed.contains_key(&file));
        }
    }
}
