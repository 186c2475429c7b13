//! Takes personal data out of a case: what is left has the same shape, so that a policy can still be asked about it.

use super::{Case, Conversation, Found, Named};
use crate::domain::Direction;

/// How many digits in a row are taken for a personal number.
const NUMBER: usize = 4;
/// The shortest part of a name that is replaced in texts, in characters.
const NAME: usize = 3;
const CUSTOMER: &str = "Customer";
const EMAIL: &str = "customer@example.com";

impl Case {
    /// The same without personal data, see [`Conversation::masked`]. A contact that has the customer's name or address has
    /// the masked one's.
    #[must_use]
    pub fn masked(mut self) -> Self {
        let of = self.conversation.customer.clone();
        for (number, found) in (1..).zip(&mut self.found) {
            let Found { name, email, phone, attributes, .. } = found;
            *name = if of.name.as_ref() == Some(name) { CUSTOMER.to_owned() } else { format!("Contact {number}") };
            let same = |email: &str| of.email.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(email));
            replace(email, |email| match same(email) {
                true => EMAIL.to_owned(),
                false => format!("contact-{number}@example.com"),
            });
            replace(phone, |phone| digits(phone, 0));
            for Named { value, .. } in attributes {
                "masked".clone_into(value);
            }
        }
        Self { conversation: self.conversation.masked(), ..self }
    }
}

impl Conversation {
    /// The same without names, addresses, phone numbers and the values of custom fields; in texts, addresses, longer
    /// numbers and the customer's name are replaced. What else somebody wrote of themselves stays.
    #[must_use]
    pub fn masked(mut self) -> Self {
        let name = self.customer.name.clone().unwrap_or_default();
        let names: Vec<_> =
            name.split_whitespace().filter(|part| part.chars().count() >= NAME).map(str::to_lowercase).collect();
        for message in &mut self.messages {
            message.body = text(&message.body, &names);
            let author = if message.direction == Direction::Inbound { CUSTOMER } else { "Agent" };
            message.author = if message.author.is_empty() { String::new() } else { author.to_owned() };
        }
        let customer = &mut self.customer;
        replace(&mut customer.name, |_| CUSTOMER.to_owned());
        replace(&mut customer.email, |_| EMAIL.to_owned());
        replace(&mut customer.phone, |phone| digits(phone, 0));
        replace(&mut self.agent, |_| "Agent".to_owned());
        for Named { value, .. } in self.attributes.iter_mut().chain(&mut customer.attributes) {
            "masked".clone_into(value);
        }
        self
    }
}

fn replace(field: &mut Option<String>, with: impl Fn(&str) -> String) {
    if let Some(value) = field {
        *value = with(value);
    }
}

/// A text word by word, with its white space as it is.
fn text(body: &str, names: &[String]) -> String {
    let mut masked = String::with_capacity(body.len());
    for part in body.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        let bare = word.trim_matches(|character: char| !character.is_alphanumeric());
        if bare.contains('@') {
            masked.push_str(&word.replace(bare, EMAIL));
        } else if names.iter().any(|name| *name == bare.to_lowercase()) {
            masked.push_str(&word.replace(bare, CUSTOMER));
        } else {
            masked.push_str(&digits(word, NUMBER));
        }
        masked.push_str(&part[word.len()..]);
    }
    masked
}

/// Zeros in place of digits, where so many or more stand in a row but for what phone numbers are written with.
fn digits(word: &str, least: usize) -> String {
    if word.chars().filter(char::is_ascii_digit).count() < least {
        return word.to_owned();
    }
    word.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use crate::policy::case::Case;

    #[test]
    fn a_contact_that_has_the_customers_address_is_known_by_the_masked_one() {
        let text = r#"{"question": "choose", "conversation": {"id": "c1", "channel": "web", "messages": [],
                "customer": {"name": "Ada Byron", "email": "ada@byron.example"}},
            "found": [{"id": "003000000000001", "name": "Ada Byron", "email": "Ada@byron.example", "phone": "+33 1"},
                      {"id": "003000000000002", "name": "Grace Hopper", "email": "grace@navy.example",
                       "attributes": [{"name": "Title", "value": "Admiral"}]}]}"#;
        let Case { conversation, found, .. } = Case::read(text).unwrap().masked();
        assert_eq!(
            (&found[0].email, Some(&found[0].name)),
            (&conversation.customer.email, conversation.customer.name.as_ref())
        );
        assert_ne!(found[1].email, conversation.customer.email);
        let left = serde_json::to_string(&(conversation, found)).unwrap().to_lowercase();
        for personal in ["ada", "byron", "grace", "navy", "+33", "admiral"] {
            assert!(!left.contains(personal), "{personal} in {left}");
        }
    }

    #[test]
    fn names_addresses_and_numbers_go_and_the_rest_of_a_text_stays() {
        let text = r#"{"conversation": {"id": "c1", "channel": "web", "team": "billing", "agent": "Grace",
            "attributes": [{"name": "7", "value": "secret"}],
            "customer": {"name": "Ada Byron", "email": "ada@byron.example", "phone": "+33 1 99 00 12 34"},
            "messages": [{"author": "Ada Byron", "body": "Hello, Ada here (ada@byron.example):\nrefund order 12345678, 2 items"},
                         {"direction": "outbound", "author": "Grace", "body": "Hi Byron!"}]}}"#;
        let masked = Case::read(text).unwrap().conversation.masked();
        assert_eq!(
            masked.messages[0].body,
            "Hello, Customer here (customer@example.com):\nrefund order 00000000, 2 items"
        );
        assert_eq!((masked.messages[1].body.as_str(), masked.messages[1].author.as_str()), ("Hi Customer!", "Agent"));
        assert_eq!(masked.customer.phone.as_deref(), Some("+00 0 00 00 00 00"));
        assert_eq!((masked.team.as_deref(), masked.attributes[0].value.as_str()), (Some("billing"), "masked"));
        let left = serde_json::to_string(&masked).unwrap().to_lowercase();
        for personal in ["ada", "byron", "grace", "12345678", "secret"] {
            assert!(!left.contains(personal), "{personal} in {left}");
        }
    }
}
