//! An action: what a person asked of this host and had, or what it did to a policy by itself, on record for whoever wants to
//! know who did what, when and why.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{ApiTokenId, IdempotencyKey, OrgId, Timestamp, is_hidden};

/// The longest text of an action, in characters.
const LONGEST: usize = 500;

/// Who asks, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The name of the token.
    pub name: String,
    /// The way that the request came.
    pub via: Via,
    /// How it came.
    pub request: RequestOrigin,
    /// The key with which the same request may come again.
    pub key: Option<IdempotencyKey>,
}

/// How a person's or a program's request came, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOrigin {
    /// By which token; a session of the console has one too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<ApiTokenId>,
    /// The other side of the connection; that of a proxy, where one stands between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The way that a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// A call of the API, by a program or by the command line.
    Api,
    /// A page of the console.
    Console,
    /// No request: a file of the folder of policies was changed.
    Folder,
    /// No request: the host did it by itself.
    Host,
}

/// What somebody did. What is asked about many things at once is one action with their count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// When.
    pub at: Timestamp,
    /// Orders what was done within one millisecond; an action that is written twice is one.
    pub order: u64,
    /// Who: the name of the token; the path of the file, or `switchyard`, where nobody asked by a request.
    pub by: String,
    /// The way that it was asked.
    pub via: Via,
    /// How the request came, where there was one.
    #[serde(flatten)]
    pub request: RequestOrigin,
    /// What.
    pub what: Deed,
    /// The organization that it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// The id of what it is about: a sync error, a conversation, a policy ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How many things it was about.
    pub count: u64,
    /// Why, in the words of whoever asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The key with which the same request may come again; it has a record of its own.
    #[serde(skip)]
    pub key: Option<IdempotencyKey>,
}

impl RequestOrigin {
    /// As a record has it: nothing where nothing is known.
    #[must_use]
    pub fn known(&self) -> Option<Box<Self>> {
        (*self != Self::default()).then(|| Box::new(self.clone()))
    }
}

impl Asker {
    /// Somebody who asks by no request.
    #[must_use]
    pub fn new(name: &str, via: Via, address: Option<IpAddr>) -> Self {
        Self { name: name.to_owned(), via, request: RequestOrigin { address, ..RequestOrigin::default() }, key: None }
    }
}

impl Action {
    /// An action about nothing in particular. Its `order` is the ledger's to give.
    #[must_use]
    pub fn new(asker: &Asker, what: Deed, at: Timestamp) -> Self {
        let (by, via, request, key) = (plain(&asker.name), asker.via, asker.request.clone(), asker.key.clone());
        Self { at, order: 0, by, via, request, what, org: None, subject: None, count: 1, reason: None, key }
    }

    /// The same, about an organization.
    #[must_use]
    pub fn of(self, org: &OrgId) -> Self {
        Self { org: Some(org.clone()), ..self }
    }

    /// The same, about something with this id.
    #[must_use]
    pub fn about(self, subject: impl std::fmt::Display) -> Self {
        Self { subject: Some(plain(&subject.to_string())), ..self }
    }

    /// The same, about so many.
    #[must_use]
    pub fn counting(self, count: u64) -> Self {
        Self { count, ..self }
    }

    /// The same, for this reason.
    #[must_use]
    pub fn because(self, reason: &str) -> Self {
        Self { reason: Some(plain(reason)), ..self }
    }
}

/// A text as it is kept: one line that shows all that it says, and no longer than a person reads.
fn plain(text: &str) -> String {
    text.chars().filter(|character| !is_hidden(*character)).take(LONGEST).collect()
}

macro_rules! deeds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What can be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Deed {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl Deed {
            /// Everything that can be done.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in records, in addresses and in lists.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

deeds! {
    /// A sync error was tried again.
    Retry = "retry",
    /// A sync error was ignored.
    Ignore = "ignore",
    /// An ignored sync error was taken back.
    Reopen = "reopen",
    /// Somebody said which contact the customer of a conversation is: `reason` has its id, `none` or `policy`.
    Choose = "choose",
    /// All open sync errors of an organization were tried again.
    RetryAll = "retry-all",
    /// Something was begun over many sync errors: `reason` says what, and why.
    OperationBegin = "operation-begin",
    /// An operation was paused.
    OperationPause = "operation-pause",
    /// An operation went on.
    OperationResume = "operation-resume",
    /// An operation was ended before its end.
    OperationCancel = "operation-cancel",
    /// What an operation ignored was taken back.
    OperationUndo = "operation-undo",
    /// Somebody put who looks after it, a note or a ticket to a cause.
    GroupEdit = "group-edit",
    /// A conversation that waited for the end of an incident was ignored.
    IgnoreParked = "ignore-parked",
    /// Everything that customers wrote in conversations was forgotten, and who they are.
    Erase = "erase",
    /// The first points to check were looked at; an incident is probed by that.
    Check = "check",
    /// An entry of the quarantine was put back.
    QuarantineRetry = "quarantine-retry",
    /// An entry of the quarantine was forgotten.
    QuarantineDrop = "quarantine-drop",
    /// A policy was put in force.
    PolicyPut = "policy-put",
    /// A revision of a policy did worse than the one before, which was put back.
    PolicyRollBack = "policy-roll-back",
    /// An earlier revision of a policy was put in force again.
    PolicyRestore = "policy-restore",
    /// A policy was deleted.
    PolicyDelete = "policy-delete",
    /// Why the newest change of a policy was refused was let go.
    RejectionForget = "rejection-forget",
    /// A shadow of a policy began.
    ShadowStart = "shadow-start",
    /// A shadow of a policy ended.
    ShadowEnd = "shadow-end",
    /// A plugin was handed in.
    PluginPut = "plugin-put",
    /// A plugin was pulled from a registry.
    PluginPull = "plugin-pull",
    /// A plugin was deleted.
    PluginDelete = "plugin-delete",
    /// An authorization of an organization began.
    AuthorizeStart = "authorize-start",
    /// An organization was authorized.
    Authorize = "authorize",
    /// An authorization was refused.
    AuthorizeRefused = "authorize-refused",
    /// Settings of an organization were changed: `reason` says which, and what they were before.
    OrgSettings = "org-settings",
    /// A mail was sent to find out whether it comes.
    MailTest = "mail-test",
    /// Somebody signed in to the console.
    SignIn = "sign-in",
    /// Tokens that are none were given, to the console or to the API.
    SignInRefused = "sign-in-refused",
    /// Somebody signed out of the console.
    SignOut = "sign-out",
    /// A token was made.
    TokenMake = "token-make",
    /// A token was revoked.
    TokenRevoke = "token-revoke",
    /// A backup was read.
    Backup = "backup",
    /// The store was recounted.
    Recount = "recount",
}

impl std::fmt::Display for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Deed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.iter().map(|deed| deed.as_str()).collect::<Vec<_>>().join(", ");
        let found = Self::ALL.iter().copied().find(|deed| deed.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of {}", known()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_keeps_no_control_characters_and_no_text_without_an_end() {
        let asker = Asker::new("an\u{202e}n", Via::Api, None);
        let action = Action::new(&asker, Deed::Ignore, Timestamp::default());
        let action = action.about("se-1\n").because(&format!("a\u{1b}[31m{}", "é".repeat(LONGEST)));
        assert_eq!((action.by.as_str(), action.subject.as_deref()), ("ann", Some("se-1")));
        assert_eq!(action.reason.map(|reason| reason.chars().count()), Some(LONGEST));
    }

    #[test]
    fn every_deed_reads_back_as_it_is_written() {
        for deed in Deed::ALL {
            assert_eq!(deed.as_str().parse(), Ok(*deed));
            assert_eq!(serde_json::to_string(deed).unwrap(), format!("\"{deed}\""));
        }
        assert!("delete".parse::<Deed>().unwrap_err().contains("retry, ignore, reopen"));
    }
}
