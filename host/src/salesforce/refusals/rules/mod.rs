//! What Salesforce's codes mean here, one table in families; where a meaning hangs on the text, on a stable fragment of it.

mod connection;
mod data;
mod passing;
mod request;
mod setup;
#[cfg(test)]
mod tests;
mod token;
mod unclassified;

use crate::domain::{Advice, Class, Refusal, Scope};

/// What some codes mean.
pub(crate) struct Rule {
    /// The codes, with blanks between.
    codes: &'static str,
    /// A fragment of the text, in lower case; empty for any text.
    fragment: &'static str,
    pub(crate) class: Class,
    pub(crate) scope: Scope,
    /// Whether it comes less with fewer records in a call.
    fewer: bool,
    /// What happened and what to check, where that is more than can be said of the whole class.
    words: Option<(&'static str, &'static str)>,
}

/// These codes, whatever the text.
const fn rule(class: Class, scope: Scope, codes: &'static str) -> Rule {
    Rule { codes, fragment: "", class, scope, fewer: false, words: None }
}

impl Rule {
    /// Only with this in the text. Such a rule comes before those of any text.
    const fn with(self, fragment: &'static str) -> Self {
        Self { fragment, ..self }
    }

    /// It comes less with fewer records in a call.
    const fn fewer(self) -> Self {
        Self { fewer: true, ..self }
    }

    /// What happened, and what to check.
    const fn words(self, happened: &'static str, check: &'static str) -> Self {
        Self { words: Some((happened, check)), ..self }
    }

    fn names(&self, code: &str) -> bool {
        self.codes.split_ascii_whitespace().any(|own| own == code)
    }
}

/// The vocabularies of the token endpoint (small letters) and of the REST API (capitals) have no word in common.
static FAMILIES: [&[Rule]; 7] =
    [passing::RULES, connection::RULES, token::RULES, setup::RULES, data::RULES, request::RULES, unclassified::RULES];

/// Codes of an entry that only says that another entry of the same call failed.
const FOLLOWERS: [&str; 3] = ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED", "BATCH_PROCESSING_HALTED"];

/// Whether a code only says that something else of the same call failed: it is never the cause.
pub(crate) fn follows(code: &str) -> bool {
    FOLLOWERS.contains(&code)
}

/// What a code means with this text; `None` where it is on no list.
pub(crate) fn of(code: &str, text: &str) -> Option<&'static Rule> {
    let text = text.to_lowercase();
    let named = || FAMILIES.iter().copied().flatten().filter(|rule| rule.names(code));
    let by_text = named().find(|rule| !rule.fragment.is_empty() && text.contains(rule.fragment));
    by_text.or_else(|| named().find(|rule| rule.fragment.is_empty()))
}

/// Whether a refusal asks for fewer records in a call: a lock, or a limit of what the organization runs.
pub(crate) fn wants_fewer(refusal: &Refusal) -> bool {
    of(&refusal.code, &refusal.text).is_some_and(|rule| rule.fewer)
}

/// What a status means where the body says nothing that is known.
pub(crate) fn of_status(status: u16) -> (Class, Scope) {
    match status {
        // 406 and 420 come from Salesforce's edge while an instance is being set up.
        406 | 408 | 420 | 429 | 500..=599 => (Class::Transient, Scope::Org),
        401 => (Class::Auth, Scope::Org),
        300 => (Class::Config, Scope::Record),
        301..=303 | 305..=399 => (Class::Config, Scope::Org),
        405 | 413..=415 | 431 => (Class::Request, Scope::Record),
        410 => (Class::Request, Scope::Org),
        _ => (Class::Unclassified, Scope::Record),
    }
}

/// What an administrator is told about a refusal: in the words of its code where it has some, else in those of its class.
#[must_use]
pub fn advice(refusal: &Refusal) -> Advice {
    let of_class = refusal.class.advice();
    // A policy may use one of these codes for something of its own, and an earlier release may have classified otherwise.
    let known = of(&refusal.code, &refusal.text).filter(|rule| refusal.blame.is_none() && rule.class == refusal.class);
    match known.and_then(|rule| rule.words) {
        Some((happened, check)) => Advice { happened, check, ..of_class },
        None => of_class,
    }
}
