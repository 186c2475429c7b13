//! Answers of Salesforce as they were recorded, and this host's own words, with the text and the title that come of them.

use crate::domain::fingerprint::masking::{Names, mask};
use crate::domain::{Cause, Class, OrgId, Refusal};

/// Class, code, words, fields, and what is to become of them: the text and the title.
type Body = (Class, &'static str, &'static str, &'static [&'static str], &'static str, &'static str);

/// The words are Salesforce's own as they were recorded, or this host's.
const BODIES: &[Body] = &[
    (
        Class::Record,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "An order of more than 5000 EUR needs the customer's number (ACC-1001)",
        &[],
        "An order of more than … EUR needs the customer's number (…)",
        "Validation rule: An order of more than … EUR needs the customer's number (…)",
    ),
    (
        Class::Config,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Channel: bad value for restricted picklist field: Fax from Jane",
        &["Channel__c"],
        "Channel: bad value for restricted picklist field: …",
        "A picklist does not have the value: Channel__c",
    ),
    (
        Class::Record,
        "STRING_TOO_LONG",
        "Subject: data value too large: Dear \"all\", I am Jane and (max length=9) never mind (max length=255)",
        &["Subject"],
        "Subject: data value too large: … (max length=…)",
        "A text is too long for its field: Subject",
    ),
    (
        Class::Record,
        "INVALID_EMAIL_ADDRESS",
        "Email: invalid email address: jane doe(at)example",
        &["Email"],
        "Email: invalid email address: …",
        "An e-mail address is not taken: Email",
    ),
    (
        Class::Transient,
        "UNABLE_TO_LOCK_ROW",
        "unable to obtain exclusive access to this record or 3 records: 0015e00000AbCdEAAV,0015e00000AbCdFAAV,0015e00000AbCdGAAV",
        &[],
        "unable to obtain exclusive access to this record or … records: …",
        "The record is being changed by somebody else",
    ),
    (
        Class::Record,
        "DUPLICATE_VALUE",
        "duplicate value found: Ext_Id2__c duplicates value on record with id: 5005e000001AbCd",
        &[],
        "duplicate value found: Ext_Id2__c duplicates value on record with id: …",
        "Another record has the value of a unique field",
    ),
    (
        Class::Ordering,
        "INVALID_FIELD",
        "Foreign key external ID: main:abc not found for field Ext__c in entity Contact",
        &[],
        "Foreign key external ID: … not found for field Ext__c in entity Contact",
        "A record that is pointed to is not there yet: Foreign key external ID: … not found for field Ext__c in entity Contact",
    ),
    (
        Class::Config,
        "INVALID_FIELD",
        "\nSELECT Id,Foo2 FROM Contact WHERE LastName = 'O\\'Neil' LIMIT 3\n          ^\nERROR at Row:1:Column:11\nNo such column 'Foo2' on sobject of type Contact.",
        &[],
        "No such column 'Foo2' on sobject of type Contact.",
        "A field is missing or read-only: No such column 'Foo2' on sobject of type Contact.",
    ),
    (
        Class::Config,
        "INACTIVE_OWNER_OR_USER",
        "operation performed with inactive user [0055e000001AbCd] as owner of case",
        &[],
        "operation performed with inactive user […] as owner of case",
        "The owner is an inactive user",
    ),
    (
        Class::Record,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "CaseTrigger: execution of BeforeInsert caused by: System.NullPointerException: Attempt to de-reference a null object Trigger.CaseTrigger: line 12, column 1",
        &[],
        "CaseTrigger: execution of BeforeInsert caused by: System.NullPointerException: Attempt to de-reference a null object Trigger.CaseTrigger: line …, column …",
        "A trigger refuses it: CaseTrigger: execution of BeforeInsert caused by: System.NullPointerException: Attempt to de-re…",
    ),
    (
        Class::Transient,
        "UNKNOWN_EXCEPTION",
        "An unexpected error occurred. Please include this ErrorId if you contact support: 1203-5501 (-1846722)",
        &[],
        "An unexpected error occurred. Please include this ErrorId if you contact support: … (…)",
        "Salesforce cannot take it: An unexpected error occurred. Please include this ErrorId if you contact support: … (…)",
    ),
    (
        Class::Unclassified,
        "BRAND_NEW",
        "[{\"message\":\"The widget of Mr. \\\"Doe\\\" is jammed since Tue Mar 03 09:30:00 GMT 2026\",\"errorCode\":\"BRAND_NEW\"}]",
        &[],
        "The widget of Mr. … is jammed since …",
        "BRAND_NEW: The widget of Mr. … is jammed since …",
    ),
    (
        Class::Config,
        "QUEUE_NOT_FOUND",
        "there is no queue `Billing-2`; there are: Care, Sales",
        &[],
        "there is no queue `Billing-2`; there are: …",
        "The queue is not there",
    ),
    (
        Class::Contact,
        "CONTACT_AMBIGUOUS",
        "2 contacts could be this customer: 0035e00000AbCdEAAV, 0035e00000AbCdFAAV",
        &[],
        "… contacts could be this customer: …",
        "Nobody can tell which contact the customer is",
    ),
    (
        Class::Auth,
        "invalid_grant",
        "expired access/refresh token",
        &[],
        "expired access/refresh token",
        "The connection is no longer authorized",
    ),
    (
        Class::Record,
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [LastName, Email]",
        &["LastName", "Email"],
        "Required fields are missing: [LastName, Email]",
        "A required field is empty: Email, LastName",
    ),
    (
        Class::Limit,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
        &[],
        "TotalRequests Limit exceeded.",
        "The limit of API calls is used up",
    ),
    (Class::Unclassified, "HTTP_418", "", &[], "", "HTTP_418"),
];

#[test]
fn real_bodies_become_these_texts_and_titles() {
    let org = OrgId::new("acme").unwrap();
    for (class, code, words, fields, text, title) in BODIES {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let refusal = Refusal { fields, ..Refusal::new(*class, code, *words) };
        let identity = Cause::new(&org, &refusal).identify();
        assert_eq!((identity.text.as_str(), identity.title.as_str()), (*text, *title));
        assert_eq!(mask(text, &Names::default()), *text, "{code}");
    }
}
