//! How ids, times and words of the domain look in the document: they mean the same in the API and in the records.

use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::{
    AccountId, ApiTokenId, Class, Condition, ConversationId, Deed, Direction, Ending, EventType, Fingerprint,
    MessageId, OperationId, OperationStatus, OrgId, PluginName, PolicyName, Question, RecordId, RevisionState, Scope,
    SourceId, State, SyncErrorId, Timestamp, TokenScope, Via, WaitsFor, Why,
};
use crate::policy::Isolation;

/// What an id that comes from outside may be made of.
const ID: &str = "^[A-Za-z0-9._:-]{1,128}$";

macro_rules! texts {
    ($($name:ident: $pattern:expr, $example:literal, $doc:literal;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some($doc));
                text.pattern($pattern).examples([$example]).into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

texts! {
    ApiTokenId: Some(ID), "tok-019c3e2b4f7qk2vx7ahz4", "A token's id, which is no secret. That of the configuration's begins with `file-`.";
    OrgId: Some(ID), "travel", "An organization's id, as the configuration has it.";
    SourceId: Some(ID), "main", "The id of a source of conversations: an Alcmeon environment or a platform at the intake.";
    AccountId: Some(ID), "6", "A connected page or number of a source.";
    ConversationId: Some(ID), "main:4711", "A conversation: its source, a colon, and the source's own id.";
    MessageId: Some(ID), "main:4711-2", "A message: its source, a colon, and the source's own id.";
    SyncErrorId: Some(ID), "err-3ow4t2uvm5l6c", "A sync error.";
    Fingerprint: Some("^gr-[0-9][a-z2-7]{20}$"), "gr-1n5qk2vx7ahz4bwe3cry6", "A cause: what failures of one kind have in common.";
    OperationId: Some(ID), "op-abcdefghijklmnopqrst", "An operation.";
    PolicyName: Some(ID), "travel-router", "A policy's name.";
    PluginName: Some(ID), "table", "A plugin's name.";
    RecordId: Some(ID), "500Wd00000AbCdEIAV", "The id of a record in Salesforce, in its form of 18 characters.";
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        let text = ObjectBuilder::new().schema_type(Type::String).format(Some(format));
        text.description(Some("A moment (RFC 3339), in UTC, with milliseconds."))
            .examples(["2026-11-26T08:00:00.000Z"])
            .into()
    }
}

impl ToSchema for Timestamp {}

macro_rules! words {
    ($($name:ident as $called:literal, $doc:literal: $($variant:ident)*;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                // One that is new has to be listed.
                const _: fn($name) = |it| match it { $($name::$variant => (),)* };
                let words = [$($name::$variant),*].map(|word| serde_json::to_value(word).unwrap_or_default());
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).description(Some($doc)).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $called.into()
            }
        }
    )*};
}

words! {
    State as "SyncErrorState", "Where a sync error stands: `pending` waits for a person, `retrying` is tried again by itself, \
        `ignored` and `resolved` are over.": Pending Retrying Ignored Resolved;
    Class as "ErrorClass", "What can be done about a refusal.":
        Transient Limit Auth Config Record Ordering Request Contact Policy Unclassified;
    Scope as "RefusalReach", "What a refusal is about: one record, or the organization as a whole.": Record Org;
    Ending as "Ending", "How a sync error ended.": Delivered Superseded NotEligible;
    Condition as "GroupCondition", "How a cause develops.": New Ongoing Escalating Regressed Quiet;
    OperationStatus as "OperationStatus", "Where an operation stands.": Running Paused Cancelled Done;
    Question as "Question", "What a policy is asked.": Route Search Choose Judge;
    RevisionState as "RevisionState", "What became of a policy's revision.":
        Preparing Ready InForce Refused RolledBack Retired;
    WaitsFor as "WaitsFor", "What a conversation waits for.": Merge Place Retry IncidentEnd;
    Why as "HoldReason", "Why a policy may not ignore a cause by itself.": New TooMany Expired Person;
    Isolation as "Isolation", "What keeps one decision of a policy from the next.": Decision Policy;
    Via as "Via", "The way by which something was asked for.": Api Console Folder Host;
    TokenScope as "TokenScope", "What a token may be used for.": Read Errors Policies Intake Connect Backup Tokens Erase;
    Direction as "Direction", "Who wrote to whom.": Inbound Outbound;
}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        let words = Self::ALL.iter().map(|what| what.as_str());
        let text = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
        text.description(Some("What changed. `reset` says that events are missing before it.")).into()
    }
}

impl ToSchema for EventType {}

impl PartialSchema for Deed {
    fn schema() -> RefOr<Schema> {
        let words = Self::ALL.iter().map(|deed| deed.as_str());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words))
            .description(Some("What was done."))
            .into()
    }
}

impl ToSchema for Deed {
    fn name() -> std::borrow::Cow<'static, str> {
        "Deed".into()
    }
}
