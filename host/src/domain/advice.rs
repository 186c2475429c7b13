//! What a person is told about a refusal: what happened, what to check first, and what follows by itself.

use serde::Serialize;

use super::Class;

/// Three sentences for an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What happened.
    pub happened: &'static str,
    /// What to check, and what to do then.
    pub check: &'static str,
    /// Whether it is tried again by itself, where the policy does not say otherwise.
    pub by_itself: &'static str,
}

impl Class {
    /// What can be said of every refusal of the class.
    #[must_use]
    pub const fn advice(self) -> Advice {
        let by_itself = self.by_itself();
        let (happened, check) = match self {
            Self::Transient => (
                "Salesforce could not take it just now.",
                "Nothing, while it is being tried again. If it stays, look at Salesforce's status page \
                 (trust.salesforce.com).",
            ),
            Self::Limit => {
                ("The organization has used up a limit.", "Look at what uses it up; raise the limit or send less.")
            }
            Self::Auth => (
                "Salesforce does not accept the connection.",
                "Check that the app is installed and its refresh token policy does not end tokens in use, that the user is \
                 active and approved for the app, then authorize the organization again.",
            ),
            Self::Config => (
                "The organization's set-up is in the way.",
                "Check the team/queue mapping, the queue's supported objects, field-level security and picklist \
                 values, then retry.",
            ),
            Self::Record => {
                ("This record's data is in the way.", "Read Salesforce's words, mend the data or the rule, then retry.")
            }
            Self::Ordering => {
                ("A record that this one points to is not there yet.", "Nothing, while it is being tried again.")
            }
            Self::Request => (
                "Salesforce could not understand the request.",
                "Check the names of objects and fields and the API version in the configuration; if they look \
                 right, report it.",
            ),
            Self::Contact => {
                ("Several contacts could be this customer.", "Merge them or link the right one, then retry.")
            }
            Self::Policy => {
                ("The policy refused or failed.", "Read its words, mend the policy or its settings, then retry.")
            }
            Self::Unclassified => {
                ("Nobody has said yet what this code means.", "Read Salesforce's words; retry once you know the cause.")
            }
        };
        Advice { happened, check, by_itself }
    }

    /// In the words of the schedule: see `schedule::plan`.
    const fn by_itself(self) -> &'static str {
        match self {
            Self::Transient => {
                "It is tried again by itself, up to 12 times within half an hour; then it waits for a person."
            }
            Self::Limit => {
                "It is tried again by itself, with waits of up to an hour, for about two days; then it waits for \
                 a person."
            }
            Self::Ordering => {
                "It is tried again by itself, up to 6 times within two minutes; then it waits for a person."
            }
            Self::Auth => {
                "It waits, and is tried again by itself once the organization is authorized again or its checks \
                 find the connection working."
            }
            Self::Config | Self::Record | Self::Request | Self::Contact | Self::Policy | Self::Unclassified => {
                "It waits for a person: retry or ignore it. A later message of the conversation tries it again too."
            }
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Timestamp, Verdict, schedule};

    #[test]
    fn what_follows_by_itself_is_what_the_schedule_does() {
        for class in Class::ALL {
            let Advice { happened, check, by_itself } = class.advice();
            assert!(happened.ends_with('.') && check.ends_with('.') && by_itself.ends_with('.'), "{class}");
            let tried = (1..100).find(|attempt| {
                schedule::plan(&Verdict::AsUsual, class, *attempt, 0, Timestamp::default()) == schedule::Plan::Hold
            });
            let begins = if tried == Some(1) { "It waits" } else { "It is tried again by itself, " };
            assert!(by_itself.starts_with(begins), "{class}: {by_itself}");
            let told = by_itself.split("up to ").nth(1).and_then(|rest| rest.split(" times ").next()?.parse().ok());
            assert!(told.is_none() || told == tried, "{class}: {by_itself}");
        }
    }
}
