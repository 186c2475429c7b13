//! Who a customer is in Salesforce: a contact, or a person account.

mod alone;
mod contacts;
mod details;
mod person_accounts;
mod rows;

pub use alone::Alone;
pub(super) use contacts::Customers;
#[cfg(any(test, fuzzing))]
pub(super) use contacts::rows;
pub use details::ContactDetails;
