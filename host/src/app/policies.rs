//! Puts the policies of their folder in force, and again whenever a file is edited.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use tokio::sync::OwnedMutexGuard;

use super::embedded;
use super::watching::{Watcher, files};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{Origin, PolicyName, PolicyRevision, PolicySource, RevisionState, Timestamp};
use crate::http::Folder;
use crate::ledger::Ledger;
use crate::policy::{HistoryStore, PolicyHost, PolicyStatus, Rejection};

/// The host with the revisions of earlier starts; no plugin is there yet, and no policy is in force.
///
/// What is compiled is kept in the folder `compiled`, for the next start.
pub(super) async fn host(config: &Config, ledger: &Ledger, compiled: Option<PathBuf>) -> anyhow::Result<PolicyHost> {
    Ok(PolicyHost::start_with(config.policies.limits.clone(), history(ledger).await?, compiled)?)
}

/// Puts every policy in force, once the plugins are there.
///
/// # Errors
/// When nothing decides for an organization, unless its plugin may still come.
pub(super) async fn start(host: &PolicyHost, config: &Config, clock: &Clock) -> anyhow::Result<()> {
    embedded::apply_default(host, clock.now()).await?;
    let folder = &config.policies.folder;
    for (name, _) in files(folder, "toml")? {
        // One that no organization uses may be unfinished; the operator sees its rejection where policies are listed.
        apply(host, folder, &PolicyName::new(name)?, clock.now()).await;
    }
    restore(host).await;
    let policies = host.policies();
    for org in &config.orgs {
        let status = policies.iter().find(|status| status.name == org.policy);
        match status.map(|status| (&status.in_force, &status.last_rejection)) {
            Some((Some(_), _)) => {}
            // Its conversations wait as sync errors, and those of the other organizations do not wait for a registry.
            Some((None, Some(Rejection { waits_for: Some(plugin), .. })))
                if config.policies.oci.contains_key(plugin) =>
            {
                tracing::error!(org = %org.id, policy = %org.policy, %plugin, "nothing is decided until its plugin is there");
            }
            Some((None, Some(rejection))) => {
                bail!("organization {}: policy {} is refused:\n{rejection}", org.id, org.policy)
            }
            _ => bail!("organization {}: there is no policy {} in {}", org.id, org.policy, folder.display()),
        }
    }
    Ok(())
}

/// Revisions are kept in the store.
async fn history(ledger: &Ledger) -> anyhow::Result<HistoryStore> {
    let past = ledger.policy_revisions().await?;
    let ledger = ledger.clone();
    let keep = move |name: PolicyName, changed: Vec<PolicyRevision>, forgotten: Vec<u32>| {
        let ledger = ledger.clone();
        let kept = async move {
            let kept = ledger.keep_policy_revision(&name, &changed, &forgotten).await;
            kept.map_err(|error| error.to_string())
        };
        Box::pin(kept) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
    };
    Ok(HistoryStore { past, keep: Some(Box::new(keep)) })
}

/// Where the folder's text is not accepted (it may have been rolled back), and where a policy came by the API, the
/// revision that was in force last decides. A policy whose file was taken away stays away.
async fn restore(host: &PolicyHost) {
    for PolicyStatus { name, last_rejection, .. } in host.policies().into_iter().filter(|it| it.in_force.is_none()) {
        let last = host.revisions(&name).into_iter().rev().find(|it| it.state == RevisionState::InForce);
        if let Some(last) = last
            && (last_rejection.is_some() || matches!(last.source.origin, Origin::Api { .. }))
        {
            // The policy room says itself what is in force now, or why it is not.
            let _ = host.put_back(name, last.source).await;
        }
    }
}

/// Reads a policy and the scripts that it names, and puts it in force.
async fn apply(host: &PolicyHost, folder: &Path, name: &PolicyName, at: Timestamp) {
    let path = folder.join(format!("{name}.toml"));
    let origin = Origin::File { path: path.display().to_string() };
    let of = folder.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        let toml = std::fs::read_to_string(path)?;
        let scripts = scripts(&of, &toml);
        Ok((toml, scripts))
    });
    let (toml, scripts) = match reading.await.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(read) => read,
        Err(error) => return tracing::error!(policy = %name, %error, "a policy cannot be read"),
    };
    // The policy room says itself what is in force now, or why it is not.
    let _ = host.apply(name.clone(), PolicySource { toml, scripts, origin, at }).await;
}

/// The scripts that a policy names, by file name. One that is not there or cannot be read is left out: the policy is refused
/// for want of it, and the log says why.
fn scripts(folder: &Path, toml: &str) -> BTreeMap<String, String> {
    let text = |file: String| match std::fs::read_to_string(folder.join(&file)) {
        Ok(text) => Some((file, text)),
        Err(error) => {
            tracing::error!(script = %folder.join(file).display(), %error, "a script cannot be read");
            None
        }
    };
    named(toml).into_iter().filter_map(text).collect()
}

/// The file names of scripts in a policy's text; none where it cannot be read.
fn named(toml: &str) -> BTreeSet<String> {
    let Ok(policy) = toml.parse::<toml::Table>() else { return BTreeSet::new() };
    let parts = policy.values().filter_map(toml::Value::as_table);
    let scripts = parts.chain([&policy]).filter_map(|part| part.get("script")?.as_str());
    // A file of the folder itself, whatever else a policy may name.
    let of_the_folder = |file: &&str| file.strip_suffix(".rhai").is_some_and(|stem| PolicyName::new(stem).is_ok());
    scripts.filter(of_the_folder).map(str::to_owned).collect()
}

/// Begins to watch; `None` where there is no folder.
pub(super) async fn watch(folder: &Folder, host: Arc<PolicyHost>, clock: Clock) -> anyhow::Result<Option<Watcher>> {
    let edited = move |folder: OwnedMutexGuard<PathBuf>, paths| {
        let (host, clock) = (Arc::clone(&host), clock.clone());
        async move {
            for name in touched(&folder, &paths) {
                apply(&host, &folder, &name, clock.now()).await;
            }
        }
    };
    Watcher::start(folder, edited).await
}

/// The policies that edited files belong to: a NAME.toml to NAME, a script to every policy that names it.
fn touched(folder: &Path, paths: &BTreeSet<PathBuf>) -> Vec<PolicyName> {
    let edited: BTreeSet<_> = paths.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    let any_script = edited.iter().any(|file| file.ends_with(".rhai"));
    let belongs = |(stem, path): (String, PathBuf)| {
        let own = edited.contains(format!("{stem}.toml").as_str());
        let names = |toml: String| named(&toml).iter().any(|script| edited.contains(script.as_str()));
        let by_script = || any_script && std::fs::read_to_string(path).is_ok_and(names);
        (own || by_script()).then(|| PolicyName::new(stem).ok()).flatten()
    };
    files(folder, "toml").unwrap_or_default().into_iter().filter_map(belongs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_given_the_scripts_that_it_names_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside.rhai");
        let folder = folder.path().join("policies");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(&outside, "outside").unwrap();
        for file in ["a.rhai", "ba.rhai", "errors.rhai"] {
            std::fs::write(folder.join(file), file).unwrap();
        }
        std::fs::write(folder.join("broken.rhai"), [0xff]).unwrap();
        let toml = "plugin = 'script'\nscript = 'ba.rhai'\n[errors]\nplugin = 'script'\nscript = 'errors.rhai'\n\
                    [contacts]\nscript = '../outside.rhai'\n[routing]\nscript = 'broken.rhai'\n";
        let scripts: Vec<_> = scripts(&folder, toml).into_iter().collect();
        let text = |file: &str| (file.to_owned(), file.to_owned());
        assert_eq!(scripts, [text("ba.rhai"), text("errors.rhai")]);

        std::fs::write(folder.join("shop.toml"), toml).unwrap();
        let touched = |file: &str| touched(&folder, &BTreeSet::from([folder.join(file)]));
        assert_eq!(touched("errors.rhai"), [PolicyName::new("shop").unwrap()]);
        assert_eq!(touched("a.rhai"), [], "the end of another's name");
    }
}
