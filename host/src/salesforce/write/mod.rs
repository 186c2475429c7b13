//! Writing records: what is written of a conversation, and how many leave in one call.

mod batch_upsert;
mod batcher;
mod records;

pub(super) use batch_upsert::BatchUpserts;
pub(super) use batcher::Object;
pub use batcher::{RECORDS, Upserted};
pub use records::{CaseWrite, ConversationWrite};
pub(super) use records::{case_fields, conversation_fields};
