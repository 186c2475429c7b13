//! Takes personal data out of a case: what is left has the same shape, so that a policy can still be asked about it.

use super::{Case, Conversation, Found, Named};
use crate::domain::{ConversationId, Direction, FOUND_BY, MessageId};

/// Digits that are taken for a personal number: in a row,
const NUMBER: usize = 4;
/// and with what numbers are written with between them.
const SPREAD_NUMBER: usize = 7;
/// Digits at the end of a phone number by which an id is known as made of it.
const PHONE_END: usize = 7;
const CUSTOMER: &str = "Customer";
const AGENT: &str = "Agent";
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
            replace(phone, zeros);
            // What Salesforce's fields say is personal; by which of them the contact was found is not.
            for Named { value, .. } in attributes.iter_mut().filter(|it| it.name != FOUND_BY) {
                "masked".clone_into(value);
            }
        }
        let names = Names::of(&self.conversation);
        if let Some(failure) = &mut self.failure {
            failure.text = names.masked(&failure.text);
        }
        Self { conversation: self.conversation.masked(), ..self }
    }
}

impl Conversation {
    /// The same without names, addresses, phone numbers and the values of custom fields; in texts and tags, addresses, longer
    /// numbers and the names of the customer and the agents are replaced, and ids that are made of a number or an address
    /// have another in their place. What else somebody wrote of themselves stays.
    #[must_use]
    pub fn masked(mut self) -> Self {
        let (names, personal) = (Names::of(&self), PersonalIds::of(&self));
        if personal.has(self.id.as_str()) {
            self.id = ConversationId::new("masked").unwrap_or(self.id);
        }
        for (number, message) in (1..).zip(&mut self.messages) {
            message.body = names.masked(&message.body);
            let author = if message.direction == Direction::Inbound { CUSTOMER } else { AGENT };
            message.author = if message.author.is_empty() { String::new() } else { author.to_owned() };
            if message.id.as_ref().is_some_and(|id| personal.has(id.as_str())) {
                message.id = MessageId::new(format!("masked:{number}")).ok();
            }
        }
        for tag in &mut self.tags {
            *tag = names.masked(tag);
        }
        let customer = &mut self.customer;
        if !customer.id.is_empty() {
            "masked".clone_into(&mut customer.id);
        }
        replace(&mut customer.name, |_| CUSTOMER.to_owned());
        replace(&mut customer.email, |_| EMAIL.to_owned());
        replace(&mut customer.phone, zeros);
        replace(&mut self.agent, |_| AGENT.to_owned());
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

/// Zeros in place of digits, whatever script they are of.
fn zeros(text: &str) -> String {
    text.chars().map(|character| if character.is_numeric() { '0' } else { character }).collect()
}

/// Ids that tell who the customer is.
struct PersonalIds {
    of_customer: String,
    phone_end: String,
}

impl PersonalIds {
    fn of(conversation: &Conversation) -> Self {
        let phone = digits(conversation.customer.phone.as_deref().unwrap_or_default());
        let phone_end = phone.get(phone.len().saturating_sub(PHONE_END)..).unwrap_or_default().to_owned();
        Self { of_customer: conversation.customer.id.clone(), phone_end }
    }

    fn has(&self, id: &str) -> bool {
        let longer = self.of_customer.len() >= PHONE_END && id.contains(&self.of_customer);
        longer || id.contains('@') || (self.phone_end.len() == PHONE_END && digits(id).contains(&self.phone_end))
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The names that are replaced in texts, each with what stands in its place.
struct Names(Vec<(String, &'static str)>);

impl Names {
    fn of(conversation: &Conversation) -> Self {
        let author = |message: &super::Message| match message.direction {
            Direction::Inbound => (message.author.clone(), CUSTOMER),
            Direction::Outbound => (message.author.clone(), AGENT),
        };
        let customer = conversation.customer.name.iter().map(|name| (name.clone(), CUSTOMER));
        let agent = conversation.agent.iter().map(|name| (name.clone(), AGENT));
        let whole = customer.chain(agent).chain(conversation.messages.iter().map(author));
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
    fn masked(&self, text: &str) -> String {
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
fn numbers(text: &str) -> String {
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

    #[test]
    fn numbers_go_however_they_are_grouped_and_ids_that_are_made_of_them_too() {
        let text = r#"{"conversation": {"id": "wa:33612345678", "channel": "whatsapp", "tags": ["VIP", "call 06 12 34 56 78"],
            "customer": {"id": "33612345678", "name": "Li Dupont-Moretti", "phone": "+33 6 12 34 56 78"},
            "messages": [{"id": "wa:33612345678:1", "author": "Li Dupont-Moretti",
                          "body": "M.Dupont, 06.12.34.56.78 or 06 12 34 56 78 or (06) 12-34-56-78; 2 items, 10 % off, Li"},
                         {"id": "wa:33612345678:2", "direction": "outbound", "author": "Grace", "body": "Grace here, a list of 3"}]},
            "question": "judge",
            "failure": {"class": "record", "code": "X", "text": "duplicate of ada@byron.example, Moretti, 0612345678"}}"#;
        let masked = Case::read(text).unwrap().masked();
        let conversation = &masked.conversation;
        assert_eq!(
            conversation.messages[0].body,
            "M.Customer, 00.00.00.00.00 or 00 00 00 00 00 or (00) 00-00-00-00; 2 items, 10 % off, Customer"
        );
        assert_eq!(conversation.messages[1].body, "Agent here, a list of 3");
        assert_eq!(conversation.tags, ["VIP", "call 00 00 00 00 00"]);
        assert_eq!(masked.failure.as_ref().unwrap().text, "duplicate of customer@example.com, Customer, 0000000000");
        let left = serde_json::to_string(&masked).unwrap();
        for personal in ["336123", "612345", "12345", "Dupont", "Moretti", "Grace", "byron"] {
            assert!(!left.contains(personal), "{personal} in {left}");
        }
        let ids: Vec<_> = conversation.messages.iter().map(|message| message.id.as_ref().unwrap().as_str()).collect();
        assert_eq!((conversation.id.as_str(), ids), ("masked", vec!["masked:1", "masked:2"]));
    }

    #[test]
    fn names_go_from_texts_that_set_no_spaces_and_ids_of_the_platform_stay() {
        let text = r#"{"conversation": {"id": "main:1234567", "channel": "web", "customer": {"id": "88", "name": "\u7530\u4e2d \u592a\u90ce"},
            "messages": [{"id": "main:7654321", "body": "\u7530\u4e2d\u3067\u3059"}]}}"#;
        let masked = Case::read(text).unwrap().masked().conversation;
        assert_eq!(masked.messages[0].body, "Customer\u{3067}\u{3059}");
        assert_eq!(
            (masked.id.as_str(), masked.messages[0].id.as_ref().unwrap().as_str()),
            ("main:1234567", "main:7654321")
        );
    }
}
