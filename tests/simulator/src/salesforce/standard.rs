//! The objects every simulated org has, with the fields a sync host meets.

use super::schema::object::{ACCOUNT, CASE, CONTACT, GROUP, RECORD_TYPE, USER};
use super::schema::{Field, Kind, Object, ObjectIndex, Source};

/// All objects, in the order of `schema::object`.
pub(crate) fn objects(person_accounts: bool) -> Vec<Object> {
    vec![
        account(person_accounts),
        contact(person_accounts),
        case(),
        user(),
        group(),
        queue_sobject(),
        record_type(),
        conversation(),
        organization(),
        lead(),
    ]
}

fn text(name: &str, label: &str, length: usize) -> Field {
    Field::new(name, label, Kind::Text(length))
}

fn area(name: &str, label: &str, length: usize) -> Field {
    Field::new(name, label, Kind::Area(length))
}

fn phone(name: &str, label: &str) -> Field {
    Field::new(name, label, Kind::Phone)
}

fn flag(name: &str, label: &str) -> Field {
    Field::new(name, label, Kind::Boolean).default("false")
}

fn picklist(name: &str, label: &str, values: &[&str]) -> Field {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Field::new(name, label, Kind::Picklist { values, restricted: false, several: false })
}

fn reference(name: &str, label: &str, to: &[ObjectIndex]) -> Field {
    let relationship = match name.strip_suffix("__c") {
        Some(stem) => format!("{stem}__r"),
        None => name.strip_suffix("Id").unwrap_or(name).to_owned(),
    };
    Field::new(name, label, Kind::Reference { to: to.to_vec(), relationship, children: String::new() })
}

fn account(person_accounts: bool) -> Object {
    let mut fields = vec![
        text("Name", "Account Name", 255).required().indexed(),
        text("AccountNumber", "Account Number", 40),
        phone("Phone", "Account Phone"),
        Field::new("Website", "Website", Kind::Url),
        picklist("Type", "Account Type", &["Prospect", "Customer", "Other"]),
        area("Description", "Account Description", 32_000),
        reference("ParentId", "Parent Account ID", &[ACCOUNT]),
        reference("OwnerId", "Owner ID", &[USER]),
    ];
    if person_accounts {
        fields.extend([
            flag("IsPersonAccount", "Is Person Account").from(Source::System),
            reference("PersonContactId", "Contact ID", &[CONTACT]).from(Source::System),
            reference("RecordTypeId", "Record Type ID", &[RECORD_TYPE]),
            text("FirstName", "First Name", 40),
            text("LastName", "Last Name", 80),
            Field::new("PersonEmail", "Email", Kind::Email),
            phone("PersonMobilePhone", "Mobile"),
            phone("PersonHomePhone", "Home Phone"),
        ]);
    }
    Object::new("Account", "Account", "001", fields)
}

fn contact(person_accounts: bool) -> Object {
    let mut fields = vec![
        reference("AccountId", "Account ID", &[ACCOUNT]),
        text("FirstName", "First Name", 40),
        text("LastName", "Last Name", 80).required(),
        text("Name", "Full Name", 121).from(Source::FullName),
        Field::new("Email", "Email", Kind::Email).indexed(),
        phone("Phone", "Business Phone").indexed(),
        phone("MobilePhone", "Mobile Phone").indexed(),
        phone("HomePhone", "Home Phone").indexed(),
        phone("OtherPhone", "Other Phone").indexed(),
        text("Title", "Title", 128),
        area("Description", "Contact Description", 32_000),
        reference("OwnerId", "Owner ID", &[USER]),
    ];
    if person_accounts {
        fields.push(flag("IsPersonAccount", "Is Person Account").from(Source::System));
    }
    Object::new("Contact", "Contact", "003", fields)
}

fn case() -> Object {
    let fields = vec![
        text("CaseNumber", "Case Number", 30).from(Source::AutoNumber("", 8)),
        text("Subject", "Subject", 255),
        area("Description", "Description", 32_000),
        picklist("Status", "Status", &["New", "In Progress", "Escalated", "Closed"]).default("New"),
        flag("IsClosed", "Closed").from(Source::Closed),
        picklist("Origin", "Case Origin", &["Phone", "Email", "Web"]),
        picklist("Priority", "Priority", &["High", "Medium", "Low"]).default("Medium"),
        picklist("Type", "Case Type", &["Question", "Problem"]),
        picklist("Reason", "Case Reason", &["Other"]),
        text("SuppliedName", "Name", 80),
        Field::new("SuppliedEmail", "Email Address", Kind::Email),
        text("SuppliedPhone", "Phone", 40),
        reference("AccountId", "Account ID", &[ACCOUNT]),
        reference("ContactId", "Contact ID", &[CONTACT]),
        reference("ParentId", "Parent Case ID", &[CASE]),
        reference("OwnerId", "Owner ID", &[GROUP, USER]),
    ];
    Object::new("Case", "Case", "500", fields)
}

fn user() -> Object {
    let fields = vec![
        text("Username", "Username", 80).required().indexed(),
        text("FirstName", "First Name", 40),
        text("LastName", "Last Name", 80).required(),
        text("Name", "Full Name", 121).from(Source::FullName),
        Field::new("Email", "Email", Kind::Email),
        flag("IsActive", "Active").default("true"),
    ];
    Object::new("User", "User", "005", fields)
}

fn group() -> Object {
    let fields = vec![
        text("Name", "Name", 40).required().indexed(),
        text("DeveloperName", "Developer Name", 80).indexed(),
        picklist("Type", "Type", &["Regular", "Queue", "Role"]).default("Regular"),
        Field::new("Email", "Email", Kind::Email),
    ];
    Object::new("Group", "Group", "00G", fields)
}

fn queue_sobject() -> Object {
    let fields = vec![
        reference("QueueId", "Queue ID", &[GROUP]).required(),
        picklist("SobjectType", "Sobject Type", &["Case", "Lead", "alcmeon__Conversation__c"]).required(),
    ];
    Object::new("QueueSobject", "Queue Sobject", "03g", fields)
}

fn record_type() -> Object {
    let fields = vec![
        text("Name", "Name", 80).required(),
        text("DeveloperName", "Record Type Name", 80).indexed(),
        picklist("SobjectType", "SObject Type Name", &["Account", "Case", "Contact"]).required(),
        flag("IsPersonType", "Person Type"),
        flag("IsActive", "Active").default("true"),
    ];
    Object::new("RecordType", "Record Type", "012", fields)
}

fn organization() -> Object {
    let fields = vec![
        text("Name", "Name", 80).required(),
        picklist("OrganizationType", "Edition", &["Developer Edition", "Enterprise Edition"]),
        text("InstanceName", "Instance Name", 5),
        flag("IsSandbox", "Is Sandbox"),
        text("NamespacePrefix", "Namespace Prefix", 15),
        Field::new("TrialExpirationDate", "Trial Expiration Date", Kind::Time),
    ];
    Object::new("Organization", "Organization", "00D", fields)
}

fn lead() -> Object {
    let fields = vec![
        text("FirstName", "First Name", 40),
        text("LastName", "Last Name", 80).required(),
        text("Name", "Full Name", 121).from(Source::FullName),
        text("Company", "Company", 255).required(),
        Field::new("Email", "Email", Kind::Email),
        phone("Phone", "Phone"),
        phone("MobilePhone", "Mobile Phone"),
        picklist("Status", "Lead Status", &["Open - Not Contacted", "Working - Contacted"])
            .default("Open - Not Contacted"),
        reference("OwnerId", "Owner ID", &[GROUP, USER]),
    ];
    Object::new("Lead", "Lead", "00Q", fields)
}

/// The managed package's object. Lengths that nobody documents are the platform's largest text, 255.
fn conversation() -> Object {
    let fields = vec![
        text("Name", "Alcmeon Conversation ID", 80).from(Source::AutoNumber("C-", 6)),
        text("alcmeon__scoped_id__c", "Alcméon scoped ID", 30).required().external_id(true),
        reference("alcmeon__Account__c", "Account", &[ACCOUNT]),
        reference("alcmeon__Case__c", "Case", &[CASE]),
        reference("alcmeon__Contact__c", "Contact", &[CONTACT]),
        area("alcmeon__Channel_specific_user_data__c", "Channel specific user data", 131_072),
        area("alcmeon__Conversation_custom_fields__c", "Conversation custom fields", 131_072),
        text("alcmeon__Conversation_type__c", "Conversation type", 255),
        picklist("alcmeon__Status__c", "Status", &["Open", "Closed"]),
        text("alcmeon__url__c", "url", 255),
        text("alcmeon__To_SF_Queue_Id__c", "To SF Queue Id", 255),
        text("alcmeon__From_SF_Queue_Id__c", "From SF Queue Id", 255),
        text("alcmeon__Social_media_type__c", "Social media type", 255),
        text("alcmeon__Social_media_account__c", "Social media account", 255),
        text("alcmeon__User_name__c", "User name", 255),
        reference("OwnerId", "Owner ID", &[GROUP, USER]),
    ];
    Object::new("alcmeon__Conversation__c", "Conversation", "a00", fields)
}
