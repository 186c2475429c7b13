//! What characters are to the masking, in the scripts of the world.

/// Stands for what was taken out.
pub(super) const MASK: char = '…';

/// An opening quotation mark and those that close it.
pub(super) const QUOTES: [(char, &str); 15] = [
    ('"', "\""),
    ('\'', "'"),
    ('`', "`'"),
    ('“', "”"),
    ('”', "”"),
    ('„', "“”"),
    ('‘', "’"),
    ('’', "’"),
    ('‚', "‘’"),
    ('«', "»"),
    ('»', "«"),
    ('‹', "›"),
    ('›', "‹"),
    ('「', "」"),
    ('『', "』"),
];
/// Those that stand alone too, as an apostrophe or an inch: they open only where no word goes on.
pub(super) const AMBIGUOUS: &str = "\"'`”’";
pub(super) const APOSTROPHES: &str = "'’";
/// End a word, and stay.
const BREAKS: &str = "()[]{}<>,;:=|!?*";
/// What was taken out on both sides of these is one.
pub(super) const JOINS: &str = " ,;:.-/+|&";

/// One blank for white space of any length; nothing for what cannot be seen.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_whitespace() {
            if !folded.ends_with(' ') && !folded.is_empty() {
                folded.push(' ');
            }
        } else if !character.is_control() && !invisible(character) {
            folded.push(character);
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

const fn invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Of scripts that put no blanks between words: a number among them stands alone.
pub(super) const fn spaceless(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{fff}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}')
}

/// Whether a word goes on from one character to the next.
pub(super) fn goes_on(before: Option<char>, after: Option<char>) -> bool {
    let part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() && !spaceless(c));
    part(before) && part(after)
}

pub(super) fn between(character: char) -> bool {
    character == ' ' || BREAKS.contains(character)
}

pub(super) fn is_quote(character: char) -> bool {
    QUOTES.iter().any(|(opening, closing)| *opening == character || closing.contains(character))
}
