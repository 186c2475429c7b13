//! What is true without a network, a disk or a clock: conversations, deliveries, refusals and sync errors.

mod action;
mod address;
mod admission;
mod advice;
mod alerting;
mod api_token;
mod arrival;
mod audit;
mod bounds;
mod brake;
mod conversation;
mod decision;
mod delivery;
mod erasure;
mod error_query;
mod error_summary;
mod etag;
mod evidence;
mod field_path;
mod fingerprint;
mod folding;
mod group;
mod group_query;
mod host_event;
mod idempotency;
mod ids;
mod incident;
mod merge;
mod mode;
mod operation;
mod org_settings;
mod pace;
mod person;
mod policy;
mod refusal;
mod resync;
mod schedule;
mod secret;
mod sent_mail;
mod sync_error;
mod time;
mod unsynced;

pub use action::{Action, Asker, Deed, RequestOrigin, Via};
pub use address::{BaseUrl, BaseUrlError};
pub use admission::{Admission, Demand, Room};
pub use advice::Advice;
pub use alerting::{
    AlertSettings, AlertState, BrakedCause, Checks, IncidentEnd, News, Notice, OngoingIncident, PendingCause, Planned,
    Rollback, Situation, SourceHealth, plan as plan_alerts,
};
pub use api_token::{API_TOKEN_PREFIX, ApiToken, ConsoleSession, TokenScope, api_token_text, is_api_token, token_name};
pub use arrival::{Arrival, ReachedBy};
pub use audit::{AuditEntry, Fact};
pub use bounds::{BODIES_BYTES, BODY_BYTES, CONVERSATION_BYTES, is_hidden};
pub use brake::{Brake, BrakeSettings, Hold, Judged, Why};
pub use conversation::{Attribute, Conversation, Customer, Direction, MESSAGES_KEPT, Message};
pub use decision::{
    Contact, ContactSearch, Decision, Destination, FOUND_BY, Fault, Link, PolicyRef, Question, Verdict,
};
pub use delivery::{
    Chosen, Creation, Delivery, Effect, Event, Failure, InOperation, OpenError, Phase, Pick, Records, Retried, Routed,
    Work, step,
};
pub(crate) use erasure::ERASED;
pub use error_query::{ErrorQuery, Period, has_words};
pub use error_summary::{ErrorCounts, ErrorPlace, ErrorSummary, Glance};
pub use etag::{Expected, NoTags, Stale};
pub use evidence::{ANSWER_BYTES, AnswerReceived, RequestSent};
pub use field_path::{FieldPath, FieldPathError};
pub use fingerprint::{Cause, Fingerprint, FingerprintError, Identity};
pub use folding::folded;
pub use group::{ASSIGNEE, Annotation, Condition, GROUPS_KEPT, Group, GroupChange, Histogram, NOTE, TICKET};
pub use group_query::{GroupOrder, GroupPlace, GroupQuery};
pub use host_event::{EventType, GroupStood, HostEvent};
pub use idempotency::IdempotencyKey;
pub use ids::{
    AccountId, ApiTokenId, ConversationId, IdError, MessageId, OperationId, OrgId, PluginName, PolicyName, RecordId,
    SourceId, SyncErrorId,
};
pub use incident::{Incident, IncidentEvent, IncidentStatus, Passage};
pub use merge::{Merge, merge};
pub use mode::{Mode, Way};
pub use operation::{Next, Operation, OperationOver, OperationStatus, Part, Task};
pub use org_settings::{ChangedSetting, Changing, Mute, OrgSettings, SettingChanges, SettingsInForce, SettingsPatch};
pub use pace::{Pace, Quota};
pub use person::{Person, names, search_term};
pub use policy::{History, Origin, PolicyRevision, PolicySource, RevisionState};
pub use refusal::{Blame, CHOSEN_CONTACT_GONE, Choice, Class, Refusal, Scope};
pub use resync::{ResyncQuery, Sweep};
pub use schedule::{Plan, plan};
pub use secret::{RefreshToken, Secret};
pub use sent_mail::{MailOutcome, SentMail};
pub use sync_error::{Change, Ending, Moment, State, SyncError, TransitionError};
pub use time::Timestamp;
pub use unsynced::{Unsynced, WaitsFor};
