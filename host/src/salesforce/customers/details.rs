//! What Salesforce knows of some contacts, for a person who has to tell them apart.

use super::contacts::{ACCOUNT, Customers};
use super::rows::{Row, selected};
use crate::domain::{Class, Contact, FieldPath, RecordId, Refusal, Timestamp};
use crate::salesforce::soql::quote;

/// How many open Cases of a contact are counted.
const CASES: u64 = 10;
/// What tells contacts apart, beside name, e-mail address and phone number. A user may not see some of it.
const MORE: [&str; 4] = ["MobilePhone", "Account.Name", "CreatedDate", "LastModifiedDate"];

/// A contact, or a person account, as Salesforce knows it now. What the integration user may not see is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactDetails {
    /// Its id; that of the account, where it is a person account.
    pub id: RecordId,
    /// Its full name.
    pub name: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its phone number.
    pub phone: Option<String>,
    /// Its mobile phone number.
    pub mobile_phone: Option<String>,
    /// The name of the account that it belongs to.
    pub account: Option<String>,
    /// Whether it is a person account.
    pub person_account: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub last_modified_at: Option<Timestamp>,
    /// How many of its Cases are open; ten stands for ten or more.
    pub open_cases: Option<u64>,
}

impl Customers {
    /// Asks by one query; by a second, simpler one where the organization hides a field of the first.
    pub(crate) async fn details(&self, ids: &[RecordId]) -> Result<Vec<ContactDetails>, Refusal> {
        let persons = self.person_accounts.exist(&self.transport).await?;
        let (accounts, contacts): (Vec<_>, Vec<_>) = ids.iter().partition(|id| id.as_str().starts_with(ACCOUNT));
        let list = |ids: &[&RecordId]| ids.iter().map(|id| quote(id.as_str())).collect::<Vec<_>>().join(", ");
        let mut wanted = Vec::new();
        if !contacts.is_empty() {
            wanted.push(format!("Id IN ({})", list(&contacts)));
        }
        if persons && !accounts.is_empty() {
            wanted.push(format!("(IsPersonAccount = true AND AccountId IN ({}))", list(&accounts)));
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = wanted.join(" OR ");
        let more: Vec<FieldPath> = MORE.iter().filter_map(|field| (*field).to_owned().try_into().ok()).collect();
        let cases = format!(", (SELECT Id FROM Cases WHERE IsClosed = false LIMIT {CASES})");
        match self.ask(persons, &more, &cases, &wanted, ids.len()).await {
            Err(refusal) if refusal.class == Class::Config => self.ask(persons, &[], "", &wanted, ids.len()).await,
            answer => answer,
        }
    }

    async fn ask(
        &self,
        persons: bool,
        more: &[FieldPath],
        below: &str,
        wanted: &str,
        most: usize,
    ) -> Result<Vec<ContactDetails>, Refusal> {
        let selected = selected(persons, more).join(", ");
        let soql = format!("SELECT {selected}{below} FROM Contact WHERE {wanted} LIMIT {most}");
        let rows: Vec<Row> = self.transport.query(&soql).await?;
        rows.into_iter().map(|row| details(row, more)).collect()
    }
}

fn details(row: Row, more: &[FieldPath]) -> Result<ContactDetails, Refusal> {
    let open_cases = row.below("Cases");
    let Contact { id, name, email, phone, person_account, attributes } = row.contact(more, None)?;
    let told = |name: &str| attributes.iter().find(|told| told.name == name).map(|told| told.value.clone());
    let at = |name: &str| told(name).and_then(|text| text.parse().ok());
    let [mobile, account, created, modified] = MORE;
    Ok(ContactDetails {
        id,
        name,
        email,
        phone,
        mobile_phone: told(mobile),
        // That of a person account is the person's.
        account: told(account).filter(|_| !person_account),
        person_account,
        created_at: at(created),
        last_modified_at: at(modified),
        // No Case is no list of Cases.
        open_cases: open_cases.or((!more.is_empty()).then_some(0)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::salesforce::tests::server::StandIn;

    fn ids() -> [RecordId; 2] {
        ["003000000000001AAA", "001000000000002AAA"].map(|id| RecordId::new(id).unwrap())
    }

    #[tokio::test]
    async fn one_query_tells_of_contacts_and_of_person_accounts() {
        let server = StandIn::start().await;
        server.grant("one").reply(200, &json!({ "fields": [{ "name": "IsPersonAccount" }] }));
        let contact = json!({ "Id": "003000000000001AAA", "Name": "Ada", "Email": "ada@example.com", "IsPersonAccount": false,
            "AccountId": "001000000000009AAA", "MobilePhone": "+33 6", "Account": { "Name": "Acme" },
            "CreatedDate": "2026-01-15T09:30:12.000+0000", "Cases": { "totalSize": 2, "done": true, "records": [] } });
        let person = json!({ "Id": "003000000000003AAA", "Name": "Bob", "IsPersonAccount": true,
            "AccountId": "001000000000002AAA", "Account": { "Name": "Bob" }, "Cases": null });
        server.reply(200, &json!({ "totalSize": 2, "done": true, "records": [contact, person] }));
        let found = server.client_of_unknown_organization().contact_details(&ids()).await.unwrap();
        let [ada, bob] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(found.iter().map(|it| it.id.clone()).collect::<Vec<_>>(), ids());
        assert_eq!((ada.account.as_deref(), ada.mobile_phone.as_deref()), (Some("Acme"), Some("+33 6")));
        assert_eq!((ada.open_cases, ada.created_at), (Some(2), Some(Timestamp::from_millis(1_768_469_412_000))));
        assert_eq!((bob.person_account, bob.account.as_deref(), bob.open_cases), (true, None, Some(0)));
        assert_eq!(server.asked().len(), 3, "a token, what the object has, and the query");
    }

    #[tokio::test]
    async fn a_field_that_is_hidden_costs_what_it_would_have_said_and_no_more() {
        let server = StandIn::start().await;
        server.grant("one").reply(200, &json!({ "fields": [] }));
        server.reply(400, &json!([{ "errorCode": "INVALID_FIELD", "message": "No such column 'MobilePhone'" }]));
        let contact = json!({ "Id": "003000000000001AAA", "Name": "Ada", "Email": null, "Phone": null });
        server.reply(200, &json!({ "totalSize": 1, "done": true, "records": [contact] }));
        let found = server.client_of_unknown_organization().contact_details(&ids()).await.unwrap();
        assert_eq!((found[0].name.as_str(), found[0].created_at, found[0].open_cases), ("Ada", None, None));
        let asked = server.asked();
        assert!(asked[2].uri.contains("MobilePhone") && !asked[3].uri.contains("MobilePhone"), "{}", asked[3].uri);
        assert!(!asked[3].uri.contains("001000000000002AAA"), "there are no person accounts: {}", asked[3].uri);
    }
}
