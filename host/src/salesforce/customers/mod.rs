//! Who a customer is in Salesforce.

pub(crate) mod contacts;
pub(crate) mod person_accounts;
