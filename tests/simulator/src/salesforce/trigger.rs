//! What an org does by itself when a record is written: person accounts, case owners, and the package's sample triggers.

use super::org::Org;
use super::refusal::Refusal;
use super::schema::{ObjectIndex, object};
use super::table::{Cell, RecordRef, Row};
use super::write::{self, Changes, Manner};

/// Account field and the field of the shadow Contact that repeats it.
const SHADOWED: [(&str, &str); 5] = [
    ("FirstName", "FirstName"),
    ("LastName", "LastName"),
    ("PersonEmail", "Email"),
    ("PersonMobilePhone", "MobilePhone"),
    ("PersonHomePhone", "HomePhone"),
];

fn get<'a>(org: &Org, at: ObjectIndex, row: &'a Row, name: &str) -> Option<&'a Cell> {
    row.get(org.table(at).object.find(name)?)
}

fn text<'a>(org: &Org, at: ObjectIndex, row: &'a Row, name: &str) -> Option<&'a str> {
    row.text(org.table(at).object.find(name)?)
}

fn set(org: &Org, at: ObjectIndex, row: &mut Row, name: &str, cell: Option<Cell>) {
    if let Some(field) = org.table(at).object.find(name) {
        row.set(field, cell);
    }
}

/// Adds a change of the named field.
fn push(org: &Org, at: ObjectIndex, changes: &mut Changes, name: &str, cell: Option<Cell>) {
    changes.extend(org.table(at).object.find(name).map(|field| (field, cell)));
}

fn bad_field_names(names: &str) -> Refusal {
    let message = format!("Account: bad field names on insert/update call: {names}");
    Refusal::new("INVALID_FIELD_FOR_INSERT_UPDATE", message).at(names)
}

/// Gives a new person account its name and its shadow Contact.
pub(crate) fn person_account(org: &mut Org, record: RecordRef, row: &mut Row, manner: Manner) -> Result<(), Refusal> {
    let person = match get(org, object::ACCOUNT, row, "RecordTypeId") {
        Some(Cell::Ref(kind)) => {
            org.row(*kind).and_then(|row| get(org, object::RECORD_TYPE, row, "IsPersonType")) == Some(&Cell::Bool(true))
        }
        _ => text(org, object::ACCOUNT, row, "LastName").is_some(),
    };
    if !person {
        return match text(org, object::ACCOUNT, row, "LastName") {
            Some(_) => Err(bad_field_names("LastName")),
            None => Ok(()),
        };
    }
    if text(org, object::ACCOUNT, row, "Name").is_some() {
        return Err(bad_field_names("Name"));
    }
    name_person(org, row);
    let mut shadow = shadow(org, row);
    push(org, object::CONTACT, &mut shadow, "AccountId", Some(Cell::Ref(record)));
    push(org, object::CONTACT, &mut shadow, "IsPersonAccount", Some(Cell::Bool(true)));
    let contact = write::create(org, object::CONTACT, shadow, manner)?;
    set(org, object::ACCOUNT, row, "IsPersonAccount", Some(Cell::Bool(true)));
    set(org, object::ACCOUNT, row, "PersonContactId", Some(Cell::Ref(contact)));
    Ok(())
}

/// Keeps name and shadow Contact of a person account in step.
pub(crate) fn person_account_changed(
    org: &mut Org,
    before: &Row,
    row: &mut Row,
    manner: Manner,
) -> Result<(), Refusal> {
    let Some(Cell::Ref(contact)) = get(org, object::ACCOUNT, row, "PersonContactId").cloned() else { return Ok(()) };
    if text(org, object::ACCOUNT, before, "Name") != text(org, object::ACCOUNT, row, "Name") {
        return Err(bad_field_names("Name"));
    }
    name_person(org, row);
    let shadow = shadow(org, row);
    write::update(org, contact, shadow, manner)
}

fn name_person(org: &Org, row: &mut Row) {
    let parts = ["FirstName", "LastName"].map(|name| text(org, object::ACCOUNT, row, name));
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    set(org, object::ACCOUNT, row, "Name", (!name.is_empty()).then(|| Cell::Text(name.into())));
}

fn shadow(org: &Org, row: &Row) -> Changes {
    let mut changes = Changes::new();
    for (from, to) in SHADOWED {
        push(org, object::CONTACT, &mut changes, to, get(org, object::ACCOUNT, row, from).cloned());
    }
    // Custom fields of the contact stand on the account under another ending.
    for (at, field) in (0..).zip(&org.table(object::ACCOUNT).object.fields) {
        if let Some(stem) = field.name.strip_suffix("__pc") {
            push(org, object::CONTACT, &mut changes, &format!("{stem}__c"), row.get(at).cloned());
        }
    }
    changes
}

/// Gives a new Case to the org's default owner, when there is one: a queue's developer name, a username or an id.
pub(crate) fn default_case_owner(org: &Org, row: &mut Row) {
    let Some(owner) = &org.config.default_case_owner else { return };
    let found = org
        .record(owner)
        .or_else(|| org.find(object::GROUP, "DeveloperName", owner))
        .or_else(|| org.find(object::USER, "Username", owner));
    if let Some(owner) = found.filter(|owner| org.row(*owner).is_some()) {
        set(org, object::CASE, row, "OwnerId", Some(Cell::Ref(owner)));
    }
}

/// Before a conversation is inserted: makes its Case, in the queue Alcmeon chose.
pub(crate) fn conversation_created(org: &mut Org, row: &mut Row, manner: Manner) -> Result<(), Refusal> {
    let name = text(org, object::CONVERSATION, row, "alcmeon__User_name__c").unwrap_or_default();
    let subject: String = format!("Conversation with: {name}").chars().take(255).collect();
    let origin = get(org, object::CONVERSATION, row, "alcmeon__Social_media_type__c").cloned();
    let mut case = Changes::new();
    push(org, object::CASE, &mut case, "Subject", Some(Cell::Text(subject.into())));
    push(org, object::CASE, &mut case, "Description", Some(description(org, row)));
    push(org, object::CASE, &mut case, "Origin", origin);
    for (from, to) in [("alcmeon__Account__c", "AccountId"), ("alcmeon__Contact__c", "ContactId")] {
        push(org, object::CASE, &mut case, to, get(org, object::CONVERSATION, row, from).cloned());
    }
    if let Some(queue) = queue(org, row)?
        && !closed(org, row)
    {
        push(org, object::CASE, &mut case, "OwnerId", Some(Cell::Ref(queue)));
    }
    let manner = Manner { auto_assign: false, ..manner };
    let case = write::create(org, object::CASE, case, manner).map_err(|why| thrown("BeforeInsert", "Insert", &why))?;
    set(org, object::CONVERSATION, row, "alcmeon__Case__c", Some(Cell::Ref(case)));
    Ok(())
}

/// After a conversation is updated: refreshes the Case, and queues and reopens it when there is a new message.
pub(crate) fn conversation_changed(
    org: &mut Org,
    record: RecordRef,
    before: &Row,
    manner: Manner,
) -> Result<(), Refusal> {
    let Some(row) = org.row(record).cloned() else { return Ok(()) };
    let Some(Cell::Ref(case)) = get(org, object::CONVERSATION, &row, "alcmeon__Case__c").cloned() else {
        return Ok(());
    };
    let changed = |name| get(org, object::CONVERSATION, before, name) != get(org, object::CONVERSATION, &row, name);
    let new_message = changed("alcmeon__url__c");
    let new_queue = changed("alcmeon__To_SF_Queue_Id__c");
    let mut changes = Changes::new();
    if new_message {
        push(org, object::CASE, &mut changes, "Description", Some(description(org, &row)));
        let status = org.row(case).and_then(|row| text(org, object::CASE, row, "Status"));
        if status == Some("Closed") && !closed(org, &row) {
            push(org, object::CASE, &mut changes, "Status", Some(Cell::Text("In Progress".into())));
        }
    }
    for (from, to) in [("alcmeon__Account__c", "AccountId"), ("alcmeon__Contact__c", "ContactId")] {
        if changed(from) {
            push(org, object::CASE, &mut changes, to, get(org, object::CONVERSATION, &row, from).cloned());
        }
    }
    if (new_message || new_queue)
        && !closed(org, &row)
        && let Some(queue) = queue(org, &row)?
    {
        push(org, object::CASE, &mut changes, "OwnerId", Some(Cell::Ref(queue)));
    }
    if changes.is_empty() || org.row(case).is_none() {
        return Ok(());
    }
    write::update(org, case, changes, manner).map_err(|why| thrown("AfterUpdate", "Update", &why))
}

/// After a Case is updated: tells its conversations of a new owner or customer.
pub(crate) fn case_changed(org: &mut Org, case: RecordRef, before: &Row, manner: Manner) -> Result<(), Refusal> {
    let Some(row) = org.row(case).cloned() else { return Ok(()) };
    let owner = get(org, object::CASE, &row, "OwnerId").cloned();
    let new_owner = owner != get(org, object::CASE, before, "OwnerId").cloned();
    let Some(link) = org.table(object::CONVERSATION).object.find("alcmeon__Case__c") else { return Ok(()) };
    for number in org.table(object::CONVERSATION).lookup(link, &Cell::Ref(case)).unwrap_or_default() {
        let record = RecordRef { object: object::CONVERSATION, number };
        let Some(conversation) = org.row(record).cloned() else { continue };
        let mut changes = Changes::new();
        if let Some(Cell::Ref(owner)) = owner
            && new_owner
        {
            let id = org.record_id(owner);
            let known = ["alcmeon__To_SF_Queue_Id__c", "alcmeon__From_SF_Queue_Id__c"]
                .map(|name| text(org, object::CONVERSATION, &conversation, name).unwrap_or_default());
            if !known.contains(&id.as_str()) {
                let cell = Some(Cell::Text(id.into()));
                push(org, object::CONVERSATION, &mut changes, "alcmeon__From_SF_Queue_Id__c", cell);
            }
        }
        for (from, to) in [("AccountId", "alcmeon__Account__c"), ("ContactId", "alcmeon__Contact__c")] {
            let cell = get(org, object::CASE, &row, from).cloned();
            if cell != get(org, object::CONVERSATION, &conversation, to).cloned() {
                push(org, object::CONVERSATION, &mut changes, to, cell);
            }
        }
        if !changes.is_empty() {
            write::update(org, record, changes, manner)?;
        }
    }
    Ok(())
}

fn closed(org: &Org, row: &Row) -> bool {
    text(org, object::CONVERSATION, row, "alcmeon__Status__c")
        .is_some_and(|status| status.eq_ignore_ascii_case("closed"))
}

/// The queue Alcmeon chose, which an administrator may have deleted since.
fn queue(org: &Org, row: &Row) -> Result<Option<RecordRef>, Refusal> {
    let Some(id) = text(org, object::CONVERSATION, row, "alcmeon__To_SF_Queue_Id__c") else { return Ok(None) };
    let queue = org.record(id).filter(|queue| org.row(*queue).is_some());
    let unknown =
        || thrown("BeforeInsert", "Insert", &Refusal::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"));
    queue.map(Some).ok_or_else(unknown)
}

fn description(org: &Org, row: &Row) -> Cell {
    let part = |name| text(org, object::CONVERSATION, row, name).unwrap_or_default();
    let text = format!(
        "Social media: {}\nAccount: {}\nURL: {}",
        part("alcmeon__Social_media_type__c"),
        part("alcmeon__Social_media_account__c"),
        part("alcmeon__url__c")
    );
    Cell::Text(text.into())
}

/// The refusal of a trigger's own write, as it reaches the caller.
fn thrown(moment: &str, action: &str, why: &Refusal) -> Refusal {
    let (code, message, fields) = match why {
        Refusal::Error { code, message, fields, .. } => (code.as_str(), message.as_str(), fields.join(", ")),
        Refusal::Several { .. } => ("DUPLICATE_EXTERNAL_ID", "more than one record found", String::new()),
    };
    Refusal::new(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        format!(
            "ConversationTrigger: execution of {moment}\n\ncaused by: System.DmlException: {action} failed. First \
             exception on row 0; first error: {code}, {message}: [{fields}]"
        ),
    )
}
