//! Contacts: finding the ones that a policy asks for, and making a new one.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::client::{Call, Client, read, record};
use super::config::ApiName;
use super::records::Written;
use super::soql::{quote, segment};
use crate::domain::{Attribute, Class, Contact, ContactSearch, RecordId, Refusal};

/// No text of a Contact that a query can filter by is longer, in characters.
const LONGEST_VALUE: usize = 255;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    id: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

impl Client {
    /// The contacts that the first search with a result finds, ten at most.
    ///
    /// A blank value is skipped: in SOQL it would find every contact whose field is empty.
    ///
    /// # Errors
    /// `Class::Request` for a field that cannot be one; else Salesforce's refusal.
    pub async fn find_contacts(&self, searches: &[ContactSearch]) -> Result<Vec<Contact>, Refusal> {
        for search in searches {
            let (field, value) = (api_name(&search.field)?, search.value.trim());
            if value.is_empty() || value.chars().count() > LONGEST_VALUE {
                continue;
            }
            let soql = format!("SELECT Id, Name, Email, Phone FROM Contact WHERE {field} = {} LIMIT 10", quote(value));
            let rows: Vec<Row> = self.query(&soql).await?;
            if !rows.is_empty() {
                return rows.into_iter().map(Row::contact).collect();
            }
        }
        Ok(Vec::new())
    }

    /// Makes a contact with these fields (API names); with an `Email` among them, one that has it already is updated.
    ///
    /// # Errors
    /// `Class::Contact` when several have this e-mail address; else Salesforce's refusal. After a time-out the contact
    /// may be there all the same: search before asking again.
    pub async fn create_contact(&self, attributes: &[Attribute]) -> Result<RecordId, Refusal> {
        let mut body = Map::new();
        for attribute in attributes {
            let field = api_name(&attribute.name)?;
            body.insert(field.to_string(), Value::from(attribute.value.as_str()));
        }
        let email = body.get("Email").and_then(Value::as_str).map(|email| email.trim().to_owned());
        // A key in the path must not stand in the body, and Salesforce's paths cannot carry a slash.
        let (method, path) = match email.filter(|email| !email.is_empty() && !email.contains('/')) {
            Some(email) => {
                body.remove("Email");
                (Method::PATCH, self.path(&format!("sobjects/Contact/Email/{}", segment(&email))))
            }
            None => (Method::POST, self.path("sobjects/Contact")),
        };
        let call = Call { method, path, body: Value::Object(body), keep_owner: false };
        let written: Written = match self.send(&call).await {
            Ok(json) => read(json)?,
            // Nobody asks for unique addresses, so it is not the set-up's fault.
            Err(refusal) if refusal.code == "DUPLICATE_EXTERNAL_ID" => {
                let text = "more than one contact has this e-mail address".to_owned();
                return Err(Refusal { class: Class::Contact, code: "AMBIGUOUS_CONTACT".to_owned(), text, ..refusal });
            }
            Err(refusal) => return Err(refusal),
        };
        record(&written.id)
    }
}

impl Row {
    fn contact(self) -> Result<Contact, Refusal> {
        Ok(Contact {
            id: record(&self.id)?,
            name: self.name.unwrap_or_default(),
            email: self.email,
            phone: self.phone,
            // Deliberately not asked for: the field exists only where the organization has person accounts.
            person_account: false,
            attributes: Vec::new(),
        })
    }
}

fn api_name(text: &str) -> Result<ApiName, Refusal> {
    ApiName::try_from(text.to_owned()).map_err(|error| Refusal::new(Class::Request, "NOT_A_FIELD", error.to_string()))
}
