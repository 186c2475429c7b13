//! Takes out of a text what differs from one conversation to the next, so that one cause has one text.

/// Stands for what was taken out.
const MASK: char = '…';
/// So much of a text is looked at, in bytes.
const LOOKED_AT: usize = 64 * 1024;
/// The longest text that comes of it, in bytes.
const LONGEST: usize = 1024;
/// What is taken out may leave more to take out beside it; that ends after two or three rounds.
const ROUNDS: usize = 8;
/// The longest quoted name that stays, in bytes.
const LONGEST_NAME: usize = 80;

/// Values follow these words of Salesforce's without quotation marks, up to the second words or the end of the text.
const VALUES: [(&str, &str); 10] = [
    ("data value too large: ", " (max length="),
    ("bad value for restricted picklist field: ", ""),
    ("invalid email address: ", ""),
    ("value not of required type: ", ""),
    ("id value of incorrect type: ", ""),
    ("value outside of valid range on numeric field: ", ""),
    ("foreign key external id: ", " not found for field"),
    ("duplicate external id specified: ", ""),
    (" from value_string value ", " or request may be"),
    // This host's own: which queues there are is not the cause.
    ("; there are: ", ""),
];

/// A quoted name after one of these is a name of the set-up, and stays.
const NOUNS: [&str; 20] = [
    "team",
    "queue",
    "column",
    "field",
    "type",
    "object",
    "sobject",
    "entity",
    "relationship",
    "picklist",
    "rule",
    "flow",
    "trigger",
    "class",
    "method",
    "policy",
    "plugin",
    "function",
    "variable",
    "property",
];

/// A number that is the name of a team, an account or a queue stays after one of these, or one of the above.
const ACCOUNTS: [&str; 4] = ["account", "page", "channel", "source"];

/// Parts of a date or time where they stand beside a number.
const DATE_WORDS: [&str; 48] = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
    "January",
    "February",
    "March",
    "April",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Mon",
    "Tue",
    "Wed",
    "Thu",
    "Fri",
    "Sat",
    "Sun",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "AM",
    "PM",
    "am",
    "pm",
    "UTC",
    "GMT",
    "CET",
    "CEST",
    "EST",
    "PST",
    "PDT",
];

/// Suffixes of the API names that an organization gives.
const CUSTOM: [&str; 7] = ["__c", "__r", "__pc", "__mdt", "__e", "__x", "__kav"];

/// An opening quotation mark and those that close it.
const QUOTES: [(char, &str); 15] = [
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
const AMBIGUOUS: &str = "\"'`”’";
const APOSTROPHES: &str = "'’";
/// End a word, and stay.
const BREAKS: &str = "()[]{}<>,;:=|!?*";
/// What was taken out on both sides of these is one.
const JOINS: &str = " ,;:.-/+|&";

/// What of a conversation a text may name.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<'a> {
    /// Stay, because they say where the cause is.
    pub(super) kept: Vec<&'a str>,
    /// Go, wherever they stand.
    pub(super) taken: Vec<&'a str>,
}

/// The text without ids, numbers, addresses, dates, values and quoted words; at most 1,024 bytes of it.
pub(super) fn mask(text: &str, names: &Names<'_>) -> String {
    let mut text = round(&text[..text.floor_char_boundary(LOOKED_AT)], names);
    for _ in 1..ROUNDS {
        let again = round(&text, names);
        if again == text {
            break;
        }
        text = again;
    }
    text
}

fn round(text: &str, names: &Names<'_>) -> String {
    let text = folded(text);
    let spans = spans(&text, names);
    let mut units = Scanner { text: &text, spans, passed: 0, at: 0, units: Vec::new(), unclosed: Vec::new() }.run();
    absorb_dates(&mut units);
    joined(&units)
}

/// One blank for white space of any length; nothing for what cannot be seen.
fn folded(text: &str) -> String {
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
const fn spaceless(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{fff}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}')
}

/// Whether a word goes on from one character to the next.
fn goes_on(before: Option<char>, after: Option<char>) -> bool {
    let part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() && !spaceless(c));
    part(before) && part(after)
}

/// A part of the text that is known before it is read.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    kept: bool,
}

/// Values and names, in the order of the text and apart from each other. A name inside a value is part of it.
fn spans(text: &str, names: &Names<'_>) -> Vec<Span> {
    let values = values(text);
    let apart = |span: &Span| values.iter().all(|value| span.end <= value.start || value.end <= span.start);
    let mut all = values.clone();
    for (names, kept) in [(&names.taken, false), (&names.kept, true)] {
        for name in names.iter().map(|name| folded(name)).filter(|name| !name.is_empty()) {
            let bounded = |start: &usize| {
                let (first, last) = (name.chars().next(), name.chars().next_back());
                let (before, after) = (&text[..*start], &text[start + name.len()..]);
                let named = !kept || name.chars().any(char::is_alphabetic) || announced(before);
                named && !goes_on(before.chars().next_back(), first) && !goes_on(last, after.chars().next())
            };
            let found = text.match_indices(&name).map(|(start, _)| start).filter(bounded);
            all.extend(found.map(|start| Span { start, end: start + name.len(), kept }).filter(apart));
        }
    }
    all.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.kept));
    let mut end = 0;
    all.retain(|span| {
        let behind = span.start >= end;
        if behind {
            end = span.end;
        }
        behind
    });
    all
}

/// Whether a text ends with a word that says whose name follows.
fn announced(before: &str) -> bool {
    let before = before.trim_end_matches(|mark| matches!(mark, ' ' | ':' | '#') || is_quote(mark));
    let word = before.rsplit(|part: char| !part.is_alphabetic()).next().unwrap_or_default();
    NOUNS.iter().chain(&ACCOUNTS).any(|noun| noun.eq_ignore_ascii_case(word))
}

/// What stands behind the words that announce a value, as far as it may reach.
fn values(text: &str) -> Vec<Span> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (words, until) in VALUES {
        let mut from = 0;
        while let Some(at) = lower[from..].find(words) {
            let start = from + at + words.len();
            // The last one: a value may have the same words in it.
            let end = if until.is_empty() { None } else { lower[start..].rfind(until) };
            let end = end.map_or(text.len(), |end| start + end);
            if end > start {
                found.push(Span { start, end, kept: false });
            }
            from = end.max(start);
        }
    }
    found
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
        matches!(word, Some(Unit::Word(word)) if NOUNS.iter().any(|noun| noun.eq_ignore_ascii_case(word)))
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

fn between(character: char) -> bool {
    character == ' ' || BREAKS.contains(character)
}

fn is_quote(character: char) -> bool {
    QUOTES.iter().any(|(opening, closing)| *opening == character || closing.contains(character))
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
