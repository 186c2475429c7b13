//! Keys of indexes to which no record leads.

use super::{Recount, Verified, leading_to};
use crate::domain::{Conversation, Delivery, OrgId, State, SyncError, SyncErrorId, Work};
use crate::ledger::{Ledger, key, record};
use crate::store::{Error, Pair};

impl Ledger {
    /// Counts the keys of an organization's indexes; where there are not as many as there should be, and where one was
    /// missing, each is asked for its record.
    pub(super) async fn compare_indexes(
        &self,
        org: &OrgId,
        recount: &Recount,
        verified: &mut Verified,
    ) -> Result<(), Error> {
        let lists = State::ALL.map(|state| key::error_list(org, state));
        let others = Work::ALL.map(|work| key::ready(org, work)).into_iter();
        let others = others.chain([key::due(org), key::parked(org), key::aged(org)]);
        let others: Vec<_> =
            others.chain([key::error_groups(org), key::error_terms(org, ""), key::customers(org, "")]).collect();
        let mut found = 0;
        for prefix in lists.iter().chain(&others) {
            self.each(prefix, true, |_| {
                found += 1;
                Ok(())
            })
            .await?;
        }
        if found == recount.indexed && verified.differences == 0 {
            return Ok(());
        }
        for prefix in lists.iter().chain(&others) {
            let mut after = None;
            while let Some(chunk) = self.chunk(prefix, &mut after, true).await? {
                self.look_for_strays(org, chunk, verified).await?;
            }
        }
        Ok(())
    }

    async fn look_for_strays(&self, org: &OrgId, chunk: Vec<Pair>, verified: &mut Verified) -> Result<(), Error> {
        let of_error = |name: &[u8]| name.starts_with(b"error-");
        let of_customer = |name: &[u8]| name.starts_with(b"customer/");
        let mut records = Vec::with_capacity(chunk.len());
        for (name, _) in &chunk {
            records.push(match of_error(name) {
                true => key::error(&key::part::<SyncErrorId>(name, 0)?).into_bytes(),
                false if of_customer(name) => key::conversation(org, &key::part(name, 0)?).into_bytes(),
                false => key::delivery(org, &key::part(name, 0)?).into_bytes(),
            });
        }
        let values = self.store.get_many(records).await?;
        for ((name, _), value) in chunk.iter().zip(values) {
            let leads = |value: Vec<u8>| match of_error(name) {
                true => record::decode::<SyncError>(name, &value).map(|error| leading_to(&error)).unwrap_or_default(),
                false if of_customer(name) => {
                    let conversation = record::decode::<Conversation>(name, &value).ok();
                    conversation.iter().flat_map(|it| key::indexes_of_conversation(org, it)).collect()
                }
                false => {
                    let id = key::part(name, 0).ok();
                    let delivery = record::decode::<Delivery>(name, &value).ok();
                    id.zip(delivery).map(|(id, delivery)| key::of_delivery(org, &id, &delivery)).into_iter().collect()
                }
            };
            let leading = value.map(leads).unwrap_or_default();
            if leading.iter().all(|key| key.as_bytes() != name) {
                let stray = String::from_utf8_lossy(name);
                verified.differs(format!("the index has {stray}, to which no record leads"));
            }
        }
        Ok(())
    }
}
