//! Where plugins come from besides the program itself: files of a watched folder, and OCI registries.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::watching::{Events, Look};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Origin, PluginName};
use crate::folders::{self, Alone, Folder, Unread, read_regular};
use crate::policy::{PluginTrouble, PolicyHost};
use crate::registry::{self, Pulled, Reference, Registry};
use crate::troubles::{Trouble, Troubles};

const KIND: &str = "plugin-file";
/// How long a `.minisig` file may be; they have some hundred bytes.
const SIGNATURE_BYTES: usize = 16 << 10;

/// What is in the folder of plugins, as far as it was tried.
pub(super) struct PluginFolder {
    host: Arc<PolicyHost>,
    clock: Clock,
    troubles: Troubles,
    most_bytes: usize,
    /// What was read of each plugin and tried: nothing else tells whether it is to be tried again.
    tried: BTreeMap<PluginName, Result<Digests, String>>,
}

impl PluginFolder {
    pub(super) fn new(host: Arc<PolicyHost>, config: &Config, clock: Clock, troubles: Troubles) -> Self {
        let most_bytes = config.policies.limits.plugin_bytes;
        Self { host, clock, troubles, most_bytes, tried: BTreeMap::new() }
    }

    /// Takes the plugins of the folder, and those of registries, all at once and in place of files of their names. What
    /// cannot be taken is noted; the policies that name it say so.
    pub(super) async fn start(&mut self, folder: &Folder, config: &Config, registry: &Arc<Registry>) {
        let folder = folder.alone().await;
        let _ = folder.work(folders::sweep).await;
        if let Err(error) = self.take(&folder, None).await {
            tracing::error!(folder = %folder.path().display(), %error, "the folder of plugins cannot be read");
        }
        let (host, clock) = (&self.host, &self.clock);
        let pulls = config.policies.oci.iter().map(|(name, reference)| pull(host, registry, name, reference, clock));
        futures_util::future::join_all(pulls).await;
    }

    /// Takes what the folder holds and what was not tried before; answers the files that no plugin can be called by, and
    /// `None` where there is no folder.
    async fn take(&mut self, folder: &Alone, events: Option<&Events>) -> io::Result<Option<BTreeMap<String, String>>> {
        let listing = folder.work(|folder| folders::list::<PluginName>(folder, "wasm")).await?;
        let Some(listing) = listing else { return Ok(None) };
        let waits = |file: &Path| events.is_some_and(|events| events.being_written(file));
        for (name, path) in &listing.files {
            let (of, most_bytes) = (path.clone(), self.most_bytes);
            let read = folder.work(move |_| Ok(read(&of, most_bytes))).await?;
            if !waits(path) && !waits(&path.with_extension("wasm.minisig")) {
                self.try_out(name, path, read).await;
            }
        }
        for name in self.tried.keys().filter(|name| !listing.files.contains_key(*name)).cloned().collect::<Vec<_>>() {
            self.tried.remove(&name);
            match self.host.plugin_digest(&name) {
                None => self.host.forget_trouble(&name),
                Some(_) => {
                    let reason = "its file is gone; the plugin stays until the host is started again".to_owned();
                    let path = folder.path().join(format!("{name}.wasm"));
                    let origin = Origin::File { path: path.display().to_string() };
                    self.host.note_trouble(PluginTrouble { name, origin, at: self.clock.now(), reason });
                }
            }
        }
        Ok(Some(listing.misnamed))
    }

    /// Takes a file as a plugin, unless the same was tried before, and applies the policies again that name it. A file that is
    /// read while it is being written is refused, and read again when it has changed again.
    async fn try_out(&mut self, name: &PluginName, path: &Path, read: Result<PluginFile, String>) {
        let now = read.as_ref().map(PluginFile::digests).map_err(Clone::clone);
        if self.tried.get(name) == Some(&now) {
            return;
        }
        self.tried.insert(name.clone(), now);
        let (host, at, origin) = (&self.host, self.clock.now(), Origin::File { path: path.display().to_string() });
        let known = host.plugin_digest(name);
        let taken = match read {
            Ok(read) if known.is_some_and(|known| known == read.digest) => return host.forget_trouble(name),
            Ok(PluginFile { component, signature, .. }) => {
                let added = host.add_signed_plugin(name.clone(), component, signature.as_deref(), origin.clone()).await;
                added.map_err(|error| error.to_string())
            }
            Err(reason) => Err(reason),
        };
        match taken {
            Ok(plugin) => {
                tracing::info!(plugin = %name, digest = %plugin.digest, "a plugin is taken from its file");
                // The policy room says itself what is in force now, or why it is not.
                let _ = host.apply_again(name, false, at).await;
            }
            Err(reason) => host.note_trouble(PluginTrouble { name: name.clone(), origin, at, reason }),
        }
    }

    /// Shows what is wrong by now, and no longer what was and is not any more.
    fn report(&self, folder: &Path, seen: io::Result<Option<BTreeMap<String, String>>>, unwatched: Option<String>) {
        let (shown, now) = (folder.display(), self.clock.now());
        let trouble = |subject: &str, what: &str, cure: &str| Trouble::new(KIND, subject, what, cure, now);
        let of_folder = |what: &str, cure: &str| trouble(&shown.to_string(), what, cure);
        let mut found = Vec::new();
        if let Some(why) = unwatched {
            let what = format!("changes are seen once a minute only, since the folder cannot be watched: {why}");
            found.push(of_folder(
                &what,
                "let the host read the folder, and raise fs.inotify.max_user_watches if it says so",
            ));
        }
        match seen {
            Err(error) => found.push(of_folder(&format!("it cannot be read: {error}"), "let the host read it")),
            Ok(misnamed) => found.extend(misnamed.into_iter().flatten().map(|(file, why)| {
                let what = format!("{shown}/{file} is left out: {why}");
                trouble(&file, &what, "rename the file, or take it away")
            })),
        }
        found.extend(self.host.troubles().into_iter().map(|known| {
            let what = format!("{} is not taken: {}", known.origin, known.reason);
            Trouble::new(
                KIND,
                known.name.as_str(),
                &what,
                "mend what it says; until then the one before stays",
                known.at,
            )
        }));
        self.troubles.replace(KIND, found);
    }
}

impl Look for PluginFolder {
    async fn look(&mut self, folder: &Alone, events: &Events, unwatched: Option<String>) {
        let seen = self.take(folder, Some(events)).await;
        self.report(folder.path(), seen, unwatched);
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

/// What a plugin was read from: the digest of its component, and the text of its signature.
type Digests = (String, Option<String>);

impl PluginFile {
    fn digests(&self) -> Digests {
        (self.digest.clone(), self.signature.clone())
    }
}

/// Reads a component within its bound, and its signature: for a blocking thread. The error is for an operator.
fn read(path: &Path, most_bytes: usize) -> Result<PluginFile, String> {
    let component = read_regular(path, most_bytes).map_err(|error| error.to_string())?;
    let signature = match read_regular(&path.with_extension("wasm.minisig"), SIGNATURE_BYTES) {
        Ok(bytes) => Some(String::from_utf8(bytes).map_err(|_| "its .minisig file is no text".to_owned())?),
        Err(Unread::Missing) => None,
        Err(error) => return Err(format!("its .minisig file: {error}")),
    };
    let digest = hex::encode(Sha256::digest(&component));
    Ok(PluginFile { component, digest, signature })
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
