//! Switchyard moves customer conversations from Alcmeon into Salesforce organizations through sandboxed policies.
//!
//! The rooms are listed from the ground up; nothing imports from its own floor or from above (ARCHITECTURE.md).

pub mod alcmeon;
pub mod clock;
pub mod domain;
pub mod salesforce;
