//! How much of what a source tells is kept, so that no record outgrows the store and no text hides control characters.

use super::{Arrival, Attribute, Conversation, Message};

/// The longest text of a message, in bytes; the rest is cut off and a mark says so.
pub const BODY_BYTES: usize = 32 * 1024;
/// The texts of the messages that one conversation keeps, in bytes together; the oldest go first.
pub const BODIES_BYTES: usize = 256 * 1024;
/// The longest name, tag, value or address, in bytes.
const TEXT_BYTES: usize = 2 * 1024;
/// Tags and attributes kept, each.
const LISTED: usize = 100;
/// The largest conversation, in bytes as JSON: a store takes records of two mebibytes. What would be larger is refused as a
/// sync error of its own.
pub const CONVERSATION_BYTES: usize = 1024 * 1024;
/// Stands where a text was cut off.
pub(super) const MARK: char = '…';

impl Arrival {
    /// The same with every text and list within its bound.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let customer = &mut self.customer;
        for text in [&mut self.account_name, &mut self.kind, &mut self.channel, &mut customer.id] {
            cut(text, TEXT_BYTES);
        }
        let agent = self.agent.as_mut().and_then(Option::as_mut);
        let named = [customer.name.as_mut(), customer.email.as_mut(), customer.phone.as_mut()];
        for text in named.into_iter().chain([self.url.as_mut(), self.team.as_mut(), agent]).flatten() {
            cut(text, TEXT_BYTES);
        }
        self.tags.truncate(LISTED);
        for tag in &mut self.tags {
            cut(tag, TEXT_BYTES);
        }
        for attributes in [&mut self.attributes, &mut customer.attributes] {
            attributes.truncate(LISTED);
            for Attribute { name, value } in attributes {
                cut(name, TEXT_BYTES);
                cut(value, TEXT_BYTES);
            }
        }
        for message in &mut self.messages {
            cut(&mut message.author, TEXT_BYTES);
            cut(&mut message.body, BODY_BYTES);
        }
        self
    }
}

impl Conversation {
    /// How many bytes it takes as JSON, where that is more than a conversation may take.
    #[must_use]
    pub fn too_large(&self) -> Option<usize> {
        let listed = |attributes: &[Attribute]| {
            attributes.iter().map(|attribute| attribute.name.len() + attribute.value.len()).sum::<usize>()
        };
        let texts = self.messages.iter().map(size).sum::<usize>()
            + self.tags.iter().map(String::len).sum::<usize>()
            + listed(&self.attributes)
            + listed(&self.customer.attributes);
        // A quotation mark takes two bytes as JSON. All else (ids, times, names of fields) is little, and bounded.
        let most = 2 * texts + 512 * self.messages.len() + 64 * 1024;
        if most <= CONVERSATION_BYTES {
            return None;
        }
        let exact = serde_json::to_vec(self).map_or(usize::MAX, |bytes| bytes.len());
        (exact > CONVERSATION_BYTES).then_some(exact)
    }
}

/// Drops the oldest messages until the texts of the rest fit; the newest always stays.
pub(super) fn fit(messages: &mut Vec<Message>) {
    let mut bytes: usize = messages.iter().map(size).sum();
    let mut over = 0;
    while bytes > BODIES_BYTES && over + 1 < messages.len() {
        bytes -= size(&messages[over]);
        over += 1;
    }
    messages.drain(..over);
}

/// What counts of a message: its text and who wrote it.
const fn size(message: &Message) -> usize {
    message.body.len() + message.author.len()
}

/// Control characters other than line ends and tabs go (they double their size or more on disk, and no system behind
/// wants them); what is longer than `most` bytes ends with the mark.
pub(super) fn cut(text: &mut String, most: usize) {
    if text.contains(unwanted) {
        text.retain(|character| !unwanted(character));
    }
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most - MARK.len_utf8()));
        text.push(MARK);
    }
}

/// Whether a character moves others about, or does something to a terminal, instead of being read: in a line that people
/// or policies write it has no place.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    let moves_others = matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || moves_others
}

fn unwanted(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Direction, Timestamp, merge};

    proptest! {
        #[test]
        fn a_text_within_its_bound_stays_and_a_longer_one_ends_with_the_mark(text in "\\PC{0,40}", most in 8_usize..64) {
            let mut kept = text.clone();
            cut(&mut kept, most);
            prop_assert!(kept.len() <= most);
            if text.len() <= most {
                prop_assert_eq!(kept, text);
            } else {
                prop_assert!(kept.ends_with(MARK) && text.starts_with(kept.trim_end_matches(MARK)));
            }
        }
    }

    #[test]
    fn control_characters_go_and_line_ends_stay() {
        let mut text = "a\u{0}b\u{1b}[31m\r\n\tc\u{7f}".to_owned();
        cut(&mut text, 100);
        assert_eq!(text, "ab[31m\r\n\tc");
    }

    #[test]
    fn the_oldest_messages_go_when_the_texts_are_too_much_together() {
        let message = |number: u64| Message {
            id: format!("shop:1:{number}").parse().unwrap(),
            direction: Direction::Inbound,
            author: String::new(),
            body: "x".repeat(BODY_BYTES),
            sent_at: Timestamp::from_millis(number),
        };
        let mut messages: Vec<_> = (0..20).map(message).collect();
        fit(&mut messages);
        assert_eq!(messages.len(), BODIES_BYTES / BODY_BYTES);
        assert_eq!(messages.last().unwrap().sent_at, Timestamp::from_millis(19));
    }

    fn arrival() -> Arrival {
        serde_json::from_value(serde_json::json!({
            "source": "main", "account": "12", "account_name": "", "conversation": "main:1", "message": "main:1",
            "event": 1, "kind": "task-create", "at": "2026-01-05T09:30:00Z", "by": "poll", "channel": "chat", "url": null,
            "team": null, "agent": null, "closed": null, "tags": [], "attributes": [], "customer": { "id": "99" },
            "messages": [], "extra": null,
        }))
        .unwrap()
    }

    fn message(number: usize, author: &str, body: String) -> Message {
        Message {
            id: format!("main:{number}").parse().unwrap(),
            direction: Direction::Inbound,
            author: author.to_owned(),
            body,
            sent_at: Timestamp::from_millis(number as u64),
        }
    }

    #[test]
    fn every_text_and_list_of_an_arrival_has_its_bound() {
        let long = || "x".repeat(100_000);
        let listed = || (0..101).map(|_| Attribute { name: long(), value: long() }).collect::<Vec<_>>();
        let mut whole = arrival();
        for text in [&mut whole.account_name, &mut whole.kind, &mut whole.channel, &mut whole.customer.id] {
            *text = long();
        }
        let customer = &mut whole.customer;
        (customer.name, customer.email, customer.phone) = (Some(long()), Some(long()), Some(long()));
        (customer.attributes, whole.attributes, whole.tags) = (listed(), listed(), vec![long(); 101]);
        (whole.url, whole.team, whole.agent) = (Some(long()), Some(long()), Some(Some(long())));
        whole.messages = vec![message(1, &long(), long())];
        let bounded = whole.bounded();
        let customer = &bounded.customer;
        let named = [&customer.name, &customer.email, &customer.phone, &bounded.url, &bounded.team];
        let mut texts: Vec<_> = named.into_iter().flatten().chain(bounded.agent.iter().flatten()).collect();
        assert_eq!(texts.len(), 6);
        texts.extend([&bounded.account_name, &bounded.kind, &bounded.channel, &customer.id]);
        texts.extend(&bounded.tags);
        texts.push(&bounded.messages[0].author);
        for attributes in [&bounded.attributes, &customer.attributes] {
            assert_eq!(attributes.len(), 100);
            texts.extend(attributes.iter().flat_map(|attribute| [&attribute.name, &attribute.value]));
        }
        assert_eq!(bounded.tags.len(), 100);
        assert!(texts.iter().all(|text| text.len() == 2_048 && text.ends_with(MARK)));
        assert_eq!(bounded.messages[0].body.len(), 32_768);
    }

    #[test]
    fn a_conversation_of_more_than_a_mebibyte_is_too_large_whatever_it_is_made_of() {
        let blank = merge(None, arrival(), Timestamp::default()).conversation;
        let quotes = |bytes: usize| "\"".repeat(bytes);
        let listed = |name: usize, value: usize| {
            (0..100).map(|_| Attribute { name: quotes(name), value: quotes(value) }).collect::<Vec<_>>()
        };
        let messages = |author: usize, body: usize| {
            (0..100).map(|number| message(number, &quotes(author), quotes(body))).collect::<Vec<_>>()
        };
        let mut customer = blank.clone();
        customer.customer.attributes = listed(3_000, 2_300);
        let many = [
            Conversation { messages: messages(0, 5_300), ..blank.clone() },
            Conversation { messages: messages(5_300, 0), ..blank.clone() },
            Conversation { tags: vec![quotes(5_300); 100], ..blank.clone() },
            Conversation { attributes: listed(2_300, 3_000), ..blank.clone() },
            Conversation { attributes: listed(5_300, 0), ..blank.clone() },
            customer,
            Conversation { tags: vec![quotes(2_650); 100], attributes: listed(1_325, 1_325), ..blank.clone() },
        ];
        for conversation in many {
            let bytes = serde_json::to_vec(&conversation).unwrap().len();
            assert!(bytes > 1_048_576);
            assert_eq!(conversation.too_large(), Some(bytes));
        }
        assert_eq!(Conversation { tags: vec![quotes(5_000); 100], ..blank }.too_large(), None);
    }

    #[test]
    fn what_is_exactly_within_the_bound_is_kept() {
        let blank = merge(None, arrival(), Timestamp::default()).conversation;
        let empty =
            serde_json::to_vec(&Conversation { url: String::new(), tags: vec![String::new()], ..blank.clone() });
        let left = 1_048_576 - empty.unwrap().len();
        let of = |bytes: usize| Conversation { url: String::new(), tags: vec!["x".repeat(bytes)], ..blank.clone() };
        assert_eq!(of(left).too_large(), None);
        assert_eq!(of(left + 1).too_large(), Some(1_048_577));
        let mut texts: Vec<_> = (0..8).map(|number| message(number, "", "x".repeat(32_768))).collect();
        fit(&mut texts);
        assert_eq!(texts.len(), 8, "256 KiB together");
        texts[7].author = "a".to_owned();
        fit(&mut texts);
        assert_eq!((texts.len(), texts[0].sent_at), (7, Timestamp::from_millis(1)));
        let mut alone = vec![message(1, "", "x".repeat(300_000))];
        fit(&mut alone);
        assert_eq!(alone.len(), 1, "the newest stays");
        let mut both = vec![message(1, "", "x".to_owned()), message(2, "", "x".repeat(300_000))];
        fit(&mut both);
        assert_eq!(both.len(), 1, "and nothing beside it");
    }

    #[test]
    fn what_moves_other_characters_about_is_hidden() {
        for hidden in ['\0', '\u{1b}', '\n', '\u{85}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{202e}', '\u{2066}'] {
            assert!(is_hidden(hidden), "{hidden:?}");
        }
        for shown in ['a', 'é', '字', '🙂', ' ', '\u{200d}'] {
            assert!(!is_hidden(shown), "{shown:?}");
        }
    }
}
