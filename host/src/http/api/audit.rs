//! What happened to a message, entry by entry.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::policy::PolicyRef;
use crate::domain::{self, ApiTokenId, Class, Ending, MessageId, Question, RecordId, SyncErrorId, Timestamp};

/// All that happened to a message.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct Audit {
    pub(crate) message: MessageId,
    /// Oldest first.
    pub(crate) entries: Vec<AuditEntry>,
}

/// Something that happened to a message.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    pub(crate) message: MessageId,
    /// Other messages that it happened to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) also: Vec<MessageId>,
    pub(crate) at: Timestamp,
    /// Orders entries of one moment.
    pub(crate) order: u64,
    pub(crate) fact: Fact,
    /// The trace of the attempt in which it happened; only where the host recorded traces then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<String>,
    /// How the request came that it follows from, where a person or a program asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<RequestOrigin>,
}

/// How a request came, as far as that is known.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct RequestOrigin {
    /// The token that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<ApiTokenId>,
    /// The address that it came from.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<IpAddr>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

impl From<domain::AuditEntry> for AuditEntry {
    fn from(domain::AuditEntry { message, also, at, order, fact, trace_id, request }: domain::AuditEntry) -> Self {
        let request = request.map(|request| {
            let domain::RequestOrigin { token, address, request_id } = *request;
            RequestOrigin { token, address, request_id }
        });
        Self { message, also, at, order, fact: Fact(fact), trace_id, request }
    }
}

/// A fact of the audit, as it is kept.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Fact(pub(crate) domain::Fact);

/// The facts that there are.
const FACTS: [&str; 17] = [
    "ARRIVED",
    "ROUTED",
    "LINKED",
    "DELIVERED",
    "NOT_ELIGIBLE",
    "CRM_SYNCHRO_ERROR",
    "PARKED",
    "QUARANTINED",
    "POLICY_FAILED",
    "POLICY_SAID",
    "RETRY_ASKED",
    "RESYNC_ASKED",
    "IGNORED",
    "REOPENED",
    "CONTACT_CHOSEN",
    "ERASED",
    "RESOLVED",
];

fn named<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

fn plain(kind: Type, doc: &'static str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(kind).description(Some(doc)).into()
}

impl PartialSchema for Fact {
    /// One object with all members that facts have: generated clients read that better than one of seventeen.
    fn schema() -> RefOr<Schema> {
        let what = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(FACTS));
        let logs = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
        let object = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("What happened. `what` tells which of the other members there are."));
        let object = object.property("what", what).required("what");
        let members = [
            ("policy", named::<PolicyRef>()),
            ("question", named::<Question>()),
            ("sync_error", named::<SyncErrorId>()),
            ("record", named::<RecordId>()),
            ("class", named::<Class>()),
            ("how", named::<Ending>()),
            ("next_attempt_at", named::<Timestamp>()),
            ("code", plain(Type::String, "The code of the refusal.")),
            ("text", plain(Type::String, "The words of the refusal.")),
            ("reason", plain(Type::String, "Why.")),
            ("by", plain(Type::String, "Who; of `ARRIVED`, how it reached the host.")),
            ("contact", plain(Type::String, "The contact that a person chose, `none` or `policy`.")),
            ("kind", plain(Type::String, "The source's word for its event.")),
            ("fault", plain(Type::String, "How the policy failed to answer.")),
            ("rule", plain(Type::String, "The rule of the policy that led to the answer.")),
            ("event", plain(Type::Integer, "The source's number of its event.")),
            ("attempt", plain(Type::Integer, "The number of the attempt.")),
            ("version", plain(Type::Integer, "The version of the conversation that was written.")),
            ("cost", plain(Type::Integer, "What the decision cost, in fuel.")),
            ("found", plain(Type::Integer, "How many contacts were found.")),
            ("created", plain(Type::Boolean, "Whether the record is new.")),
            ("logs", RefOr::T(logs.into())),
            (
                "destination",
                any(
                    "Where it goes: `{\"queue\": NAME}`, `{\"owner\": ID}`, `\"track-only\"` or `{\"not-eligible\": WHY}`.",
                ),
            ),
            (
                "link",
                any(
                    "Who the customer is: `{\"contact\": ID}`, `{\"create\": [...]}`, `\"none\"` or `{\"ambiguous\": [ID, ...]}`.",
                ),
            ),
            ("extra", any("What the event carried beyond what the host understands.")),
        ];
        members.into_iter().fold(object, |object, (name, schema)| object.property(name, schema)).into()
    }
}

/// Any JSON.
fn any(doc: &'static str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::AnyValue).description(Some(doc)).into()
}

impl ToSchema for Fact {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        fn one<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            schemas.push((T::name().into_owned(), T::schema()));
        }
        one::<PolicyRef>(schemas);
        one::<Question>(schemas);
        one::<SyncErrorId>(schemas);
        one::<RecordId>(schemas);
        one::<Class>(schemas);
        one::<Ending>(schemas);
        one::<Timestamp>(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every fact of the records, with all of its members.
    #[test]
    fn the_document_knows_the_members_of_every_fact() {
        let known = serde_json::to_value(Fact::schema()).unwrap();
        let kept = include_str!("../../ledger/testdata/format-2/audit-page.json");
        let kept: serde_json::Value = serde_json::from_str(kept).unwrap();
        fn facts<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a serde_json::Map<String, serde_json::Value>>) {
            match value {
                serde_json::Value::Object(members) if members.contains_key("what") => found.push(members),
                serde_json::Value::Object(members) => members.values().for_each(|value| facts(value, found)),
                serde_json::Value::Array(values) => values.iter().for_each(|value| facts(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        facts(&kept, &mut found);
        assert!(!found.is_empty());
        for fact in found {
            assert!(FACTS.contains(&fact["what"].as_str().unwrap()), "{fact:?}");
            for name in fact.keys() {
                assert!(!known["properties"][name].is_null(), "{name}");
            }
        }
    }
}
