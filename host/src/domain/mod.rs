//! What is true without a network, a disk or a clock: conversations, deliveries, refusals and sync errors.

mod address;
mod advice;
mod arrival;
mod audit;
mod bounds;
mod breaker;
mod conversation;
mod decision;
mod delivery;
mod erasure;
mod ids;
mod mode;
mod pace;
mod policy;
mod refusal;
mod schedule;
mod secret;
mod sync_error;
mod time;

pub use address::{BaseUrl, BaseUrlError};
pub use advice::Advice;
pub use arrival::{Arrival, Channel, Merge, merge};
pub use audit::{AuditEntry, Fact};
pub use bounds::{BODIES_BYTES, BODY_BYTES};
pub use breaker::{Breaker, Passage};
pub use conversation::{Attribute, Conversation, Customer, Direction, MESSAGES_KEPT, Message};
pub use decision::{Contact, ContactSearch, Decision, Destination, Fault, Link, PolicyRef, Question, Verdict};
pub use delivery::{Delivery, Effect, Event, Failure, Phase, Records, step};
pub use ids::{
    AccountId, ConversationId, IdError, MessageId, OrgId, PluginName, PolicyName, RecordId, SourceId, SyncErrorId,
};
pub use mode::{Mode, Way};
pub use pace::{Pace, Quota};
pub use policy::{History, Origin, PolicyRevision, PolicySource, RevisionState};
pub use refusal::{Blame, Choice, Class, Refusal, RequestSent, Scope};
pub use schedule::{Plan, plan};
pub use secret::{RefreshToken, Secret};
pub use sync_error::{Change, Ending, ErrorCounts, State, SyncError, TransitionError};
pub use time::Timestamp;
