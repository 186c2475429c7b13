//! Revisions of policies, and what nobody asked for by a request: a file that was changed, a revision that was taken back.

use super::{Ledger, action_order, actions, events, key, record};
use crate::domain::{Action, Asker, Deed, HostEvent, Origin, PolicyName, PolicyRevision, RevisionState, Via};
use crate::store::{Batch, Error};

/// Who does what nobody asked for.
const HOST: &str = "switchyard";

impl Ledger {
    /// The revisions of every policy. One that cannot be read is left out, and told.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn policy_revisions(&self) -> Result<Vec<(PolicyName, PolicyRevision)>, Error> {
        let mut all = Vec::new();
        self.each(key::REVISIONS, false, |(name, value)| {
            let revision =
                key::part(&name, 1).and_then(|policy| Ok((policy, record::decode::<PolicyRevision>(&name, &value)?)));
            match revision {
                Ok(revision) => all.push(revision),
                Err(error) => tracing::error!(%error, "a revision of a policy is left out"),
            }
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// Keeps revisions of a policy, and forgets others of it. What came by a file, and what was rolled back, is an action that
    /// is kept with it; so are the events.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn keep_policy_revisions(
        &self,
        policy: &PolicyName,
        revisions: &[PolicyRevision],
        forgotten: &[u32],
    ) -> Result<(), Error> {
        let place = |revision: &PolicyRevision| key::policy_revision(policy, revision.number);
        let keys: Vec<_> = revisions.iter().map(|revision| place(revision).into_bytes()).collect();
        let known = self.store.get_many(keys.clone()).await?;
        let before = keys.iter().zip(known).map(|(name, value)| {
            let known: Option<PolicyRevision> = value.and_then(|value| record::decode(name, &value).ok());
            known.map(|known| known.state)
        });
        let moved: Vec<_> = revisions
            .iter()
            .zip(before)
            .filter(|(now, before)| *before != Some(now.state))
            .map(|(now, _)| now)
            .collect();
        let action = unasked(policy, &moved);
        let mut batch = Batch::default();
        for revision in revisions {
            batch.put(place(revision), record::encode(revision));
        }
        for number in forgotten {
            batch.delete(key::policy_revision(policy, *number));
        }
        action.iter().for_each(|action| actions::put(&mut batch, action));
        let told: Vec<_> = moved.iter().filter_map(|revision| HostEvent::of_revision(policy, revision)).collect();
        events::append(&mut batch, &told);
        self.store.commit(batch).await?;
        action.iter().for_each(actions::tell);
        Ok(())
    }
}

/// What these moves of revisions are an action of, where no request asked for them.
fn unasked(policy: &PolicyName, moved: &[&PolicyRevision]) -> Option<Action> {
    let of = |state| moved.iter().find(|revision| revision.state == state);
    let (revision, what, by, via) = match (of(RevisionState::RolledBack), of(RevisionState::InForce)) {
        (Some(back), _) => (back, Deed::PolicyRollBack, HOST, Via::Host),
        (None, Some(now)) => match &now.source.origin {
            Origin::File { path } => (now, Deed::PolicyPut, path.as_str(), Via::Folder),
            Origin::Embedded | Origin::Registry { .. } | Origin::Api { .. } => return None,
        },
        (None, None) => return None,
    };
    let asker = Asker::new(by, via, None);
    let action = Action { order: action_order(), ..Action::new(&asker, what, revision.changed_at) };
    let about = action.about(format!("{policy} revision {}", revision.number));
    Some(match &revision.reason {
        Some(reason) => about.because(reason),
        None => about,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{PolicySource, Timestamp};
    use crate::ledger::ActionFilter;
    use crate::store::{MemoryStore, Store};

    fn revision(number: u32, state: RevisionState, origin: Origin) -> PolicyRevision {
        let at = Timestamp::from_millis(number.into());
        PolicyRevision {
            number,
            digest: number.to_string(),
            source: PolicySource { toml: String::new(), scripts: std::collections::BTreeMap::default(), origin, at },
            plugins: std::collections::BTreeMap::default(),
            state,
            reason: (state == RevisionState::RolledBack).then(|| "it refused".to_owned()),
            changed_at: at,
        }
    }

    #[tokio::test]
    async fn a_changed_file_and_a_rollback_are_actions_once_and_a_request_is_none_of_its_own() {
        use RevisionState::{InForce, Retired, RolledBack};
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let ledger = Ledger::new(store);
        let policy = PolicyName::new("acme").unwrap();
        let file = || Origin::File { path: "policies/acme.toml".to_owned() };
        let keep = async |revisions: &[PolicyRevision]| {
            ledger.keep_policy_revisions(&policy, revisions, &[]).await.unwrap();
        };
        keep(&[revision(1, InForce, file())]).await;
        // The next start finds the same.
        keep(&[revision(1, InForce, file())]).await;
        keep(&[revision(1, Retired, file()), revision(2, InForce, Origin::Api { by: "ann".to_owned() })]).await;
        let back = [revision(1, InForce, file()), revision(2, RolledBack, Origin::Api { by: "ann".to_owned() })];
        keep(&back).await;
        keep(&back).await;
        let page = ledger.actions(&ActionFilter::default(), None, 10).await.unwrap();
        let told: Vec<_> =
            page.actions.iter().map(|(_, it)| (it.what, it.by.as_str(), it.subject.as_deref())).collect();
        let expected = [
            (Deed::PolicyRollBack, "switchyard", Some("acme revision 2")),
            (Deed::PolicyPut, "policies/acme.toml", Some("acme revision 1")),
        ];
        assert_eq!(told, expected);
        assert_eq!(page.actions[0].1.reason.as_deref(), Some("it refused"));
        let told = ledger.events(0, 10).await.unwrap().unwrap().events;
        let told: Vec<_> = told.iter().map(|(_, event)| (event.what.as_str(), event.revision)).collect();
        let in_force = |revision| ("policy.in_force", Some(revision));
        assert_eq!(told, [in_force(1), in_force(2), in_force(1), ("policy.rolled_back", Some(2))]);
    }
}
