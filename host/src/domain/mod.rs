//! What is true without a network, a disk or a clock: conversations, deliveries, refusals and sync errors.

mod address;
mod admission;
mod advice;
mod alerting;
mod arrival;
mod audit;
mod bounds;
mod conversation;
mod decision;
mod delivery;
mod erasure;
mod error_summary;
mod field_path;
mod fingerprint;
mod group;
mod ids;
mod incident;
mod merge;
mod mode;
mod operation;
mod pace;
mod policy;
mod refusal;
mod schedule;
mod secret;
mod sync_error;
mod time;

pub use address::{BaseUrl, BaseUrlError};
pub use admission::{Admission, Demand, Room};
pub use advice::Advice;
pub use alerting::{
    AlertSettings, AlertState, Checks, IncidentEnd, News, Notice, OngoingIncident, PendingCause, Planned, Rollback,
    Situation, plan as plan_alerts,
};
pub use arrival::{Arrival, ReachedBy};
pub use audit::{AuditEntry, Fact};
pub use bounds::{BODIES_BYTES, BODY_BYTES, CONVERSATION_BYTES, is_hidden};
pub use conversation::{Attribute, Conversation, Customer, Direction, MESSAGES_KEPT, Message};
pub use decision::{
    Contact, ContactSearch, Decision, Destination, FOUND_BY, Fault, Link, PolicyRef, Question, Verdict,
};
pub use delivery::{Creation, Delivery, Effect, Event, Failure, OpenError, Phase, Records, Work, step};
pub use error_summary::{ErrorCounts, ErrorSummary};
pub use field_path::{FieldPath, FieldPathError};
pub use fingerprint::{Cause, Fingerprint, FingerprintError, Identity};
pub use group::{Annotation, Condition, GROUPS_KEPT, Group, GroupChange, Histogram};
pub use ids::{
    AccountId, ConversationId, IdError, MessageId, OrgId, PluginName, PolicyName, RecordId, SourceId, SyncErrorId,
};
pub use incident::{Incident, IncidentEvent, IncidentStatus, Passage};
pub use merge::{Merge, merge};
pub use mode::{Mode, Way};
pub use operation::Operation;
pub use pace::{Pace, Quota};
pub use policy::{History, Origin, PolicyRevision, PolicySource, RevisionState};
pub use refusal::{Blame, Choice, Class, Refusal, RequestSent, Scope};
pub use schedule::{Plan, plan};
pub use secret::{RefreshToken, Secret};
pub use sync_error::{Change, Ending, Moment, State, SyncError, TransitionError};
pub use time::Timestamp;
