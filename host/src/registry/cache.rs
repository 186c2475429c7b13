//! The components that were pulled last, on disk by their digests: for a start while the registry is down.

use std::io;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Pulled, Reference, Registry};
use crate::disk::{private_folder, replace, sync_names};
use crate::domain::PluginName;

/// What is known of a kept component: `NAME.json` beside `SHA256.wasm`.
#[derive(Serialize, Deserialize)]
struct Note {
    reference: Reference,
    /// Of the manifest.
    digest: String,
    /// SHA-256 of the component, in hexadecimal.
    component: String,
    signature: Option<String>,
}

impl Registry {
    /// What was pulled last under a name and by this reference, if it is there and still what it was.
    #[must_use]
    pub fn kept(&self, name: &PluginName, reference: &Reference) -> Option<Pulled> {
        let note: Note = serde_json::from_slice(&std::fs::read(self.folder.join(format!("{name}.json"))).ok()?).ok()?;
        if note.reference != *reference {
            return None;
        }
        let component = std::fs::read(self.folder.join(component_file(&note.component))).ok()?;
        if hex::encode(Sha256::digest(&component)) != note.component {
            tracing::error!(plugin = %name, "the kept component of a plugin was altered; it is not used");
            return None;
        }
        Some(Pulled { component, signature: note.signature, digest: note.digest })
    }

    /// Keeps what was pulled in place of what was before.
    ///
    /// # Errors
    /// When a file cannot be written; then the one before is still there.
    pub fn keep(&self, name: &PluginName, reference: &Reference, pulled: &Pulled) -> io::Result<()> {
        private_folder(&self.folder)?;
        let component = hex::encode(Sha256::digest(&pulled.component));
        let note = format!("{name}.json");
        let before = std::fs::read(self.folder.join(&note)).ok();
        let before = before.and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        replace(&self.folder, &component_file(&component), &pulled.component)?;
        let (reference, digest, signature) = (reference.clone(), pulled.digest.clone(), pulled.signature.clone());
        let text = serde_json::to_vec(&Note { reference, digest, component: component.clone(), signature })?;
        replace(&self.folder, &note, &text)?;
        sync_names(&self.folder)?;
        if let Some(before) = before.filter(|before| before.component != component)
            && !self.is_noted(&before.component)
        {
            std::fs::remove_file(self.folder.join(component_file(&before.component)))?;
        }
        Ok(())
    }

    /// Whether another plugin has the same component.
    fn is_noted(&self, component: &str) -> bool {
        let notes = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let notes = notes.filter(|file| file.path().extension().is_some_and(|own| own == "json"));
        let mut notes = notes.filter_map(|file| serde_json::from_slice::<Note>(&std::fs::read(file.path()).ok()?).ok());
        notes.any(|note| note.component == component)
    }
}

/// A digest from a note names a file in the folder and nothing else.
fn component_file(digest: &str) -> String {
    let digest: String = digest.chars().filter(char::is_ascii_hexdigit).collect();
    format!("{digest}.wasm")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn registry(folder: &Path) -> Registry {
        Registry::new(Default::default(), folder.join("plugins"), 1_000)
    }

    fn pulled(component: &str) -> Pulled {
        Pulled { component: component.into(), signature: None, digest: format!("sha256:{component}") }
    }

    #[test]
    fn what_was_pulled_last_is_there_unless_it_was_altered_or_another_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let registry = registry(folder.path());
        let [one, other] =
            ["reg.example/a:1", "reg.example/a:2"].map(|text| Reference::try_from(text.to_owned()).unwrap());
        let [name, same] = ["router", "same"].map(|name| PluginName::new(name).unwrap());
        assert_eq!(registry.kept(&name, &one), None);
        registry.keep(&name, &one, &pulled("first")).unwrap();
        registry.keep(&same, &one, &pulled("first")).unwrap();
        registry.keep(&name, &one, &pulled("second")).unwrap();
        assert_eq!(registry.kept(&name, &one), Some(pulled("second")));
        assert_eq!(registry.kept(&name, &other), None);
        assert_eq!(registry.kept(&same, &one), Some(pulled("first")), "it is somebody else's as well");
        registry.keep(&same, &one, &pulled("second")).unwrap();
        let file = folder.path().join("plugins").join(component_file(&hex::encode(Sha256::digest("second"))));
        let components = std::fs::read_dir(folder.path().join("plugins")).unwrap().flatten();
        assert_eq!(components.filter(|it| it.path().extension().is_some_and(|own| own == "wasm")).count(), 1);
        std::fs::write(file, "altered").unwrap();
        assert_eq!(registry.kept(&name, &one), None);
    }
}
