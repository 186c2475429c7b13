//! The compiler's caches: machine code of components on disk for the next start, functions in memory for the next revision.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{CacheStore, Engine};

use crate::policy::locks::lock;

/// How much the folder may hold, in bytes: some hundred policies.
const FOLDER_BYTES: u64 = 2 << 30;
/// Compiled functions kept for the next revision; about ten times what the script plugin needs.
const FUNCTION_BYTES: usize = 128 << 20;

/// A folder of machine code, by the SHA-256 of the component that it was compiled from.
///
/// Machine code is run as it is, so nobody else may write there, and each file is compared with the digest beside it.
pub(super) struct CompileCache {
    folder: PathBuf,
}

impl CompileCache {
    /// Makes the folder where there is none.
    ///
    /// # Errors
    /// When it cannot be made, or others may write to it.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)?;
        private(&folder)?;
        Ok(Self { folder })
    }

    /// The machine code of a component, where it was compiled before, for this machine, by this version of the engine.
    pub(super) fn load(&self, engine: &Engine, component: &[u8]) -> Option<Component> {
        let (code, digest) = self.paths(component);
        let expected = fs::read_to_string(digest).ok()?;
        if expected != file_digest(&code).ok()? {
            tracing::warn!(path = %code.display(), "a compiled plugin was altered on disk; it is compiled anew");
            return None;
        }
        #[expect(
            unsafe_code,
            reason = "machine code is run unseen by its very nature: it is this host's own, kept in a \
            folder that nobody else may write to, never written in place, and its digest was compared just now"
        )]
        // SAFETY: as the reason above says, the file holds what `Component::serialize` gave.
        let component = unsafe { Component::deserialize_file(engine, &code) };
        // Another version of the engine, or other settings: no fault of anybody's.
        component.inspect_err(|error| tracing::debug!(%error, "a compiled plugin does not fit")).ok()
    }

    /// Keeps machine code for the next time; a full disk is no reason to fail.
    pub(super) fn keep(&self, component: &[u8], compiled: &Component) {
        if let Err(error) = self.try_keep(component, compiled) {
            tracing::warn!(folder = %self.folder.display(), %error, "a compiled plugin could not be kept");
        }
    }

    fn try_keep(&self, component: &[u8], compiled: &Component) -> io::Result<()> {
        let code = compiled.serialize().map_err(|error| io::Error::other(error.to_string()))?;
        self.make_room(code.len() as u64)?;
        let (path, digest) = self.paths(component);
        // Without a digest of its own the code is not used, so the digest goes last.
        write(&path, &code)?;
        write(&digest, hex::encode(Sha256::digest(&code)).as_bytes())
    }

    /// The oldest go first.
    fn make_room(&self, bytes: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let about = entry.metadata()?;
            files.push((about.modified()?, about.len(), entry.path()));
        }
        files.sort();
        let mut held: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, path) in files {
            if held + bytes <= FOLDER_BYTES {
                break;
            }
            fs::remove_file(path)?;
            held -= size;
        }
        Ok(())
    }

    fn paths(&self, component: &[u8]) -> (PathBuf, PathBuf) {
        let name = hex::encode(Sha256::digest(component));
        (self.folder.join(format!("{name}.code")), self.folder.join(format!("{name}.sha256")))
    }
}

/// Whether nobody but the owner of this process, or root, may write to a folder.
#[cfg(unix)]
fn private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let about = fs::symlink_metadata(folder)?;
    // A file that this process makes has its owner; there is no safe call in the standard library that tells.
    let own = tempfile::tempfile_in(folder)?.metadata()?.uid();
    if !about.is_dir() || about.mode() & 0o022 != 0 || about.uid() != own {
        let why = format!("{}: others may write to it; compiled plugins have to be kept in private", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Never in place: a file may be mapped into memory at this moment.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

fn file_digest(path: &Path) -> io::Result<String> {
    let (mut file, mut digest, mut part) = (File::open(path)?, Sha256::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hex::encode(digest.finalize())),
            read => digest.update(&part[..read]),
        }
    }
}

/// Of the whole process: what was compiled from the same bytes for the same machine is the same for every host in it.
pub(super) static FUNCTIONS: LazyLock<Arc<Functions>> = LazyLock::new(Arc::default);

/// Compiled functions by what they were compiled from: a revision shares nearly all of them with the one before.
#[derive(Debug, Default)]
pub(super) struct Functions(Mutex<ByKey>);

#[derive(Debug, Default)]
struct ByKey {
    /// By the key that the compiler gives them.
    functions: HashMap<Box<[u8]>, Box<[u8]>>,
    /// Of all keys and functions.
    bytes: usize,
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        lock(&self.0).functions.get(key).map(|value| Cow::Owned(value.to_vec()))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let mut cache = lock(&self.0);
        cache.bytes += key.len() + value.len();
        if cache.bytes > FUNCTION_BYTES {
            cache.functions.clear();
            cache.bytes = key.len() + value.len();
        }
        // The compiler's own vector may have a larger capacity than it needs.
        cache.functions.insert(key.into(), value.into());
        true
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use wasmtime::Engine;
    use wasmtime::component::Component;

    use super::CompileCache;

    const COMPONENT: &[u8] = b"(component (core module (func (export \"one\") (result i32) (i32.const 1))))";

    fn file(folder: &Path, extension: &str) -> std::path::PathBuf {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files = files.filter(|path| path.extension().is_some_and(|own| own == extension));
        let found = files.next().unwrap();
        assert_eq!(files.next(), None);
        found
    }

    #[test]
    fn what_was_compiled_is_found_again_unless_it_was_altered() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("compiled");
        let (engine, bytes) = (Engine::default(), wat::parse_bytes(COMPONENT).unwrap());
        let compiled = CompileCache::open(folder.clone()).unwrap();
        assert!(compiled.load(&engine, &bytes).is_none());
        compiled.keep(&bytes, &Component::from_binary(&engine, &bytes).unwrap());
        assert!(CompileCache::open(folder.clone()).unwrap().load(&engine, &bytes).is_some());
        assert!(compiled.load(&engine, b"another").is_none());
        let code = file(&folder, "code");
        let mut altered = fs::read(&code).unwrap();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        fs::write(&code, &altered).unwrap();
        assert!(compiled.load(&engine, &bytes).is_none());
        compiled.keep(&bytes, &Component::from_binary(&engine, &bytes).unwrap());
        assert!(compiled.load(&engine, &bytes).is_some());
        fs::remove_file(file(&folder, "sha256")).unwrap();
        assert!(compiled.load(&engine, &bytes).is_none());
    }

    #[test]
    fn what_was_compiled_for_an_engine_with_other_settings_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = wat::parse_bytes(COMPONENT).unwrap();
        let compiled = CompileCache::open(folder.path().join("compiled")).unwrap();
        compiled.keep(&bytes, &Component::from_binary(&Engine::default(), &bytes).unwrap());
        let fuel = Engine::new(wasmtime::Config::new().consume_fuel(true)).unwrap();
        assert!(compiled.load(&fuel, &bytes).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let Err(error) = CompileCache::open(folder.path().to_owned()) else { panic!("it was taken") };
        assert!(error.to_string().contains("others may write"), "{error}");
    }
}
