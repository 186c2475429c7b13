//! Codes of one record's data: validation, duplicates, references, and what the organization runs when it is saved.

use super::{Rule, rule};
use crate::domain::Class::{self, Contact};
use crate::domain::Scope;

pub(super) const RULES: &[Rule] = &[
    data("REQUIRED_FIELD_MISSING").words(
        "A field that the organization requires is empty.",
        "The fields listed below: give them a default, make them optional, or let the policy fill them.",
    ),
    data("FIELD_CUSTOM_VALIDATION_EXCEPTION").words(
        "A validation rule of the organization refused the record; Salesforce's words are the rule's own.",
        "The validation rule: except the integration user, or mend the data.",
    ),
    data("FIELD_FILTER_VALIDATION_EXCEPTION RELATED_ENTITY_FILTER_VALIDATION_EXCEPTION").words(
        "A lookup filter of the organization refused the record that this one points to.",
        "The lookup filter of the field that Salesforce names.",
    ),
    data("FIELD_INTEGRITY_EXCEPTION").words(
        "Two fields of the record do not go together.",
        "Salesforce's words; state and country picklists are a frequent cause.",
    ),
    data("STRING_TOO_LONG").words(
        "A text is longer than its field.",
        "The field that Salesforce's words name: make it as long as the documentation of the fields says.",
    ),
    data("INVALID_EMAIL_ADDRESS").words(
        "Salesforce does not take this e-mail address.",
        "The customer's address in Alcmeon; mend it there, or let the policy leave it out.",
    ),
    data("NUMBER_OUTSIDE_VALID_RANGE TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET INVALID_CURRENCY_ISO TOO_MANY_ENUM_VALUE"),
    data("DUPLICATES_DETECTED").words(
        "A duplicate rule of the organization found records like this one; they are listed below.",
        "Choose one of them where a contact was to be made, merge them, or except the integration user from the duplicate rule.",
    ),
    data("DUPLICATE_VALUE").words(
        "Another record has the same value in a unique field; it is listed below where Salesforce names it.",
        "That record: merge it, or mend its value.",
    ),
    data("INVALID_CROSS_REFERENCE_KEY INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY").words(
        "A record that this one points to (contact, owner, record type, Case) is gone, or the integration user \
         does not see it.",
        "The ids in the request below, and the sharing of those records. A contact that is gone is searched for again.",
    ),
    data("ENTITY_IS_DELETED").words(
        "The record is in the recycle bin.",
        "Restore it, or retry: a contact that is gone is searched for again.",
    ),
    data("ENTITY_IS_LOCKED")
        .words("The record is locked by an approval process.", "The approval: let it end or unlock the record."),
    data("CANNOT_UPDATE_CONVERTED_LEAD INVALID_PERSON_ACCOUNT_OPERATION"),
    automation(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY CUSTOM_APEX_ERROR APEX_ERROR APEX_FAILED MIXED_DML_OPERATION SELF_REFERENCE_FROM_TRIGGER",
    ),
    automation("CANNOT_EXECUTE_FLOW_TRIGGER FLOW_EXCEPTION MAX_DEPTH_IN_FLOW_EXECUTION SELF_REFERENCE_FROM_FLOW"),
    // The words of this host itself.
    rule(Contact, Scope::Record, "CONTACT_UNCLEAR").words(
        "A contact was being made when Salesforce's answer was lost, and several could be it; they are listed below.",
        "Choose one of them for this conversation, or merge them and retry: the one that is left is linked.",
    ),
    rule(Contact, Scope::Record, "CONTACT_AMBIGUOUS").words(
        "Several contacts could be this customer; they are listed below.",
        "Choose one of them for this conversation, merge them, or let the policy's `choose` decide between them.",
    ),
    rule(Contact, Scope::Record, "CHOSEN_CONTACT_GONE").words(
        "A person said which contact this customer is, and it is not there any more: it was deleted, or merged into another.",
        "Choose another one for this conversation, or let the policy decide again.",
    ),
];

const fn data(codes: &'static str) -> Rule {
    rule(Class::Record, Scope::Record, codes)
}

const fn automation(codes: &'static str) -> Rule {
    data(codes).words(
        "What the organization itself runs when the record is saved (a trigger, a flow, Apex) refused it or broke off.",
        "The trigger, flow or class that Salesforce's words name, with whoever maintains it.",
    )
}
