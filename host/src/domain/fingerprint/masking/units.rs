//! Reads a text unit by unit: words stay, what differs is masked, and what was masked side by side is one.

use super::characters::{AMBIGUOUS, APOSTROPHES, JOINS, MASK, QUOTES, between, goes_on, is_quote, spaceless};
use super::spans::Span;
use super::vocabulary::{CUSTOM, DATE_WORDS, is_noun};

/// The longest text that comes of it, in bytes.
const LONGEST: usize = 1024;
/// The longest quoted name that stays, in bytes.
const LONGEST_NAME: usize = 80;

/// The text without what differs, within its bound.
pub(super) fn reduced(text: &str, spans: Vec<Span>) -> String {
    let scanner = Scanner { text, spans, passed: 0, at: 0, units: Vec::new(), unclosed: Vec::new() };
    let mut units = scanner.run();
    absorb_dates(&mut units);
    joined(&units)
}

/// The smallest parts of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit<'a> {
    /// Something was taken out.
    Mask,
    /// A word that stays.
    Word(&'a str),
    /// A name that stays, whatever is in it.
    Kept(&'a str),
    /// A character between words.
    Mark(char),
}

struct Scanner<'a> {
    text: &'a str,
    spans: Vec<Span>,
    /// So many spans are behind.
    passed: usize,
    at: usize,
    units: Vec<Unit<'a>>,
    /// Openings that nothing further on closes, and whether a backslash stands before it.
    unclosed: Vec<(char, bool)>,
}

impl<'a> Scanner<'a> {
    fn run(mut self) -> Vec<Unit<'a>> {
        while let Some(character) = self.text[self.at..].chars().next() {
            while self.spans.get(self.passed).is_some_and(|span| span.start < self.at) {
                self.passed += 1;
            }
            let span = self.spans.get(self.passed).copied();
            if let Some(span) = span.filter(|span| span.start == self.at) {
                self.units.push(self.unit(span));
                self.at = span.end;
            } else if let Some((_, closing)) = QUOTES.iter().find(|(opening, _)| *opening == character) {
                self.quotation(character, closing);
            } else if character == MASK {
                self.units.push(Unit::Mask);
                self.at += character.len_utf8();
            } else if is_quote(character) {
                // One that only closes, and closes nothing.
                self.units.push(Unit::Mark(' '));
                self.at += character.len_utf8();
            } else if between(character) {
                self.units.push(Unit::Mark(character));
                self.at += character.len_utf8();
            } else {
                self.word(span.map_or(self.text.len(), |span| span.start));
            }
        }
        self.units
    }

    fn unit(&self, span: Span) -> Unit<'a> {
        if span.kept { Unit::Kept(&self.text[span.start..span.end]) } else { Unit::Mask }
    }

    /// At a quotation mark: what it encloses goes, but for names that stay. One that encloses nothing is a blank.
    fn quotation(&mut self, opening: char, closing: &str) {
        let start = self.at + opening.len_utf8();
        let Some((end, closed)) = self.end_of_quotation(opening, closing) else {
            self.units.push(Unit::Mark(' '));
            self.at = start;
            return;
        };
        let inside: Vec<_> = self.spans[self.passed..].iter().copied().take_while(|span| span.start < end).collect();
        let content = &self.text[start..end];
        if self.after_a_noun() && is_a_name(content) && inside.iter().all(|span| span.kept) {
            self.units.push(Unit::Kept(&self.text[self.at..closed]));
        } else {
            let mut from = start;
            for span in inside.into_iter().filter(|span| span.kept) {
                if span.start > from {
                    self.units.extend([Unit::Mask, Unit::Mark(' ')]);
                }
                self.units.extend([self.unit(span), Unit::Mark(' ')]);
                from = span.end;
            }
            if end > from || from == start {
                self.units.push(Unit::Mask);
            }
        }
        self.at = closed;
    }

    /// Where the quotation that opens here ends, without and with its mark.
    fn end_of_quotation(&mut self, opening: char, closing: &str) -> Option<(usize, usize)> {
        let escaped =
            |at: usize| self.text.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
        let kind = (opening, escaped(self.at));
        let start = self.at + opening.len_utf8();
        let before = self.text[..self.at].chars().next_back();
        if self.unclosed.contains(&kind) || AMBIGUOUS.contains(opening) && goes_on(before, Some('a')) {
            return None;
        }
        let mut spans = self.spans[self.passed..].iter().peekable();
        let mut at = start;
        while let Some(character) = self.text[at..].chars().next() {
            if let Some(span) = spans.next_if(|span| span.start <= at) {
                at = at.max(span.end);
                continue;
            }
            let next = at + character.len_utf8();
            let apostrophe = APOSTROPHES.contains(character) && goes_on(Some('a'), self.text[next..].chars().next());
            if closing.contains(character) && !apostrophe && escaped(at) == kind.1 {
                return Some((at, next));
            }
            at = next;
        }
        self.unclosed.push(kind);
        None
    }

    fn after_a_noun(&self) -> bool {
        let word = self.units.iter().rev().find(|unit| !matches!(unit, Unit::Mark(' ' | ':')));
        matches!(word, Some(Unit::Word(word)) if is_noun(word))
    }

    /// A word, at most up to `stop`; a URL as a whole.
    fn word(&mut self, stop: usize) {
        let text = &self.text[self.at..stop];
        let mut before = None;
        let ends = |(at, character): &(usize, char)| {
            let after = text[at + character.len_utf8()..].chars().next();
            let apostrophe =
                APOSTROPHES.contains(*character) && goes_on(before, Some('a')) && goes_on(Some('a'), after);
            let other_script = before.is_some_and(|before| spaceless(before) != spaceless(*character));
            before = Some(*character);
            !apostrophe && (between(*character) || *character == MASK || is_quote(*character)) || other_script
        };
        let end = text.char_indices().find(ends).map_or(text.len(), |(at, _)| at);
        let word = &text[..end];
        let rest = &self.text[self.at + end..];
        if rest.starts_with("://") && word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            let over = |c: char| c == ' ' || c == '<' || c == '>' || c == MASK || is_quote(c);
            let url = &rest[..rest.find(over).unwrap_or(rest.len())];
            self.units.push(Unit::Mask);
            self.at += end + url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}']).len();
            return;
        }
        self.at += end;
        let stem = word.trim_end_matches('.');
        if !stem.contains(|c: char| c.is_alphanumeric() || c == '@') {
            self.units.extend(word.chars().map(Unit::Mark));
            return;
        }
        self.units.push(if differs(stem) { Unit::Mask } else { Unit::Word(stem) });
        self.units.extend(word[stem.len()..].chars().map(Unit::Mark));
    }
}

/// Whether a word is an address, a number, an id or the like, and no API name.
fn differs(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let api_name = word.starts_with(|first: char| first.is_ascii_alphabetic())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        && CUSTOM.iter().any(|suffix| lower.ends_with(suffix));
    !api_name && (word.contains('@') || word.chars().any(char::is_numeric) || lower.starts_with("www."))
}

fn is_a_name(content: &str) -> bool {
    let plain = !content.contains('@') && !content.contains("://") && !content.contains(MASK);
    plain && content.len() <= LONGEST_NAME && content.chars().any(char::is_alphabetic)
}

/// Names of days and months go with the numbers that they stand beside.
fn absorb_dates(units: &mut [Unit<'_>]) {
    fn beside<'b, 'a: 'b>(units: impl Iterator<Item = &'b mut Unit<'a>>) {
        let mut masked = false;
        for unit in units {
            match unit {
                Unit::Mark(mark) if JOINS.contains(*mark) => {}
                Unit::Word(word) if masked && DATE_WORDS.contains(word) => *unit = Unit::Mask,
                other => masked = *other == Unit::Mask,
            }
        }
    }
    beside(units.iter_mut());
    beside(units.iter_mut().rev());
}

/// The units as a text, within its bound; what was taken out side by side is one.
fn joined(units: &[Unit<'_>]) -> String {
    let (mut text, mut marks) = (String::new(), String::new());
    let mut masked = false;
    for unit in units {
        let word = match unit {
            Unit::Mark(' ') if marks.ends_with(' ') || text.is_empty() && marks.is_empty() => continue,
            Unit::Mark(mark) => {
                marks.push(*mark);
                continue;
            }
            Unit::Mask if masked && marks.chars().all(|mark| JOINS.contains(mark)) => {
                marks.clear();
                continue;
            }
            Unit::Mask => "…",
            Unit::Word(word) | Unit::Kept(word) => word,
        };
        if text.len() + marks.len() + word.len() > LONGEST {
            return text;
        }
        text += &marks;
        text += word;
        marks.clear();
        masked = *unit == Unit::Mask;
    }
    if text.len() + marks.len() <= LONGEST {
        text += marks.trim_end();
    }
    text
}
