//! Person accounts: whether the organization has them, and making one of a contact's fields.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::domain::{RecordId, Refusal};
use crate::salesforce::refusals::{Written, read, record};
use crate::salesforce::single_flight::SingleFlight;
use crate::salesforce::transport::{Call, Transport};

/// Fields that have the same name on a contact and on an account.
const SHARED: [&str; 10] = [
    "FirstName",
    "LastName",
    "MiddleName",
    "Suffix",
    "Salutation",
    "Phone",
    "Fax",
    "Description",
    "OwnerId",
    "RecordTypeId",
];

/// What is known of an organization's person accounts.
#[derive(Default)]
pub(crate) struct PersonAccounts {
    /// Whether it has any, once that was asked.
    pub(crate) exist: SingleFlight<bool>,
    /// The one record type that they have, once that was asked; `None` where there are several.
    record_type: SingleFlight<Option<RecordId>>,
}

impl PersonAccounts {
    /// Whether the organization has person accounts; asked once.
    pub(super) async fn exist(&self, transport: &Transport) -> Result<bool, Refusal> {
        #[derive(Deserialize)]
        struct Described {
            fields: Vec<Field>,
        }
        #[derive(Deserialize)]
        struct Field {
            name: String,
        }
        let ask = async {
            let call = Call::get(transport.path("sobjects/Contact/describe"));
            let described: Described = read(transport.send(&call).await?)?;
            Ok(described.fields.iter().any(|field| field.name == "IsPersonAccount"))
        };
        self.exist.get(|_| true, ask).await
    }

    /// Makes a person account of the fields of a contact. It is inserted, for Salesforce takes no e-mail address as the key
    /// of an account.
    pub(super) async fn create(&self, transport: &Transport, contact: Map<String, Value>) -> Result<RecordId, Refusal> {
        let mut body: Map<_, _> = contact.into_iter().map(|(name, value)| (of_account(&name), value)).collect();
        if !body.contains_key("RecordTypeId")
            && let Some(kind) = self.record_type(transport).await?
        {
            body.insert("RecordTypeId".to_owned(), json!(kind));
        }
        let path = transport.path("sobjects/Account");
        let call = Call { method: Method::POST, path, body: Value::Object(body), keep_owner: false };
        let written: Written = read(transport.send(&call).await?)?;
        record(&written.id)
    }

    /// The one record type of person accounts; where there are several, Salesforce takes the integration user's own.
    async fn record_type(&self, transport: &Transport) -> Result<Option<RecordId>, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Kind {
            id: String,
        }
        let ask = async {
            let soql = "SELECT Id FROM RecordType WHERE SobjectType = 'Account' AND IsPersonType = true";
            match transport.query::<Kind>(soql).await?.as_slice() {
                [one] => record(&one.id).map(Some),
                _ => Ok(None),
            }
        };
        self.record_type.get(|_| true, ask).await
    }
}

/// The name that a contact's field has on a person account.
fn of_account(field: &str) -> String {
    match field.strip_suffix("__c") {
        Some(stem) => format!("{stem}__pc"),
        None if SHARED.contains(&field) || field.starts_with("Person") || field.ends_with("__pc") => field.to_owned(),
        None => format!("Person{field}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Attribute;
    use crate::salesforce::tests::server::StandIn;

    #[test]
    fn a_contacts_field_has_another_name_on_a_person_account() {
        let names = ["LastName", "Phone", "Email", "MobilePhone", "MailingCity", "Tier__c", "ns__Tier__c"];
        let on_account =
            ["LastName", "Phone", "PersonEmail", "PersonMobilePhone", "PersonMailingCity", "Tier__pc", "ns__Tier__pc"];
        assert_eq!(names.map(of_account), on_account);
        for own in on_account {
            assert_eq!(of_account(own), own, "who knows its name there may say it");
        }
    }

    #[tokio::test]
    async fn where_there_are_person_accounts_a_new_contact_is_one_unless_it_belongs_to_an_account() {
        let server = StandIn::start().await;
        server.grant("one").reply(200, &json!({ "fields": [{ "name": "IsPersonAccount" }] }));
        server.reply(200, &json!({ "totalSize": 1, "done": true, "records": [{ "Id": "012000000000001AAA" }] }));
        for id in ["001000000000001AAA", "001000000000002AAA", "003000000000001AAA"] {
            server.reply(201, &json!({ "id": id, "success": true, "errors": [] }));
        }
        let client = server.client_of_unknown_organization();
        let attribute = |name: &str, value: &str| Attribute { name: name.to_owned(), value: value.to_owned() };
        let of = |more| [attribute("LastName", "Doe"), attribute("Email", "jane@example.com"), more];
        for more in [attribute("Tier__c", "gold"), attribute("RecordTypeId", "012000000000002AAA")] {
            assert!(client.create_contact(&of(more)).await.unwrap().as_str().starts_with("001"));
        }
        client.create_contact(&of(attribute("AccountId", "001000000000009AAA"))).await.unwrap();
        let asked = server.asked();
        assert_eq!(
            (asked[3].method.as_str(), asked[3].uri.as_str()),
            ("POST", "/services/data/v62.0/sobjects/Account")
        );
        let sent = |body: &str| serde_json::from_str::<Value>(body).unwrap();
        let person = json!({ "LastName": "Doe", "PersonEmail": "jane@example.com", "Tier__pc": "gold",
            "RecordTypeId": "012000000000001AAA" });
        assert_eq!(sent(&asked[3].body), person);
        assert_eq!(sent(&asked[4].body)["RecordTypeId"], "012000000000002AAA");
        assert!(asked[5].uri.ends_with("/sobjects/Contact"), "{}", asked[5].uri);
    }
}
