//! A person wants conversations of a customer forgotten: what they asked is on disk, in the inboxes, before it is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Error};
use crate::domain::{AccountId, Action, Arrival, Asker, Deed, MessageId, OrgId, SourceId};
use crate::ledger::{Delivered, OfCustomer};

/// How long whoever asked waits for the lanes; what they asked goes on.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was asked to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasing {
    /// Conversations, in each organization that has them.
    pub asked: usize,
    /// How many of them wait for their lanes still.
    pub waiting: usize,
}

impl Engine {
    /// Forgets what was said in conversations and who said it, in some organizations: in their records and wherever else there are
    /// words of them. When it answers, what was asked survives a kill.
    ///
    /// # Errors
    /// When the store cannot be read, or cannot be written: then nothing is forgotten.
    pub async fn erase(self: &Arc<Self>, conversations: &[OfCustomer], by: &Asker) -> Result<Erasing, Error> {
        let now = self.clock.now();
        let (mut delivered, mut by_org) = (Delivered::default(), BTreeMap::<OrgId, Vec<u64>>::new());
        for of in conversations {
            let Some(named) = names(of) else { continue };
            delivered.forgotten.extend(self.ledger.quarantined_from(&named.0, &of.id).await?);
            let (number, arrival) = (self.inbox.number(now), Arrival::erasing(of.id.clone(), named, &by.name, now));
            by_org.entry(of.org.clone()).or_default().push(number);
            delivered.arrivals.push((of.org.clone(), number, arrival));
        }
        delivered.actions =
            by_org.iter().map(|(org, numbers)| self.erased(org, numbers.len(), conversations, by)).collect();
        let asked = delivered.arrivals.len();
        let engine = Arc::clone(self);
        let kept = tokio::spawn(async move { engine.keep_delivered(&delivered).await });
        kept.await.map_err(|_| Error::Stopping)??;
        // Whoever gives up waiting is told how many wait.
        let _ = tokio::time::timeout(PATIENCE, self.carried_out(&by_org)).await;
        let mut waiting = 0;
        for (org, numbers) in &by_org {
            waiting += self.ledger.still_in_inbox(org, numbers).await?;
        }
        Ok(Erasing { asked, waiting })
    }

    /// The action: how many, by whom, and no name.
    fn erased(&self, org: &OrgId, count: usize, conversations: &[OfCustomer], by: &Asker) -> Action {
        let action = self.action(by, Deed::Erase).of(org).counting(count as u64);
        match conversations.iter().find(|of| of.org == *org) {
            Some(of) if count == 1 => action.about(&of.id),
            _ => action,
        }
    }

    /// Returns when the lanes have taken these arrivals.
    async fn carried_out(&self, by_org: &BTreeMap<OrgId, Vec<u64>>) -> Result<(), Error> {
        for (org, numbers) in by_org {
            let mut health = self.watch(org)?;
            loop {
                health.borrow_and_update();
                if self.ledger.still_in_inbox(org, numbers).await? == 0 {
                    break;
                }
                health.changed().await.map_err(|_| Error::Stopping)?;
            }
        }
        Ok(())
    }
}

/// By which source, account and message a conversation is named. One whose record cannot be read is named by its id.
fn names(of: &OfCustomer) -> Option<(SourceId, AccountId, MessageId)> {
    if let Some(known) = &of.conversation {
        let newest = known.newest().map(|message| message.id.clone()).or_else(|| MessageId::new(of.id.as_str()).ok());
        return Some((known.source.clone(), known.account.clone(), newest?));
    }
    let source = of.id.as_str().split(':').next().unwrap_or_default();
    Some((SourceId::new(source).ok()?, AccountId::new(source).ok()?, MessageId::new(of.id.as_str()).ok()?))
}
