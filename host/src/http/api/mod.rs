//! The shapes of the API: what requests have and answers show, apart from the records that are kept. Each is described here
//! once, for those who read the document as for the clients that are generated from it.

mod action;
mod audit;
mod authorization;
mod candidates;
mod conversation;
mod coverage;
mod customer;
mod environment;
mod event;
mod group;
mod intake;
mod mail;
mod operation;
mod org;
mod plugin;
mod policy;
mod preview;
mod problem;
mod quarantine;
mod revision;
mod settings;
mod sync_error;
mod token;
mod trouble;
mod values;

pub(crate) use self::action::{Action, ActionList};
pub(crate) use self::audit::{Audit, AuditEntry, Fact, RequestOrigin};
pub(crate) use self::authorization::{AuthorizationCode, AuthorizationRequest, AuthorizationStart, Authorized};
pub(crate) use self::candidates::{Candidate, CandidateList, ContactChoice};
pub(crate) use self::conversation::{
    Conversation, Details, ErrorLine, InOrg as ConversationInOrg, Message, Parked, ParkedList, Record,
};
pub(crate) use self::coverage::Coverage;
pub(crate) use self::customer::{CustomerList, Erasure, ErasureRequest, OfCustomer};
pub(crate) use self::environment::{Environment, EnvironmentList};
pub(crate) use self::event::Event;
pub(crate) use self::group::{ErrorCounts, Group, GroupChange, GroupList, Hour};
pub(crate) use self::intake::{
    Conversation as IntakeConversation, Message as IntakeMessage, NotificationReceipt, Receipt, Unusable,
};
pub(crate) use self::mail::{Mail, MailList, Outcome as MailOutcome, TestMail, Tested, TestedMails};
pub(crate) use self::operation::{
    DryRun, InOrg, MatchedGroup, Operation, OperationList, OperationRequest, OperationSums,
};
pub(crate) use self::org::{
    Check, DepartedOrg, Health, LastReport, Org, OrgList, Report, RetryAll, Salesforce, Source, Unsynced,
};
pub(crate) use self::plugin::{Plugin, PluginList, PluginPull, RefusedPlugin, TakenPlugin};
pub(crate) use self::policy::{Faults, Policy, PolicyList, PolicyProblem, PolicyStatus, PolicyTexts};
pub(crate) use self::preview::Preview;
pub(crate) use self::problem::{Conflict, Kind, PAGES, Problem, Stale};
pub(crate) use self::quarantine::{QuarantineEntry, QuarantineList, Quarantined, Recount};
pub(crate) use self::revision::{Revision, RevisionList};
pub(crate) use self::settings::{OrgSettings, Setting, SettingOrigin, SettingsChange};
pub(crate) use self::sync_error::{Decided, Evidence, Ignore, SyncError, SyncErrorList};
pub(crate) use self::token::{MadeToken, Token, TokenList, TokenRequest, TokenSource, TokenStatus};
pub(crate) use self::trouble::{Trouble, TroubleList};
