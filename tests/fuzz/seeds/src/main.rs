//! Writes what the fuzzing begins with: the tests' hostile plugins, the small files among their bombs, and a built-in plugin.

#[path = "../../../../host/src/policy/tests/bombs.rs"]
#[expect(dead_code, reason = "the tests ask for reasons")]
mod bombs;
#[path = "../../../../host/src/policy/tests/component.rs"]
#[expect(dead_code, reason = "the tests make more of them")]
mod component;
#[path = "../../../../host/src/policy/tests/corpus.rs"]
#[expect(dead_code, reason = "the tests compare with more of it")]
mod corpus;
#[path = "../../../../host/src/policy/tests/worlds.rs"]
mod worlds;

use std::io;
use std::path::Path;

/// libFuzzer goes through small files faster.
const BYTES: usize = 16 << 10;

fn main() -> io::Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = fuzz.join("corpus/loader");
    std::fs::create_dir_all(&folder)?;
    let plugins = corpus::in_decisions().into_iter().chain(corpus::in_configuring()).map(|it| (it.name, it.plugin));
    let files = bombs::files().into_iter().map(|bomb| (bomb.name, bomb.file)).filter(|(_, file)| file.len() <= BYTES);
    let built_in = std::fs::read(fuzz.join("../../plugins/prebuilt/keyword-router.wasm"))?;
    for (name, bytes) in plugins.chain(files).chain([("keyword router", built_in)]) {
        std::fs::write(folder.join(name.replace(' ', "-")), bytes)?;
    }
    Ok(())
}
