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
    use crate::domain::{Direction, Timestamp};

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
}
