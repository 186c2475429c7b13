//! Who a customer is in lists and searches: what their sync errors are found by.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Customer, folded};

/// A longer search term is cut off, in bytes.
const LONGEST_TERM: usize = 64;
/// Words of a name that it is found by.
const WORDS: usize = 5;

/// A customer's name and addresses, as they were known when the conversation failed last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name as the channel shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// An e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A phone number as the source gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Person {
    /// What is known of a customer; `None` where that is nothing.
    #[must_use]
    pub fn of(customer: &Customer) -> Option<Box<Self>> {
        let Customer { name, email, phone, .. } = customer;
        let any = name.is_some() || email.is_some() || phone.is_some();
        any.then(|| Box::new(Self { name: name.clone(), email: email.clone(), phone: phone.clone() }))
    }

    /// What they are found by.
    pub fn terms(&self) -> impl Iterator<Item = String> {
        [&self.name, &self.email, &self.phone].into_iter().flatten().flat_map(|text| beginnings(text))
    }
}

impl Customer {
    /// What their conversations are found by: the source's id, how they are called, and the contact in Salesforce (the first 15
    /// characters of its id, which the rest only repeats).
    #[must_use]
    pub fn terms(&self) -> BTreeSet<String> {
        self.ids().chain(self.named()).filter(|term| !term.is_empty()).collect()
    }

    /// Whether a term is an id of theirs, or how a name or an address begins.
    #[must_use]
    pub fn is_called(&self, term: &str) -> bool {
        let record = term.get(..15).filter(|_| term.len() == 18);
        self.ids().any(|id| id == term || Some(id.as_str()) == record)
            || self.named().any(|name| name.starts_with(term))
    }

    fn ids(&self) -> impl Iterator<Item = String> {
        let contact = self.contact.iter().map(|id| id.as_str().get(..15).unwrap_or(id.as_str()));
        std::iter::once(self.id.as_str()).chain(contact).map(search_term)
    }

    fn named(&self) -> impl Iterator<Item = String> {
        [&self.name, &self.email, &self.phone].into_iter().flatten().flat_map(|text| beginnings(text))
    }
}

/// The search terms of a text: all of it, and what begins at each of its next words, so that a last name finds as a first name does.
fn beginnings(text: &str) -> Vec<String> {
    let whole = search_term(text);
    let words = whole.match_indices(' ').take(WORDS - 1).map(|(at, _)| whole[at + 1..].to_owned());
    let words: Vec<_> = words.collect();
    std::iter::once(whole).chain(words).filter(|term| !term.is_empty()).collect()
}

/// A text as a search term: without capitals and accents, single spaces; of a phone number the digits alone.
#[must_use]
pub fn search_term(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= 3 && text.chars().all(|c| c.is_ascii_digit() || " +-./()".contains(c));
    let mut term = match is_number {
        true => digits,
        false => folded(text).split_whitespace().collect::<Vec<_>>().join(" "),
    };
    term.truncate(term.floor_char_boundary(LONGEST_TERM));
    term
}

/// Whether a text names somebody who is found by one of these terms: by an address, by a number, or by a word of a name. Terms and
/// words of fewer than three characters name nobody.
#[must_use]
pub fn names(text: &str, terms: &BTreeSet<String>) -> bool {
    let is_name = |word: &str| word.chars().count() >= 3;
    let text = folded(text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let apart = |c: char| !c.is_alphanumeric();
    let words: BTreeSet<_> = text.split(apart).collect();
    terms.iter().filter(|term| is_name(term)).any(|term| match term.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.contains(term.as_str()),
        false => {
            text.contains(term.as_str())
                || (!term.contains('@') && term.split(apart).any(|word| is_name(word) && words.contains(word)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_somebody_by_an_address_a_number_or_a_word_of_a_name() {
        let of = |name: &str| search_term(name);
        let terms = BTreeSet::from([of("Jane van Doe"), of("jd@example.com"), of("+33 671 48"), of("Li")]);
        for text in ["mrs DOE asked for it", "Jané", "see jd@example.com!", "she called (33671) 48-12"] {
            assert!(names(text, &terms), "{text}");
        }
        for text in ["a test", "vanity", "Li is out", "it is 12", "doeskin", "jan", ""] {
            assert!(!names(text, &terms), "{text}");
        }
    }

    #[test]
    fn a_name_is_found_by_how_any_of_its_words_begins() {
        let person =
            Person { name: Some(" Anna  van der Berg ".to_owned()), email: Some("a@b.c".to_owned()), phone: None };
        let terms: Vec<_> = person.terms().collect();
        assert_eq!(terms, ["anna van der berg", "van der berg", "der berg", "berg", "a@b.c"]);
        let customer = Customer { id: "77".to_owned(), name: person.name, ..Customer::default() };
        for (term, is_called) in
            [("ber", true), ("van der", true), ("anna b", false), ("77", true), ("7", false), ("nna", false)]
        {
            assert_eq!(customer.is_called(term), is_called, "{term}");
        }
    }

    #[test]
    fn a_name_keeps_its_words_and_a_number_its_digits() {
        assert_eq!(search_term("  Jane   DOE "), "jane doe");
        assert_eq!(search_term("+33 (6) 71-48.59 45"), "33671485945");
        assert_eq!(search_term("Élodie"), "elodie");
        assert_eq!(search_term("12"), "12");
        assert_eq!(search_term("Apt 12"), "apt 12");
        assert!(search_term(&"客".repeat(100)).len() <= LONGEST_TERM);
    }

    #[test]
    fn whoever_has_a_name_or_an_address_is_somebody() {
        let text = || Some("x".to_owned());
        let some = [
            Customer { name: text(), ..Customer::default() },
            Customer { email: text(), ..Customer::default() },
            Customer { phone: text(), ..Customer::default() },
        ];
        for customer in some {
            let person = Person::of(&customer).unwrap();
            assert_eq!(
                (&person.name, &person.email, &person.phone),
                (&customer.name, &customer.email, &customer.phone)
            );
        }
        assert_eq!(Person::of(&Customer { id: "7".to_owned(), ..Customer::default() }), None);
    }
}
