//! Codes of the organization's set-up: objects, fields, rights, queues, owners and record types.

use super::{Rule, rule};
use crate::domain::Class::Config;
use crate::domain::Scope::Record;

const WRAPPED: &str = "INVALID_OPERATION CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY CANNOT_EXECUTE_FLOW_TRIGGER";

/// Codes of a value that leads to another record.
const CROSS_REFERENCE: &str = "INVALID_CROSS_REFERENCE_KEY INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY \
                               FIELD_INTEGRITY_EXCEPTION MALFORMED_ID INVALID_ID_FIELD INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD";

pub(super) const RULES: &[Rule] = &[
    queue_objects(WRAPPED).with("queue not associated with this sobject type"),
    queue_objects("INVALID_OPERATION").at("OwnerId").naming("00G"),
    rule(Config, Record, "INVALID_CROSS_REFERENCE_KEY FIELD_INTEGRITY_EXCEPTION MALFORMED_ID INVALID_ID_FIELD")
        .with("owner cannot be blank")
        .words(
            "The record would have had no owner.",
            "The policy's queue for this team, and the assignment rules of the organization.",
        ),
    // Before owners: a text about the record type may name the user who lacks it.
    record_type(CROSS_REFERENCE).with("record type").at("RecordTypeId").naming("012"),
    record_type("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY").with("record type missing"),
    rule(Config, Record, CROSS_REFERENCE).with("owner id|assigned to id").at("OwnerId").naming("00G 005").words(
        "The owner that the record was given does not exist, or may not own a record of this object.",
        "The policy's queue for this team: whether it is there and lists the object (Setup > Queues > Supported Objects); \
         whether the object has owners at all (one that is the detail of another has none).",
    ),
    rule(Config, Record, "CANNOT_REPARENT_RECORD").words(
        "The record may not be put below the one that it was given, often because an owner is inactive.",
        "The owners of the records in the request below: active users or queues.",
    ),
    rule(Config, Record, "FORBIDDEN FORBIDDEN_EXCEPTION").words(
        "The integration user may not use this, such as an Apex class.",
        "The user's permission sets: access to what Salesforce's words name.",
    ),
    rule(Config, Record, "INSUFFICIENT_ACCESS_OR_READONLY INSUFFICIENT_ACCESS INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY")
        .with("view all data")
        .words(
            "An upsert by a field that is not Unique needs the permission \"View All Data\".",
            "Whether the external id's field is Unique as well as External ID: then no such permission is needed.",
        ),
    rule(Config, Record, "QUEUE_NOT_FOUND QUEUE_NOT_UNIQUE").words(
        "The policy's queue leads nowhere, or to several.",
        "The name in the policy's mapping against the queue's developer name; whether the integration user sees \
         the queue.",
    ),
    rule(Config, Record, "INSUFFICIENT_ACCESS_OR_READONLY INSUFFICIENT_ACCESS").words(
        "The integration user may not write this record or object.",
        "The user's permission sets (create and edit on the object) and the sharing of the record.",
    ),
    rule(Config, Record, "NOT_FOUND INVALID_TYPE ENTITY_NOT_QUERYABLE INVALID_TYPE_FOR_OPERATION").words(
        "The object, field or record is not there, or the integration user does not see it.",
        "Whether Alcmeon's package is installed, the names under `[orgs.salesforce.objects]`, and the user's \
         rights to the object and its fields.",
    ),
    rule(Config, Record, "INVALID_FIELD").words(
        "A field is not there, or the integration user does not see it.",
        "The field that Salesforce's words name: its name under `[orgs.salesforce.objects]`, or in the policy's searches and \
         `fields` of contacts, and field-level security.",
    ),
    rule(Config, Record, "INVALID_FIELD_FOR_INSERT_UPDATE").words(
        "A field may not be written.",
        "Field-level security of the field that Salesforce's words name; whether it is a formula.",
    ),
    rule(Config, Record, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST").words(
        "A restricted picklist does not have this value.",
        "The picklist that Salesforce's words name: add the value, also to the record type.",
    ),
    rule(Config, Record, "DUPLICATE_EXTERNAL_ID").words(
        "Several records have this external id; nothing was written.",
        "Whether the external id's field is Unique; merge or delete the records listed below.",
    ),
    rule(Config, Record, "INACTIVE_OWNER_OR_USER").words(
        "The owner is an inactive user.",
        "Give the record another owner, or the integration user the permission \"Update Records with Inactive \
         Owners\".",
    ),
    rule(Config, Record, "OP_WITH_INVALID_USER_TYPE_EXCEPTION TRANSFER_REQUIRES_READ INVALID_ASSIGNEE_TYPE").words(
        "The new owner may not own this record.",
        "Whether the owner, or every member of the queue, has a licence for the object and may read it.",
    ),
    record_type("INVALID_RECORD_TYPE UNAVAILABLE_RECORDTYPE_EXCEPTION"),
    rule(Config, Record, "INVALID_ASSIGNMENT_RULE"),
    rule(Config, Record, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY").with("entity type cannot be").words(
        "The integration user may not do this with the object.",
        "The user's permission sets (create and edit on the object), and the user's licence.",
    ),
    rule(
        Config,
        Record,
        "INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD SHARE_NEEDED_FOR_CHILD_OWNER CHILD_SHARE_FAILS_PARENT \
         REL_FIELD_BAD_ACCESSIBILITY REQUIRED_FEATURE_MISSING",
    ),
    rule(Config, Record, "PACKAGE_LICENSE_REQUIRED PACKAGE_DISABLED").words(
        "The managed package that the object belongs to is disabled, or the integration user has no licence of it.",
        "Setup > Installed Packages > Manage Licenses: give the integration user one.",
    ),
];

const fn queue_objects(codes: &'static str) -> Rule {
    rule(Config, Record, codes).words(
        "The queue does not list the object among those that it may own.",
        "Setup > Queues > the queue > Supported Objects: add the object; the check \"queues\" lists the queues \
         that lack it.",
    )
}

const fn record_type(codes: &'static str) -> Rule {
    rule(Config, Record, codes).words(
        "The record type may not be used by the integration user, or there is none for this object.",
        "The record types assigned to the user's profile or permission sets.",
    )
}
