//! What the fuzz targets of `tests/fuzz` hand bytes to, and the test that gives it their seeds and finds.
//!
//! Each function panics where what came of the bytes does not hold what it promises. It stands beside the parser that it
//! looks at, and is compiled for tests and for fuzzing alone.

pub use crate::cli::fuzz_tests::settings;
pub use crate::config::fuzz_tests::config;
pub use crate::policy::fuzz_tests::policies;
pub use crate::registry::fuzz_tests::registry;
pub use crate::salesforce::fuzz_tests::{answers, tokens};

/// A target by its name, which is that of its folder of seeds as well.
pub type Target = (&'static str, fn(&[u8]));

/// The targets that have seeds.
pub const TARGETS: [Target; 6] = [
    ("answers", answers),
    ("config", config),
    ("policies", policies),
    ("registry", registry),
    ("settings", settings),
    ("tokens", tokens),
];

/// The most that a reason may say, in bytes.
pub(crate) const REASON: usize = 5_000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::TARGETS;

    /// Every file of a target's folder of seeds.
    fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds").join(target);
        let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let read = |path: &Path| (path.display().to_string(), std::fs::read(path).unwrap());
        files.map(|file| read(&file.unwrap().path())).collect()
    }

    #[test]
    fn every_seed_and_every_find_is_taken_within_its_bounds_or_refused_in_few_words() {
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            assert!(seeds.len() >= 5, "{name} has {} seeds", seeds.len());
            for (file, bytes) in seeds {
                println!("{file}");
                target(&bytes);
            }
        }
    }

    #[test]
    fn every_target_that_has_seeds_is_fuzzed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
        let names = |folder: &Path, inner: &str| -> BTreeSet<String> {
            let entries = std::fs::read_dir(folder.join(inner)).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
        };
        let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        let fuzzed = names(&folder, "fuzz_targets");
        assert!(targets.is_subset(&fuzzed), "{targets:?} and {fuzzed:?}");
    }
}
