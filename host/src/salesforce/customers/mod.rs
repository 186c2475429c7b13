//! Who a customer is in Salesforce: a contact, or a person account.

mod contacts;
mod person_accounts;

pub(super) use contacts::Customers;
