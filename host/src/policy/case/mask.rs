//! Takes personal data out of a case: what is left has the same shape, so that a policy can still be asked about it.

mod kept;
mod personal;

pub use self::kept::Mask;
use self::personal::{AGENT, CUSTOMER, EMAIL, Names, PersonalIds, zeros};
use super::{Case, Conversation, Found, Named};
use crate::domain::{ConversationId, Direction, FOUND_BY, MessageId};

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
        if let Some(evidence) = &mut self.evidence {
            let mask = Mask::of(&self.conversation).and_names_in(evidence.request.as_ref());
            evidence.request.iter_mut().for_each(|request| mask.request(request));
            evidence.answer.iter_mut().for_each(|answer| mask.answer(answer));
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
