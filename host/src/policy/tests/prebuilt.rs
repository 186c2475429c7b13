//! The prebuilt plugins were built from the sources that lie beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins")
}

/// The digests that were kept with a plugin, by path from the plugins' folder.
fn digests(plugin: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(plugins().join(format!("prebuilt/{plugin}.digest"))).unwrap();
    let line = |line: &str| line.split_once("  ").map(|(digest, path)| (path.to_owned(), digest.to_owned())).unwrap();
    text.lines().map(line).collect()
}

/// Every source file in a folder and the folders in it, by path from the plugins' folder.
fn sources(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(plugins().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(sources(&path));
        } else if path.ends_with(".rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_prebuilt_plugin_has_its_digests() {
    let files = std::fs::read_dir(plugins().join("prebuilt")).unwrap().map(|entry| entry.unwrap().path());
    let mut stems: Vec<_> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    stems.sort();
    assert_eq!(stems, ["keyword-router", "keyword-router", "script", "script"]);
}

#[test]
fn no_prebuilt_plugin_is_older_than_what_it_is_built_from() {
    for plugin in ["script", "keyword-router"] {
        for (path, digest) in digests(plugin) {
            let bytes = std::fs::read(plugins().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(hex::encode(Sha256::digest(bytes)), digest, "{plugin}: {path} changed; run plugins/build");
        }
    }
}

#[test]
fn every_source_of_a_prebuilt_plugin_has_its_digest() {
    for plugin in ["script", "keyword-router"] {
        let digests = digests(plugin);
        let built_from = [sources(&format!("{plugin}/src")), sources("words/src")].concat();
        assert!(built_from.len() >= 3, "{built_from:?}");
        let rest = ["../wit/v0.1/policy.wit", "Cargo.lock"].map(str::to_owned);
        for path in built_from.into_iter().chain(rest).chain([format!("prebuilt/{plugin}.wasm")]) {
            assert!(digests.contains_key(&path), "{plugin}: {path} is new; run plugins/build");
        }
    }
}
