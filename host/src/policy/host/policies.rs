//! Policies and their changes, as the face has them.

use tokio::sync::watch;

use super::PolicyHost;
use crate::domain::{BrakeSettings, Origin, PluginName, PolicyName, PolicyRevision, PolicySource, Timestamp};
use crate::policy::change::{Candidate, PolicyStatus, RolledBack};
use crate::policy::revision::{PolicyProblem, Rejection};

impl PolicyHost {
    /// Puts a policy in force from the next decision on, in milliseconds; it is frozen behind the first one, see
    /// [`settled`](Self::settled). The same texts with the same plugins keep their revision.
    ///
    /// # Errors
    /// When it cannot be read, configured, answer a sample or be kept; then whatever was in force stays so.
    pub async fn apply(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        self.changes.apply(name, source).await
    }

    /// Puts back what was in force before; why a newer revision was refused or rolled back is still told.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn put_back(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        self.changes.put_back(name, source).await
    }

    /// A policy that is not in force, to see what it would decide. Nothing is kept of it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn candidate(&self, name: PolicyName, source: PolicySource) -> Result<Candidate, Rejection> {
        self.changes.candidate(name, source).await
    }

    /// The same for many questions, call after call: it decides from snapshots where they can be made, and is kept until
    /// another one is asked for. `made_of` tells its name and texts from others.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn candidate_for_many(
        &self,
        made_of: String,
        name: PolicyName,
        source: PolicySource,
    ) -> Result<Candidate, Rejection> {
        let make = async {
            let candidate = self.changes.candidate(name.clone(), source).await?;
            self.settled(&name).await;
            Ok(self.snapshotting.candidate(candidate).await)
        };
        self.previewed.get(made_of, make).await
    }

    /// There are no more questions for the candidate of [`candidate_for_many`](Self::candidate_for_many).
    pub async fn drop_candidate(&self, made_of: &str) {
        self.previewed.drop_one(made_of).await;
    }

    /// The revision in force, or the default policy's where there is none, to be asked without counting it.
    #[must_use]
    pub fn in_force(&self, name: &PolicyName) -> Option<Candidate> {
        self.changes.in_force(name)
    }

    /// Lets a candidate answer beside the policy in force, in place of any before it, until it is put in force itself or
    /// [`end_shadow`](Self::end_shadow) is called.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and when it is in force already.
    pub async fn start_shadow(&self, name: PolicyName, source: PolicySource) -> Result<PolicyStatus, Rejection> {
        self.changes.start_shadow(name, source).await
    }

    /// Goes on with the shadow that each policy had when the host was stopped; once everything is in force.
    pub async fn resume_shadows(&self, now: Timestamp) {
        self.changes.resume_shadows(now).await;
    }

    /// Says no to files that could not be read: whatever was in force stays so, and where nothing was, nothing is decided.
    pub async fn refuse_unread(
        &self,
        name: PolicyName,
        origin: Origin,
        at: Timestamp,
        problems: Vec<PolicyProblem>,
    ) -> Rejection {
        self.changes.refuse_unread(name, origin, at, problems).await
    }

    /// Ends a policy: nothing of it is in force, nor asked beside it. Its revisions are kept. `false` when there was nothing
    /// to end.
    ///
    /// # Errors
    /// Why that could not be kept; then it goes on.
    pub async fn retire(&self, name: &PolicyName, now: Timestamp) -> Result<bool, String> {
        self.changes.retire(name, now).await
    }

    /// Forgets why the newest change of a policy was refused; a change that waits for a plugin waits no more. `false` when there
    /// was nothing to forget, or when nothing is in force.
    pub fn forget_rejection(&self, name: &PolicyName) -> bool {
        self.policies.get(name).is_some_and(|policy| policy.forget_rejection())
    }

    /// Ends the shadow of a policy; `false` when there was none.
    pub async fn end_shadow(&self, name: &PolicyName, now: Timestamp) -> bool {
        self.changes.end_shadow(name, now).await
    }

    /// Applies the policies again that name a plugin and no digest of it, now that another component of it is there;
    /// and those that were refused because it was not. What was rolled back comes back only for a person.
    pub async fn apply_again(
        &self,
        plugin: &PluginName,
        by_person: bool,
        at: Timestamp,
    ) -> Vec<Result<PolicyStatus, Rejection>> {
        self.changes.apply_again(plugin, by_person, at).await
    }

    /// The newest rollback of a policy since the start, and those that follow; the policy need not be there yet.
    #[must_use]
    pub fn rollbacks(&self, name: &PolicyName) -> watch::Receiver<Option<RolledBack>> {
        self.policies.get_or_create(name).rollbacks()
    }

    /// How a policy stands once the revision in force is frozen, or known not to freeze; it need not have decided yet.
    pub async fn settled(&self, name: &PolicyName) -> Option<PolicyStatus> {
        let policy = self.policies.get(name)?;
        self.snapshotting.settled(&policy).await;
        Some(PolicyStatus::of(&self.policies, name, &policy))
    }

    /// Every policy of which there is more to tell than its revisions, by name.
    #[must_use]
    pub fn policies(&self) -> Vec<PolicyStatus> {
        let all = self.policies.all();
        let known = all.iter().filter(|(_, policy)| policy.is_known());
        known.map(|(name, policy)| PolicyStatus::of(&self.policies, name, policy)).collect()
    }

    /// One of them.
    #[must_use]
    pub fn policy(&self, name: &PolicyName) -> Option<PolicyStatus> {
        let policy = self.policies.get(name).filter(|policy| policy.is_known())?;
        Some(PolicyStatus::of(&self.policies, name, &policy))
    }

    /// The names of all policies of which any revision is kept, or there is anything to tell.
    #[must_use]
    pub fn names(&self) -> Vec<PolicyName> {
        self.policies.all().into_keys().collect()
    }

    /// The texts of the revision in force.
    #[must_use]
    pub fn source(&self, name: &PolicyName) -> Option<PolicySource> {
        self.policies.get(name)?.in_force().map(|revision| revision.draft.source.clone())
    }

    /// How much a policy may ignore by itself.
    #[must_use]
    pub fn brake(&self, of: &PolicyName) -> BrakeSettings {
        self.policies.get(of).and_then(|policy| policy.in_force()).map_or_else(Default::default, |it| it.draft.brake())
    }

    /// Every revision of a policy that is kept, oldest first.
    #[must_use]
    pub fn revisions(&self, name: &PolicyName) -> Vec<PolicyRevision> {
        self.policies.get(name).map_or_else(Vec::new, |policy| policy.revisions())
    }

    /// One revision of a policy, by its number.
    #[must_use]
    pub fn revision(&self, name: &PolicyName, number: u32) -> Option<PolicyRevision> {
        self.policies.get(name)?.revision(number)
    }
}
