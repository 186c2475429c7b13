//! What Salesforce's codes mean here, one table in families; where a meaning hangs on the text, on what is stable in it.

mod connection;
mod data;
mod passing;
mod request;
mod setup;
#[cfg(test)]
mod tests;
mod token;
mod unclassified;

use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::domain::{Advice, Class, Refusal, Scope};

/// What some codes mean.
pub(crate) struct Rule {
    /// The codes, with blanks between.
    codes: &'static str,
    /// Fragments of the text, in lower case, with `|` between; empty for none.
    fragments: &'static str,
    /// Fields that Salesforce may name, with blanks between. They have one spelling in every language.
    fields: &'static str,
    /// First characters of ids that the text may name, with blanks between.
    prefixes: &'static str,
    class: Class,
    scope: Scope,
    /// Whether it comes less with fewer records in a call.
    fewer: bool,
    /// What happened and what to check, where that is more than can be said of the whole class.
    words: Option<Words>,
}

/// What happened, and what to check.
type Words = (&'static str, &'static str);

/// These codes, whatever the text.
const fn rule(class: Class, scope: Scope, codes: &'static str) -> Rule {
    Rule { codes, fragments: "", fields: "", prefixes: "", class, scope, fewer: false, words: None }
}

impl Rule {
    /// Only with one of these in the text. Rules with a condition come before those of any text.
    const fn with(self, fragments: &'static str) -> Self {
        Self { fragments, ..self }
    }

    /// Only where one of these fields is named.
    const fn at(self, fields: &'static str) -> Self {
        Self { fields, ..self }
    }

    /// Only where the text names an id that begins like this.
    const fn naming(self, prefixes: &'static str) -> Self {
        Self { prefixes, ..self }
    }

    /// It comes less with fewer records in a call.
    const fn fewer(self) -> Self {
        Self { fewer: true, ..self }
    }

    /// What happened, and what to check.
    const fn words(self, happened: &'static str, check: &'static str) -> Self {
        Self { words: Some((happened, check)), ..self }
    }

    const fn has_condition(&self) -> bool {
        !(self.fragments.is_empty() && self.fields.is_empty() && self.prefixes.is_empty())
    }

    /// Whether one of its conditions holds; any one is enough.
    fn fits(&self, text: &str, lower: &str, fields: &[&str]) -> bool {
        let mut fragments = self.fragments.split('|').filter(|fragment| !fragment.is_empty());
        fragments.any(|fragment| lower.contains(fragment))
            || self
                .fields
                .split_ascii_whitespace()
                .any(|own| fields.iter().any(|field| field.eq_ignore_ascii_case(own)))
            || self.prefixes.split_ascii_whitespace().any(|prefix| names_id(text, prefix))
    }
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) class: Class,
    pub(crate) scope: Scope,
    fewer: bool,
    words: Option<Words>,
}

/// The vocabularies of the token endpoint (small letters) and of the REST API (capitals) have no word in common.
static FAMILIES: [&[Rule]; 7] =
    [passing::RULES, connection::RULES, token::RULES, setup::RULES, data::RULES, request::RULES, unclassified::RULES];

/// The rules of each code, in the order of the table: lists show what is advised about each of many refusals.
static BY_CODE: LazyLock<HashMap<&str, Vec<&Rule>>> = LazyLock::new(|| {
    let mut by_code = HashMap::<_, Vec<_>>::new();
    for rule in FAMILIES.iter().copied().flatten() {
        for code in rule.codes.split_ascii_whitespace() {
            by_code.entry(code).or_default().push(rule);
        }
    }
    by_code
});

/// Codes of an entry that only says that another entry of the same call failed.
const FOLLOWERS: [&str; 3] = ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED", "BATCH_PROCESSING_HALTED"];

/// Whether a code only says that something else of the same call failed: it is never the cause.
pub(crate) fn follows(code: &str) -> bool {
    FOLLOWERS.contains(&code)
}

/// Codes of what the organization itself runs when a record is saved: its words may wrap a refusal with a code of its own.
const WRAPPERS: &str = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY CANNOT_EXECUTE_FLOW_TRIGGER APEX_ERROR APEX_FAILED \
                        CUSTOM_APEX_ERROR FLOW_EXCEPTION FIELD_CUSTOM_VALIDATION_EXCEPTION";

/// What a code means with this text and these fields; `None` where it is on no list.
///
/// Most texts come in the language of the integration user. What is the same in each is looked at as well: the fields and
/// ids that they name, and the codes that triggers and flows repeat in them.
pub(crate) fn of(code: &str, text: &str, fields: &[String]) -> Option<Meaning> {
    let mut named: Vec<_> = fields.iter().map(String::as_str).collect();
    named.extend(fields_in(text));
    let found = find(code, text, &named)?;
    let wraps = !found.has_condition() && is_wrapper(code);
    let meaning = wraps.then(|| wrapped(text, &named)).flatten();
    Some(meaning.unwrap_or_else(|| found.meaning()))
}

impl Rule {
    const fn meaning(&self) -> Meaning {
        Meaning { class: self.class, scope: self.scope, fewer: self.fewer, words: self.words }
    }
}

fn find(code: &str, text: &str, fields: &[&str]) -> Option<&'static Rule> {
    let named = BY_CODE.get(code)?;
    let lower = LazyCell::new(|| text.to_lowercase());
    let by_condition = named.iter().find(|rule| rule.has_condition() && rule.fits(text, &lower, fields));
    by_condition.or_else(|| named.iter().find(|rule| !rule.has_condition())).copied()
}

/// What the innermost known code in a text means: it is the cause of those around it.
fn wrapped(text: &str, fields: &[&str]) -> Option<Meaning> {
    let is_code =
        |word: &&str| word.contains('_') && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(is_code);
    let known = words.filter(|word| !is_wrapper(word)).filter_map(|code| find(code, text, fields));
    // Whatever it is, it is about what the organization runs for this record; a new token mends nothing there, and the
    // request that was wrong is not this host's.
    let own = |meaning: Meaning| match meaning.class {
        Class::Unclassified | Class::Auth => None,
        Class::Request => Some(Meaning { class: Class::Record, scope: Scope::Record, ..meaning }),
        _ => Some(Meaning { scope: Scope::Record, ..meaning }),
    };
    known.map(Rule::meaning).filter_map(own).next_back()
}

fn is_wrapper(code: &str) -> bool {
    WRAPPERS.split_ascii_whitespace().any(|wrapper| wrapper == code)
}

/// The fields that a text names in brackets: `first error: INVALID_OPERATION, ...: [OwnerId]`.
fn fields_in(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.split('[').skip(1).filter_map(|rest| rest.split_once(']')).map(|(inner, _)| inner);
    inner.flat_map(|inner| inner.split(',')).map(str::trim)
}

/// Whether a text names an id that begins like this.
fn names_id(text: &str, prefix: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    // A prefix with a letter is no number, so it tells even where somebody cut the id short.
    let cut_short = prefix.bytes().any(|byte| byte.is_ascii_alphabetic());
    words.any(|word| word.starts_with(prefix) && (cut_short || matches!(word.len(), 15 | 18)))
}

/// The ids of records that a text names.
pub(crate) fn ids_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    // An id has digits, and no word has so many; an organization's or a number of another kind is none of a record.
    words.filter(|word| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        matches!(word.len(), 15 | 18) && digits >= 4 && !word.starts_with("00D")
    })
}

/// Whether a refusal asks for fewer records in a call: a lock, a limit of what the organization runs, or a page of a server
/// on the way that may dislike one of them.
pub(crate) fn wants_fewer(refusal: &Refusal) -> bool {
    of(&refusal.code, &refusal.text, &refusal.fields).is_some_and(|meaning| meaning.fewer)
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

/// What an answer means whose body is none of Salesforce's: somebody on the way gave it, or the address is another's now.
/// No record is at fault, and it passes by itself.
pub(crate) fn of_page(status: u16, empty: bool) -> (Class, Scope) {
    match status {
        // Fewer records may pass.
        413 | 414 | 431 => of_status(status),
        // Salesforce ends a session in words; an empty 401 is at least no page.
        401 if empty => of_status(status),
        _ => (Class::Transient, Scope::Org),
    }
}

/// What an error of the token endpoint means that is on no list. Whatever it is, an administrator has to look at the
/// connection; what says that the server failed passes.
pub(crate) fn of_token_error(status: u16) -> Class {
    if of_status(status).0 == Class::Transient { Class::Transient } else { Class::Auth }
}

/// What an administrator is told about a refusal: in the words of its code where it has some, else in those of its class.
#[must_use]
pub fn advice(refusal: &Refusal) -> Advice {
    let of_class = refusal.class.advice();
    // A policy may use one of these codes for something of its own, and an earlier release may have classified otherwise.
    let known = of(&refusal.code, &refusal.text, &refusal.fields);
    let known = known.filter(|meaning| refusal.blame.is_none() && meaning.class == refusal.class);
    match known.and_then(|meaning| meaning.words) {
        Some((happened, check)) => Advice { happened, check, ..of_class },
        None => of_class,
    }
}
