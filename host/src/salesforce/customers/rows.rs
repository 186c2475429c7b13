//! What is asked of each contact, and what its answer says.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::{Attribute, Contact, FOUND_BY, FieldPath, Refusal};
use crate::salesforce::refusals::record;
use crate::salesforce::soql::cut;

const FIELDS: [&str; 4] = ["Id", "Name", "Email", "Phone"];
const OF_PERSONS: [&str; 2] = ["IsPersonAccount", "AccountId"];
/// How much of a field's text is told, as Salesforce counts.
const LONGEST: usize = 1_000;

/// A contact as Salesforce tells of it.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Row(Map<String, Value>);

/// What is selected: each field once, since Salesforce refuses one that is named twice.
pub(super) fn selected(persons: bool, fields: &[FieldPath]) -> Vec<&str> {
    let mut selected: Vec<&str> = FIELDS.to_vec();
    if persons {
        selected.extend(OF_PERSONS);
    }
    for field in fields {
        if !selected.iter().any(|other| other.eq_ignore_ascii_case(field.as_str())) {
            selected.push(field.as_str());
        }
    }
    selected
}

impl Row {
    /// The contact, with what these fields say of it, and by which field it was found.
    pub(super) fn contact(self, fields: &[FieldPath], found_by: Option<&str>) -> Result<Contact, Refusal> {
        let bounded = |text: &str| cut(text, LONGEST).to_owned();
        let text = |name: &str| self.0.get(name).and_then(Value::as_str);
        // The contact of a person account is a shadow: records are linked to the account.
        let is_person = self.0.get("IsPersonAccount").and_then(Value::as_bool).unwrap_or_default();
        let account = text("AccountId").filter(|_| is_person);
        let told = fields.iter().filter_map(|field| Some((field.as_str(), self.told(field)?)));
        let attributes = told.chain(found_by.map(|field| (FOUND_BY, field.to_owned())));
        Ok(Contact {
            id: record(account.or(text("Id")).unwrap_or_default())?,
            name: bounded(text("Name").unwrap_or_default()),
            email: text("Email").map(bounded),
            phone: text("Phone").map(bounded),
            person_account: account.is_some(),
            attributes: attributes.map(|(name, value)| Attribute { name: name.to_owned(), value }).collect(),
        })
    }

    /// How many records below it were answered with it.
    pub(super) fn below(&self, relationship: &str) -> Option<u64> {
        named(&self.0, relationship)?.as_object()?.get("totalSize")?.as_u64()
    }

    /// What a field says; nothing where it is empty, or made of several.
    fn told(&self, field: &FieldPath) -> Option<String> {
        let (references, name) = field.parts();
        let referred = references.into_iter().try_fold(&self.0, |row, reference| named(row, reference)?.as_object())?;
        match named(referred, name)? {
            Value::String(text) => Some(cut(text, LONGEST).to_owned()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Salesforce answers with the names as it has them, however they were asked for.
fn named<'a>(row: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    row.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(names: &[&str]) -> Vec<FieldPath> {
        names.iter().map(|name| FieldPath::try_from((*name).to_owned()).unwrap()).collect()
    }

    #[test]
    fn a_field_is_selected_once_however_it_is_written() {
        let fields = paths(&["title", "name", "Account.Name", "ACCOUNTID"]);
        assert_eq!(selected(false, &fields), ["Id", "Name", "Email", "Phone", "title", "Account.Name", "ACCOUNTID"]);
        let of_persons = ["Id", "Name", "Email", "Phone", "IsPersonAccount", "AccountId", "title", "Account.Name"];
        assert_eq!(selected(true, &fields), of_persons);
    }

    #[test]
    fn what_a_field_says_is_told_as_text_and_nothing_where_it_says_nothing() {
        let row = json!({
            "attributes": { "type": "Contact" }, "Id": "003000000000001AAA", "Name": "Ada", "Title": "Dr", "Score__c": 1.5,
            "Vip__c": true, "Empty__c": null, "MailingAddress": { "city": "Paris" }, "Long__c": "x".repeat(2_000),
            "Account": { "Name": "Acme", "Owner": { "Alias": "gh" }, "Parent": null },
        });
        let row: Row = serde_json::from_value(row).unwrap();
        let names = [
            "title",
            "name",
            "Score__c",
            "Vip__c",
            "Empty__c",
            "MailingAddress",
            "Long__c",
            "account.name",
            "Account.Owner.Alias",
            "Account.Parent.Name",
            "Nowhere.Name",
        ];
        let contact = row.contact(&paths(&names), Some("Email")).unwrap();
        let told: Vec<_> = contact.attributes.iter().map(|it| (it.name.as_str(), it.value.as_str())).collect();
        let long = "x".repeat(LONGEST);
        let expected = [
            ("title", "Dr"),
            ("name", "Ada"),
            ("Score__c", "1.5"),
            ("Vip__c", "true"),
            ("Long__c", long.as_str()),
            ("account.name", "Acme"),
            ("Account.Owner.Alias", "gh"),
            ("found_by", "Email"),
        ];
        assert_eq!(told, expected);
    }
}
