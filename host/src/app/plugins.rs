//! Where plugins come from besides the program itself: files of a watched folder, and OCI registries.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::sync::OwnedMutexGuard;

use super::watching::{Watcher, files};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Origin, PluginName, Timestamp};
use crate::http::Folder;
use crate::policy::{PluginTrouble, PolicyHost};
use crate::registry::{self, Pulled, Reference, Registry};

/// Takes the plugins of the folder, and those of registries, all at once and in place of files of their names. What
/// cannot be taken is noted; the policies that name it say so.
pub(super) async fn start(
    host: &PolicyHost,
    config: &Config,
    registry: &Arc<Registry>,
    clock: &Clock,
) -> anyhow::Result<()> {
    for (name, path) in files(&config.policies.plugins, "wasm")? {
        take(host, config.policies.limits.plugin_bytes, &PluginName::new(name)?, path, clock.now()).await;
    }
    let pulls = config.policies.oci.iter().map(|(name, reference)| pull(host, registry, name, reference, clock));
    futures_util::future::join_all(pulls).await;
    Ok(())
}

/// Watches the folder of plugins; `None` where there is none.
pub(super) async fn watch(
    config: &Config,
    folder: &Folder,
    host: Arc<PolicyHost>,
    clock: Clock,
) -> anyhow::Result<Option<Watcher>> {
    let most_bytes = config.policies.limits.plugin_bytes;
    let edited = move |folder: OwnedMutexGuard<PathBuf>, paths| {
        let (host, clock) = (Arc::clone(&host), clock.clone());
        async move {
            for name in touched(&paths) {
                let path = folder.join(format!("{name}.wasm"));
                if take(&host, most_bytes, &name, path, clock.now()).await {
                    // The policy room says itself what is in force now, or why it is not.
                    let _ = host.apply_again(&name, false, clock.now()).await;
                }
            }
        }
    };
    Watcher::start(folder, edited).await
}

/// The plugins that edited files belong to: NAME.wasm and NAME.wasm.minisig to NAME.
fn touched(paths: &BTreeSet<PathBuf>) -> BTreeSet<PluginName> {
    let name = |path: &PathBuf| {
        let file = path.file_name()?.to_str()?;
        let stem = file.strip_suffix(".minisig").unwrap_or(file).strip_suffix(".wasm")?;
        if stem.starts_with('.') { None } else { PluginName::new(stem).ok() }
    };
    paths.iter().filter_map(name).collect()
}

/// Reads a file and takes it as a plugin; `false` when nothing new came of it. A file that is read while it is being
/// written is refused, and read again when it has changed again.
async fn take(host: &PolicyHost, most_bytes: usize, name: &PluginName, path: PathBuf, at: Timestamp) -> bool {
    let origin = Origin::File { path: path.display().to_string() };
    let reading = tokio::task::spawn_blocking(move || read(&path, most_bytes)).await;
    let known = host.plugin_digest(name);
    let trouble = |reason| {
        host.note_trouble(PluginTrouble { name: name.clone(), origin: origin.clone(), at, reason });
        false
    };
    let read = match reading.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(read) => read,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if known.is_none() {
                host.forget_trouble(name);
                return false;
            }
            return trouble("its file is gone; the plugin stays until the host is started again".to_owned());
        }
        Err(error) => return trouble(error.to_string()),
    };
    if known.is_some_and(|known| known == read.digest) {
        host.forget_trouble(name);
        return false;
    }
    let PluginFile { component, signature, .. } = read;
    match host.add_signed_plugin(name.clone(), component, signature.as_deref(), origin.clone()).await {
        Ok(plugin) => {
            tracing::info!(plugin = %name, digest = %plugin.digest, "a plugin is taken from its file");
            true
        }
        Err(error) => trouble(error.to_string()),
    }
}

/// What is in a plugin's file, and beside it.
struct PluginFile {
    component: Vec<u8>,
    /// SHA-256 of the component, in hexadecimal.
    digest: String,
    /// The text of its `.minisig` file, where there is one.
    signature: Option<String>,
}

/// Reads a component within its bound: for a blocking thread.
fn read(path: &Path, most_bytes: usize) -> std::io::Result<PluginFile> {
    let file = std::fs::File::open(path)?;
    let too_large = |bytes: u64| std::io::Error::other(format!("it has {bytes} bytes; {most_bytes} are allowed"));
    let (bytes, most) = (file.metadata()?.len(), most_bytes as u64);
    if bytes > most {
        return Err(too_large(bytes));
    }
    let mut component = Vec::new();
    // It may grow while it is read.
    file.take(most + 1).read_to_end(&mut component)?;
    if component.len() > most_bytes {
        return Err(too_large(most + 1));
    }
    let digest = hex::encode(Sha256::digest(&component));
    Ok(PluginFile { component, digest, signature: std::fs::read_to_string(path.with_extension("wasm.minisig")).ok() })
}

/// Pulls a plugin; where the registry is down, the one that was pulled last stands in.
async fn pull(host: &PolicyHost, registry: &Arc<Registry>, name: &PluginName, reference: &Reference, clock: &Clock) {
    let origin = Origin::Registry { reference: reference.to_string() };
    let of = (Arc::clone(registry), name.clone(), reference.clone());
    // What cannot be read is not kept.
    let kept = tokio::task::spawn_blocking(move || of.0.kept(&of.1, &of.2)).await.unwrap_or_default();
    let (pulled, why) = match kept {
        // There can be no other one by this reference.
        Some(kept) if reference.pins(&kept) => (Ok(kept), None),
        kept => match (registry.pull(reference).await, kept) {
            (Ok(pulled), _) => (keep(registry, name, reference, pulled).await, None),
            (Err(error), Some(kept)) => (Ok(kept), Some(format!("{error}; the one that was pulled last is used"))),
            (Err(error), None) => (Err(error), None),
        },
    };
    let taken = match pulled {
        Ok(Pulled { component, signature, .. }) => {
            let added = host.add_signed_plugin(name.clone(), component, signature.as_deref(), origin.clone()).await;
            added.map(|_| ()).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    if let Some(reason) = taken.err().or(why) {
        host.note_trouble(PluginTrouble { name: name.clone(), origin, at: clock.now(), reason });
    }
}

/// Keeps what was pulled for a start while the registry is down. Where that fails, the log says so.
async fn keep(
    registry: &Arc<Registry>,
    name: &PluginName,
    reference: &Reference,
    pulled: Pulled,
) -> Result<Pulled, registry::Error> {
    let of = (Arc::clone(registry), name.clone(), reference.clone());
    let keeping = tokio::task::spawn_blocking(move || {
        let kept = of.0.keep(&of.1, &of.2, &pulled);
        (pulled, kept)
    });
    let (pulled, kept) = keeping.await.map_err(|error| registry::Error::Unfit(error.to_string()))?;
    if let Err(error) = kept {
        tracing::error!(plugin = %name, %error, "a plugin was pulled but could not be kept");
    }
    Ok(pulled)
}
