//! What people ask of a lane: each is answered as of the commit that made it durable.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::choosing::Choosing;
use super::command::{Ask, Command, PutBack, Reply};
use super::{Engine, Error, LaneHandle};
use crate::domain::{
    Action, Annotation, Asker, ConversationId, Deed, ErrorQuery, Expected, Fingerprint, Group, OperationId, OrgId,
    Pick, SyncError, SyncErrorId, Task,
};
use crate::ledger::{NotPutBack, Quarantined, action_order};
use crate::telemetry;

/// How long whoever asked waits for the answer of a lane; it may be done all the same.
const PATIENCE: Duration = Duration::from_secs(20);

impl Engine {
    /// Asks for another attempt at a sync error; answers how it stands then.
    ///
    /// # Errors
    /// When there is no such sync error, or it is neither pending nor retrying.
    pub async fn retry(&self, error: &SyncErrorId, by: &Asker) -> Result<SyncError, Error> {
        self.ask_about(error, Ask::Retry, by).await
    }

    /// Ignores a sync error; answers how it stands then.
    ///
    /// # Errors
    /// When there is no such sync error, or it is neither pending nor retrying.
    pub async fn ignore(&self, error: &SyncErrorId, by: &Asker, reason: &str) -> Result<SyncError, Error> {
        self.ask_about(error, Ask::Ignore(reason.to_owned()), by).await
    }

    /// Takes an ignored sync error back; answers how it stands then.
    ///
    /// # Errors
    /// When there is no such sync error, or it is not ignored.
    pub async fn reopen(&self, error: &SyncErrorId, by: &Asker) -> Result<SyncError, Error> {
        self.ask_about(error, Ask::Reopen, by).await
    }

    /// Keeps which contact the customer of a sync error's conversation is, and sends it anew with that; answers how the sync
    /// error stands then. `instead_of` is what the asker saw chosen before.
    ///
    /// # Errors
    /// When there is no such sync error; it is over, and nothing was chosen; it does not name the contact; or somebody else
    /// has chosen meanwhile.
    pub async fn choose(
        &self,
        id: &SyncErrorId,
        pick: Pick,
        instead_of: Option<Pick>,
        by: &Asker,
    ) -> Result<SyncError, Error> {
        let error = self.ledger.sync_error(id).await?.ok_or_else(|| Error::NoSuchError(id.clone()))?;
        let lane = self.lanes.get(&error.org).ok_or_else(|| Error::NoSuchError(id.clone()))?;
        let (asked, by) = (Box::new(Choosing { error, pick, instead_of }), by.clone());
        let trace = telemetry::here().traceparent();
        self.ask(lane, |reply| Command::Choose { asked, by, trace, reply }).await
    }

    /// Puts something to a cause of an organization; answers how it stands then.
    ///
    /// # Errors
    /// When there is no such organization or cause.
    pub async fn annotate(
        &self,
        org: &OrgId,
        group: &Fingerprint,
        expected: Expected,
        annotations: Vec<Annotation>,
        by: &Asker,
    ) -> Result<Group, Error> {
        let lane = self.lanes.get(org).ok_or_else(|| Error::NoSuchOrg(org.clone()))?;
        let said = annotations.iter().map(Annotation::to_string).collect::<Vec<_>>().join("; ");
        let action = Box::new(self.action(by, Deed::GroupEdit).of(org).about(group).because(&said));
        let group = group.clone();
        self.ask(lane, |reply| Command::Annotate { group, expected, annotations, action, reply }).await
    }

    /// Ignores a conversation that waits for the end of its organization's incident; answers its sync error.
    ///
    /// # Errors
    /// When there is no such organization, or the conversation is not parked.
    pub async fn ignore_parked(
        &self,
        org: &OrgId,
        conversation: &ConversationId,
        by: &Asker,
        reason: &str,
    ) -> Result<SyncError, Error> {
        let (conversation, by, reason) = (conversation.clone(), by.clone(), reason.to_owned());
        let command = |reply| Command::IgnoreParked { conversation, by, reason, reply };
        self.ask(self.configured(org)?, command).await
    }

    /// Puts an entry of the quarantine back under its key, where its lane reads it again.
    ///
    /// # Errors
    /// When its organization has no records, or the entry has to stay where it is.
    pub async fn put_back(&self, entry: Quarantined, by: &Asker) -> Result<(), Error> {
        let Some(org) = &entry.org else { return Err(NotPutBack::NeverARecord(entry.key).into()) };
        let action = self.action(by, Deed::QuarantineRetry).of(org).about(&entry.id);
        let lane = self.lanes.get(org).ok_or_else(|| Error::NoSuchOrg(org.clone()))?;
        ask_by(&lane.put_backs, |reply| PutBack { entry, action: Some(action), reply }).await
    }

    /// Asks for another attempt at every sync error of an organization, and at what its incident holds back; answers how many
    /// conversations that are, and the operation where there are sync errors. When it answers, what was asked survives a
    /// restart; it is carried out a part at a time.
    ///
    /// # Errors
    /// When there is no such organization.
    pub async fn retry_all(&self, org: &OrgId, by: &Asker) -> Result<(u64, Option<OperationId>), Error> {
        self.configured(org)?;
        let query = ErrorQuery { orgs: [org.clone()].into(), ..ErrorQuery::default() };
        let (id, begun) = self.begin_operation(Task::Retry, &query, by, Deed::RetryAll).await?;
        let open: u64 = begun.iter().filter_map(|(_, operation)| operation.matched).sum();
        // It is one action, with the sync errors or else with what is parked.
        let action = begun.is_empty().then(|| self.action(by, Deed::RetryAll).of(org));
        let parked = self.lift(org, action).await?;
        Ok((open + parked, (!begun.is_empty()).then_some(id)))
    }

    /// The cause of an organization's incident is gone, somebody says: it is probed now. Answers how many conversations are
    /// parked. Why they say so is the action, in the same commit.
    ///
    /// # Errors
    /// When there is no such organization.
    pub async fn lift(&self, org: &OrgId, action: Option<Action>) -> Result<u64, Error> {
        self.ask(self.configured(org)?, |reply| Command::Lift { action: action.map(Box::new), reply }).await
    }

    /// An action of now.
    #[must_use]
    pub fn action(&self, by: &Asker, what: Deed) -> Action {
        Action { order: action_order(), ..Action::new(by, what, self.clock.now()) }
    }

    async fn ask_about(&self, id: &SyncErrorId, ask: Ask, by: &Asker) -> Result<SyncError, Error> {
        let known = self.ledger.sync_error(id).await?.ok_or_else(|| Error::NoSuchError(id.clone()))?;
        let lane = self.lanes.get(&known.org).ok_or_else(|| Error::NoSuchError(id.clone()))?;
        // The id may be one that an import merged into this.
        let (id, conversation, by) = (known.id, known.conversation, by.clone());
        let trace = telemetry::here().traceparent();
        self.ask(lane, |reply| Command::Error { id, conversation, ask, by, trace, reply }).await
    }

    pub(super) async fn ask<T>(
        &self,
        lane: &LaneHandle,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, Error> {
        ask_by(&lane.commands, command).await
    }
}

async fn ask_by<T, C>(way: &mpsc::Sender<C>, asked: impl FnOnce(Reply<T>) -> C) -> Result<T, Error> {
    let (reply, answer) = oneshot::channel();
    let asked = async {
        way.send(asked(reply)).await.map_err(|_| Error::Stopping)?;
        answer.await.map_err(|_| Error::Stopping)?
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(Error::TooSlow))
}
