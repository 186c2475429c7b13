//! Puts the policies of their folder in force, and again whenever their texts are others.

mod report;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::report::Seen;
use super::embedded;
use super::watching::{Events, Look};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::{OrgId, Origin, PolicyName, PolicyRevision, PolicySource, RevisionState};
use crate::engine::Org;
use crate::folders::{self, Alone, Digest, Folder, Texts};
use crate::ledger::Ledger;
use crate::policy::{DEFAULT_POLICY, HistoryStore, PolicyHost, PolicyProblem};
use crate::troubles::Troubles;

/// The host with the revisions of earlier starts; no plugin is there yet, and no policy is in force.
///
/// What is compiled is kept in the folder `compiled`, for the next start.
pub(super) async fn host(config: &Config, ledger: &Ledger, compiled: Option<PathBuf>) -> anyhow::Result<PolicyHost> {
    Ok(PolicyHost::start_with(config.policies.limits.clone(), history(ledger).await?, compiled)?)
}

/// Revisions are kept in the store.
async fn history(ledger: &Ledger) -> anyhow::Result<HistoryStore> {
    let past = ledger.policy_revisions().await?;
    let ledger = ledger.clone();
    let keep = move |name: PolicyName, changed: Vec<PolicyRevision>, forgotten: Vec<u32>| {
        let ledger = ledger.clone();
        let kept = async move {
            let kept = ledger.keep_policy_revisions(&name, &changed, &forgotten).await;
            kept.map_err(|error| error.to_string())
        };
        Box::pin(kept) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
    };
    Ok(HistoryStore { past, keep: Some(Box::new(keep)) })
}

/// So many policies are read at once, within the time that the disk has.
const AT_ONCE: usize = 100;

/// What is in the folder of policies, as far as it was tried.
pub(super) struct PolicyFolder {
    host: Arc<PolicyHost>,
    clock: Clock,
    troubles: Troubles,
    /// The organizations, each of which uses a policy.
    orgs: Vec<Arc<Org>>,
    most_bytes: usize,
    /// A digest of what was read of each policy and tried: nothing else tells whether it is to be tried again.
    tried: BTreeMap<PolicyName, Digest>,
}

impl PolicyFolder {
    pub(super) fn new(
        host: Arc<PolicyHost>,
        orgs: Vec<Arc<Org>>,
        most_bytes: usize,
        clock: Clock,
        troubles: Troubles,
    ) -> Self {
        Self { host, clock, troubles, orgs, most_bytes, tried: BTreeMap::new() }
    }

    /// The policies that organizations use now.
    fn used(&self) -> BTreeMap<PolicyName, Vec<OrgId>> {
        let mut used = BTreeMap::<_, Vec<_>>::new();
        for org in &self.orgs {
            used.entry(org.policy()).or_default().push(org.id.clone());
        }
        used
    }

    /// Puts every policy in force, once the plugins are there. What is wrong with one is shown where policies are listed;
    /// where nothing decides for an organization, its conversations wait as sync errors, and those of the others do not.
    ///
    /// # Errors
    /// When the default policy cannot be put in force.
    pub(super) async fn start(&mut self, folder: &Folder) -> anyhow::Result<()> {
        embedded::apply_default(&self.host, self.clock.now()).await?;
        let folder = folder.alone().await;
        // What stays is hidden from everybody, and takes but room.
        let _ = folder.work(folders::sweep).await;
        let read = self.take(&folder, None).await;
        if let Err(error) = &read {
            tracing::error!(folder = %folder.path().display(), %error, "the folder of policies cannot be read");
        }
        self.restore(read.is_err()).await;
        self.refuse_missing(folder.path()).await;
        self.host.resume_shadows(self.clock.now()).await;
        for (name, orgs) in &self.used() {
            if !self.host.policies().iter().any(|status| status.name == *name && status.in_force.is_some()) {
                let orgs = said(orgs);
                tracing::error!(policy = %name, orgs, "no revision of a policy can decide; conversations wait until one can");
            }
        }
        Ok(())
    }

    /// Where the folder's text is not accepted (it may have been rolled back) or cannot be read, where a policy came by the
    /// API, and where the file of one that is used has gone, the revision that was in force last decides. One that nobody
    /// uses, and whose file was taken away, stays away.
    async fn restore(&self, unread: bool) {
        let known: BTreeMap<_, _> =
            self.host.policies().into_iter().map(|status| (status.name.clone(), status)).collect();
        let used = self.used();
        for name in self.host.names() {
            let status = known.get(&name);
            if status.is_some_and(|status| status.in_force.is_some()) {
                continue;
            }
            let last = self.host.revisions(&name).into_iter().rev().find(|it| it.state == RevisionState::InForce);
            let rejected = status.is_some_and(|status| status.last_rejection.is_some());
            let wanted = unread || rejected || used.contains_key(&name);
            if let Some(last) = last
                && (wanted || matches!(last.source.origin, Origin::Api { .. }))
            {
                // The policy room says itself what is in force now, or why it is not.
                let _ = self.host.put_back(name, last.source).await;
            }
        }
    }

    /// Says of policies that are used and of which there is neither a file nor a revision that this is so: the default policy
    /// must not stand in for them.
    async fn refuse_missing(&self, folder: &Path) {
        for name in self.used().keys().filter(|name| name.as_str() != DEFAULT_POLICY) {
            if self.host.policies().iter().all(|status| status.name != *name) {
                let file = folder.join(format!("{name}.toml")).display().to_string();
                let message = format!("there is no file {file}, and no revision was ever in force");
                let problems = vec![PolicyProblem::of(format!("{name}.toml"), message)];
                self.host.refuse_unread(name.clone(), Origin::File { path: file }, self.clock.now(), problems).await;
            }
        }
    }

    /// Puts in force what the folder holds and what was not tried before; `None` where there is no folder. What is being
    /// written, as `events` knows, is left for later.
    async fn take(&mut self, folder: &Alone, events: Option<&Events>) -> io::Result<Option<Seen>> {
        let listed = |folder: &Path| Ok((folders::finish(folder)?, folders::list::<PolicyName>(folder, "toml")?));
        let (unfinished, listing) = folder.work(listed).await?;
        let Some(listing) = listing else { return Ok(None) };
        let finished = |name: &PolicyName| unfinished.iter().all(|(other, _)| other != name);
        let names = listing.files.keys().filter(|name| finished(name));
        let tried: Vec<_> = names.map(|name| (name.clone(), self.tried.get(name).copied())).collect();
        let (mut others, most_bytes) = (Vec::new(), self.most_bytes);
        for tried in tried.chunks(AT_ONCE) {
            let tried = tried.to_vec();
            others.extend(folder.work(move |folder| Ok(folders::others(folder, tried, most_bytes))).await?);
        }
        if let Some(events) = events.filter(|_| !others.is_empty()) {
            events.caught_up().await;
        }
        for name in &others {
            let of = name.clone();
            let read = folder.work(move |folder| Ok(folders::read(folder, &of, most_bytes))).await?;
            let waits = |file: &str| events.is_some_and(|events| events.being_written(&folder.path().join(file)));
            if !waits(&format!("{name}.toml")) && !files_of(&read).any(waits) {
                self.try_out(name, read, folder.path()).await;
            }
        }
        self.tried.retain(|name, _| listing.files.contains_key(name));
        let files = listing.files.into_keys().collect();
        Ok(Some(Seen { files, misnamed: listing.misnamed, unfinished }))
    }

    /// Puts a policy in force, unless the same was tried before.
    async fn try_out(&mut self, name: &PolicyName, read: folders::Reading, folder: &Path) {
        let digest = folders::digest(&read);
        if self.tried.get(name) == Some(&digest) {
            return;
        }
        let origin = Origin::File { path: folder.join(format!("{name}.toml")).display().to_string() };
        let at = self.clock.now();
        let try_again = match read {
            // It has gone since the folder was listed.
            Ok(None) => return,
            Ok(Some(Texts { toml, scripts })) => {
                // The policy room says itself what is in force now, or why it is not.
                let applied = self.host.apply(name.clone(), PolicySource { toml, scripts, origin, at }).await;
                applied.is_err_and(|rejection| rejection.try_again)
            }
            Err(problems) => self.host.refuse_unread(name.clone(), origin, at, problems).await.try_again,
        };
        if !try_again {
            self.tried.insert(name.clone(), digest);
        }
    }
}

impl Look for PolicyFolder {
    async fn look(&mut self, folder: &Alone, events: &Events, unwatched: Option<String>) {
        let seen = self.take(folder, Some(events)).await;
        self.report(folder.path(), seen, unwatched);
    }
}

/// The files beside NAME.toml that were read, or could not be.
fn files_of(read: &folders::Reading) -> impl Iterator<Item = &str> {
    let scripts = read.iter().flatten().flat_map(|texts| texts.scripts.keys().map(String::as_str));
    let problems = read.as_ref().err().into_iter().flatten().map(|problem| problem.path.as_str());
    scripts.chain(problems)
}

/// Organizations in words.
fn said(orgs: &[OrgId]) -> String {
    orgs.iter().map(OrgId::as_str).collect::<Vec<_>>().join(", ")
}
