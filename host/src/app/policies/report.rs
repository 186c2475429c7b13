//! What is wrong with the folder of policies and the files in it, for those who look after the host.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::{PolicyFolder, said};
use crate::domain::{Origin, PolicyName};
use crate::policy::{DEFAULT_POLICY, PolicyStatus};
use crate::troubles::Trouble;

const KIND: &str = "policy-file";

/// What a look at the folder found.
pub(super) struct Seen {
    pub(super) files: BTreeSet<PolicyName>,
    /// Files that no policy can be called by, with the reason.
    pub(super) misnamed: BTreeMap<String, String>,
    /// Policies that were put by the API and whose files are not all in their places, with the reason.
    pub(super) unfinished: Vec<(PolicyName, String)>,
}

impl PolicyFolder {
    /// Shows what is wrong by now, and no longer what was and is not any more.
    pub(super) fn report(&self, folder: &Path, seen: io::Result<Option<Seen>>, unwatched: Option<String>) {
        let (shown, now) = (folder.display().to_string(), self.clock.now());
        let trouble = |what: &str, cure: &str| Trouble::new(KIND, &shown, what, cure, now);
        let mut found = Vec::new();
        if let Some(why) = unwatched {
            let what = format!("changes are seen once a minute only, since the folder cannot be watched: {why}");
            found.push(trouble(
                &what,
                "let the host read the folder, and raise fs.inotify.max_user_watches if it says so",
            ));
        }
        let all = self.host.policies();
        match seen {
            Err(error) => {
                let what = format!("it cannot be read: {error}; the revisions in force go on deciding");
                found.push(trouble(&what, "let the host read it"));
            }
            Ok(None) if all.iter().any(came_from_a_file) => {
                let what = "there is no such folder any more; the revisions in force go on deciding";
                found.push(trouble(what, "put it back"));
            }
            Ok(None) => {}
            Ok(Some(seen)) => {
                found.extend(self.wrong_names(folder, &seen));
                found.extend(self.gone(folder, &seen.files, &all));
            }
        }
        found.extend(all.iter().flat_map(|status| self.refused(folder, status)));
        self.troubles.replace(KIND, found);
    }

    fn wrong_names(&self, folder: &Path, seen: &Seen) -> Vec<Trouble> {
        let (folder, now) = (folder.display(), self.clock.now());
        let misnamed = seen.misnamed.iter().map(|(file, why)| {
            let what = format!("{folder}/{file} is left out: {why}");
            Trouble::new(KIND, file, &what, "rename the file, or take it away", now)
        });
        let unfinished = seen.unfinished.iter().map(|(name, why)| {
            let what = format!("{folder}/{why}; the policy is not read until that is mended");
            Trouble::new(KIND, &format!(".{name}.put"), &what, "make way for the file, or take the folder away", now)
        });
        misnamed.chain(unfinished).collect()
    }

    /// Policies that decide and have no file.
    fn gone(&self, folder: &Path, files: &BTreeSet<PolicyName>, all: &[PolicyStatus]) -> Vec<Trouble> {
        let folder = folder.display();
        let used = self.used();
        let gone = |status: &PolicyStatus| {
            let name = &status.name;
            let in_force = status.in_force.as_ref()?;
            let orgs = used.get(name).map(|orgs| said(orgs));
            let by_api = matches!(in_force.origin, Origin::Api { .. });
            if files.contains(name) || name.as_str() == DEFAULT_POLICY || (orgs.is_none() && !by_api) {
                return None;
            }
            let what = format!("{folder}/{name}.toml is gone; revision {} goes on deciding", in_force.revision);
            let cure = match orgs {
                Some(orgs) => format!("put the file back, or give {orgs} another policy"),
                None => format!("put the file back, or delete the policy: no organization uses {name}"),
            };
            Some(self.of_policy(name, &what, &cure))
        };
        all.iter().filter_map(gone).flatten().collect()
    }

    /// Why a policy's files are not in force.
    fn refused(&self, folder: &Path, status: &PolicyStatus) -> Vec<Trouble> {
        let Some(rejection) = status.last_rejection.as_ref().filter(|no| matches!(no.origin, Origin::File { .. }))
        else {
            return Vec::new();
        };
        let goes_on = match &status.in_force {
            Some(in_force) => format!("revision {} goes on deciding", in_force.revision),
            None => "nothing is decided until it is mended".to_owned(),
        };
        let what = format!("{}/{}.toml is refused ({goes_on}): {rejection}", folder.display(), status.name);
        self.of_policy(&status.name, &what, "mend the file that is named, or restore an earlier revision")
    }

    /// A trouble of each organization that uses a policy, or else of the host.
    fn of_policy(&self, name: &PolicyName, what: &str, cure: &str) -> Vec<Trouble> {
        let trouble = Trouble::new(KIND, &format!("{name}.toml"), what, cure, self.clock.now());
        match self.used().get(name) {
            Some(orgs) => orgs.iter().map(|org| trouble.clone().of(org)).collect(),
            None => vec![trouble],
        }
    }
}

fn came_from_a_file(status: &PolicyStatus) -> bool {
    status.in_force.as_ref().is_some_and(|in_force| matches!(in_force.origin, Origin::File { .. }))
}
