//! What is personal: names, addresses and numbers in texts, and ids that are made of them.

use super::super::{Conversation, Message};
use crate::domain::Direction;

/// Digits that are taken for a personal number: in a row,
const NUMBER: usize = 4;
/// and with what numbers are written with between them.
const SPREAD_NUMBER: usize = 7;
/// Digits at the end of a phone number by which an id is known as made of it.
const PHONE_END: usize = 7;
pub(super) const CUSTOMER: &str = "Customer";
pub(super) const AGENT: &str = "Agent";
pub(super) const EMAIL: &str = "customer@example.com";

/// Zeros in place of digits, whatever script they are of.
pub(super) fn zeros(text: &str) -> String {
    text.chars().map(|character| if character.is_numeric() { '0' } else { character }).collect()
}

/// Ids that tell who the customer is.
#[derive(Debug)]
pub(super) struct PersonalIds {
    of_customer: String,
    phone_end: String,
}

impl PersonalIds {
    pub(super) fn of(conversation: &Conversation) -> Self {
        let phone = digits(conversation.customer.phone.as_deref().unwrap_or_default());
        let phone_end = phone.get(phone.len().saturating_sub(PHONE_END)..).unwrap_or_default().to_owned();
        Self { of_customer: conversation.customer.id.clone(), phone_end }
    }

    /// Of a customer of whom nothing is known.
    pub(super) const fn unknown() -> Self {
        Self { of_customer: String::new(), phone_end: String::new() }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        let longer = self.of_customer.len() >= PHONE_END && id.contains(&self.of_customer);
        longer || id.contains('@') || (self.phone_end.len() == PHONE_END && digits(id).contains(&self.phone_end))
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The names that are replaced in texts, each with what stands in its place.
#[derive(Debug)]
pub(super) struct Names(Vec<(String, &'static str)>);

impl Names {
    pub(super) fn of(conversation: &Conversation) -> Self {
        let author = |message: &Message| match message.direction {
            Direction::Inbound => (message.author.clone(), CUSTOMER),
            Direction::Outbound => (message.author.clone(), AGENT),
        };
        let customer = conversation.customer.name.iter().map(|name| (name.clone(), CUSTOMER));
        let agent = conversation.agent.iter().map(|name| (name.clone(), AGENT));
        let whole = customer.chain(agent).chain(conversation.messages.iter().map(author));
        Self::new(whole)
    }

    /// The same with more names of the customer.
    pub(super) fn and(self, more: impl Iterator<Item = String>) -> Self {
        Self::new(self.0.into_iter().chain(more.map(|name| (name, CUSTOMER))))
    }

    fn new(whole: impl Iterator<Item = (String, &'static str)>) -> Self {
        let parts = whole.flat_map(|(name, place)| {
            let parts: Vec<_> = name.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
            parts.into_iter().map(move |part| (part, place))
        });
        let mut names: Vec<_> = parts.filter(|(name, _)| name.chars().nth(1).is_some() || is_unspaced(name)).collect();
        // The customer's name goes before an agent's, and a longer one before its part.
        names.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(b.1.cmp(a.1)));
        names.dedup_by(|a, b| a.0 == b.0);
        Self(names)
    }

    /// A text without addresses, longer numbers and these names.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        for part in text.split_inclusive(char::is_whitespace) {
            let word = part.trim_end();
            let bare = word.trim_matches(|character: char| !character.is_alphanumeric());
            match bare.contains('@') {
                true => masked.push_str(&word.replace(bare, EMAIL)),
                false => self.words(word, &mut masked),
            }
            masked.push_str(&part[word.len()..]);
        }
        numbers(&masked)
    }

    fn words(&self, text: &str, masked: &mut String) {
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            match self.0.iter().find(|(name, _)| is_name(word, name)) {
                Some((_, place)) => masked.push_str(place),
                None => masked.push_str(&self.unspaced(word)),
            }
            let next = after.chars().next().map_or(0, char::len_utf8);
            masked.push_str(&after[..next]);
            rest = &after[next..];
        }
    }

    /// Names stand in the midst of others where words are not set apart.
    fn unspaced(&self, word: &str) -> String {
        let own = self.0.iter().filter(|(name, _)| is_unspaced(name));
        own.fold(word.to_owned(), |word, (name, place)| word.replace(name.as_str(), place))
    }
}

/// Two letters are a name only as they are written: "Li", and not the "li" of a list.
fn is_name(word: &str, name: &str) -> bool {
    word == name || (name.chars().count() > 2 && word.to_lowercase() == name.to_lowercase())
}

/// Whether a name is of a script that sets no spaces between words: Chinese, Japanese, Korean, Thai.
fn is_unspaced(name: &str) -> bool {
    name.chars()
        .any(|c| matches!(c, '\u{e00}'..='\u{eff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..))
}

/// Zeros in place of the digits of longer numbers, however they are grouped.
pub(super) fn numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(char::is_numeric) {
        let (before, from) = rest.split_at(begin);
        let end = end_of_number(from);
        let (number, after) = from.split_at(end);
        let count = number.chars().filter(|c| c.is_numeric()).count();
        let grouped: Vec<_> = number.split(|c: char| !c.is_numeric()).map(|group| group.chars().count()).collect();
        let personal = count >= SPREAD_NUMBER || grouped.iter().any(|digits| *digits >= NUMBER);
        out.push_str(before);
        out.push_str(&if personal { zeros(number) } else { number.to_owned() });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where the number ends that a text begins with: groups of digits with at most two signs between them.
fn end_of_number(text: &str) -> usize {
    let (mut end, mut between) = (0, 0);
    for (place, character) in text.char_indices() {
        match character {
            digit if digit.is_numeric() => (end, between) = (place + digit.len_utf8(), 0),
            ' ' | '\u{a0}' | '\u{202f}' | '.' | '-' | '/' | '(' | ')' if between < 2 => between += 1,
            _ => break,
        }
    }
    end
}
