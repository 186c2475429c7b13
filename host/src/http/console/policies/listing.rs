//! A policy's text with the numbers of its lines, simple colours, and words at lines that have something to be said of.

use std::collections::BTreeMap;

use maud::{Markup, html};

/// The most lines that are shown of a text: a page is to stay small.
const LINES: usize = 500;
/// Lines around one of which something is said, where only these are shown.
const AROUND: usize = 3;

/// What a part of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Comment,
    Text,
    Word,
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Rhai,
    Toml,
}

/// Words that a language has for itself.
const RHAI: [&str; 26] = [
    "as", "break", "const", "continue", "do", "else", "export", "false", "fn", "for", "if", "import", "in", "is",
    "let", "loop", "private", "return", "switch", "this", "throw", "true", "try", "catch", "until", "while",
];
const TOML: [&str; 4] = ["true", "false", "inf", "nan"];

/// What is said at a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Whether something is wrong there.
    pub(super) wrong: bool,
    pub(super) words: String,
}

/// What is said at lines, counted from 1.
pub(super) type Marks = BTreeMap<u32, Vec<Mark>>;

/// The address of a line within a page.
pub(super) fn anchor(file: &str, line: u32) -> String {
    format!("{file}-{line}")
}

/// A file's text.
pub(super) fn listing(file: &str, text: &str, marks: &Marks) -> Markup {
    let all = lines(language(file), text);
    let (count, shown) = (all.len(), all.into_iter().take(LINES));
    html! {
        (frame(file, shown.enumerate().map(|(at, line)| (at + 1, line)), marks))
        @if count > LINES { p.hint { "Lines " (LINES + 1) " to " (count) " are not shown here." } }
    }
}

/// The lines of a file's text of which something is said, and those around them.
pub(super) fn excerpt(file: &str, text: &str, marks: &Marks) -> Markup {
    let near = |number: usize| marks.keys().any(|line| (*line as usize).abs_diff(number) <= AROUND);
    let all = lines(language(file), text).into_iter().enumerate().map(|(at, line)| (at + 1, line));
    frame(file, all.filter(|(number, _)| near(*number)).take(LINES), marks)
}

fn frame<'a>(file: &str, lines: impl Iterator<Item = (usize, Vec<(Kind, &'a str)>)>, marks: &Marks) -> Markup {
    html! {
        div.text tabindex="0" role="region" aria-label={ "The text of " (file) } {
            ol.lines {
                @for (value, (number, line)) in numbered(lines, |(number, _)| *number) {
                    @let marks = u32::try_from(number).ok().and_then(|number| Some((number, marks.get(&number)?)));
                    li value=[value] id=[marks.map(|(number, _)| anchor(file, number))]
                        class=[marks.map(|(_, marks)| if marks.iter().any(|mark| mark.wrong) { "wrong" } else { "told" })] {
                        @for (kind, part) in line {
                            @match kind {
                                Kind::Plain => { (part) }
                                Kind::Comment => { i.c { (part) } }
                                Kind::Text => { i.t { (part) } }
                                Kind::Word => { i.w { (part) } }
                                Kind::Name => { i.n { (part) } }
                            }
                        }
                        @for mark in marks.into_iter().flat_map(|(_, marks)| marks) {
                            @if !mark.words.is_empty() { div.remark { (mark.words) } }
                        }
                    }
                }
            }
        }
    }
}

/// The items with the numbers that a list has to be told: those that do not follow the one before.
pub(super) fn numbered<T>(
    items: impl Iterator<Item = T>,
    number: impl Fn(&T) -> usize,
) -> impl Iterator<Item = (Option<usize>, T)> {
    items.scan(0, move |before, item| {
        let (own, follows) = (number(&item), *before + 1);
        *before = own;
        Some(((own != follows).then_some(own), item))
    })
}

fn language(file: &str) -> Language {
    if file.ends_with(".toml") { Language::Toml } else { Language::Rhai }
}

/// The parts of each line.
fn lines(language: Language, text: &str) -> Vec<Vec<(Kind, &str)>> {
    let mut lines = vec![Vec::new()];
    for (kind, token) in tokens(language, text) {
        for (at, part) in token.split('\n').enumerate() {
            if at > 0 {
                lines.push(Vec::new());
            }
            if let Some(line) = lines.last_mut().filter(|_| !part.is_empty()) {
                line.push((kind, part));
            }
        }
    }
    // A text ends with its last line, and not with an empty one behind it.
    if text.ends_with('\n') {
        lines.pop();
    }
    lines
}

/// The text in parts, none of which is lost.
fn tokens(language: Language, text: &str) -> Vec<(Kind, &str)> {
    let mut tokens = Vec::new();
    let (mut at, mut plain) = (0, 0);
    while let Some(first) = text[at..].chars().next() {
        let (kind, length) = next(language, &text[at..], first, text[..at].ends_with('\n') || at == 0);
        if kind != Kind::Plain {
            if plain < at {
                tokens.push((Kind::Plain, &text[plain..at]));
            }
            tokens.push((kind, &text[at..at + length]));
            plain = at + length;
        }
        at += length;
    }
    if plain < at {
        tokens.push((Kind::Plain, &text[plain..]));
    }
    tokens
}

/// What stands first in the rest of a text, and how many bytes it has.
fn next(language: Language, rest: &str, first: char, begins_line: bool) -> (Kind, usize) {
    let line = rest.find('\n').unwrap_or(rest.len());
    match (language, first) {
        (Language::Rhai, '/') if rest.starts_with("//") => (Kind::Comment, line),
        (Language::Rhai, '/') if rest.starts_with("/*") => {
            (Kind::Comment, rest.find("*/").map_or(rest.len(), |at| at + 2))
        }
        (Language::Toml, '#') => (Kind::Comment, line),
        (Language::Toml, '[') if begins_line => (Kind::Name, rest[..line].find('#').unwrap_or(line)),
        (_, '"' | '\'' | '`') => (Kind::Text, quoted(language, rest, first, line)),
        (_, first) if first.is_alphanumeric() || first == '_' => word(language, rest),
        _ => (Kind::Plain, first.len_utf8()),
    }
}

/// How long a quoted text is; one that nobody closes ends with its line.
fn quoted(language: Language, rest: &str, quote: char, line: usize) -> usize {
    let triple = match quote {
        '"' => "\"\"\"",
        _ => "'''",
    };
    if language == Language::Toml && rest.starts_with(triple) {
        return rest[3..].find(triple).map_or(rest.len(), |at| at + 6);
    }
    if quote == '`' {
        return rest[1..].find('`').map_or(rest.len(), |at| at + 2);
    }
    let escapes = quote == '"' || language == Language::Rhai;
    let mut escaped = false;
    for (at, character) in rest[..line].char_indices().skip(1) {
        match character {
            '\\' if escapes && !escaped => escaped = true,
            character if character == quote && !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    line
}

fn word(language: Language, rest: &str) -> (Kind, usize) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || (c == '-' && language == Language::Toml);
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let (word, behind) = (&rest[..length], rest[length..].trim_start_matches(' '));
    let kind = match language {
        Language::Rhai if RHAI.contains(&word) => Kind::Word,
        Language::Rhai if behind.starts_with('(') => Kind::Name,
        Language::Toml if behind.starts_with(['=', '.']) => Kind::Name,
        Language::Toml if TOML.contains(&word) => Kind::Word,
        _ => Kind::Plain,
    };
    (kind, length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_character_of_a_text_is_lost_or_moved(
            text in "([a-z]{1,4}|[\"'`/*#\\[\\]=.\\\\({ \n]|fn|let|\u{e9}|\u{202e}|\"\"\"|'''|//|/\\*){0,40}"
        ) {
            for language in [Language::Rhai, Language::Toml] {
                let parts: String = tokens(language, &text).into_iter().map(|(_, part)| part).collect();
                prop_assert_eq!(&parts, &text);
                let shown: Vec<String> =
                    lines(language, &text).into_iter().map(|line| line.into_iter().map(|(_, part)| part).collect()).collect();
                let wanted: Vec<_> = text.strip_suffix('\n').unwrap_or(&text).split('\n').collect();
                prop_assert_eq!(shown, wanted);
            }
        }
    }

    fn of(language: Language, text: &str, kind: Kind) -> Vec<&str> {
        tokens(language, text).into_iter().filter(|(of, _)| *of == kind).map(|(_, part)| part).collect()
    }

    #[test]
    fn words_texts_comments_and_names_have_colours_of_their_own() {
        let script = "// a \"b\"\nfn route(c) {\n    let a = \"x \\\" // y\" + `z\n${1}`; /* if */ queue(a)\n}\n";
        assert_eq!(of(Language::Rhai, script, Kind::Comment), ["// a \"b\"", "/* if */"]);
        assert_eq!(of(Language::Rhai, script, Kind::Text), ["\"x \\\" // y\"", "`z\n${1}`"]);
        assert_eq!(of(Language::Rhai, script, Kind::Word), ["fn", "let"]);
        assert_eq!(of(Language::Rhai, script, Kind::Name), ["route", "queue"]);
        let toml = "# c = 'd'\n[settings.queues] # e\nstore-events = \"A # b\"\nx = true\ny = 'it''s'\n";
        assert_eq!(of(Language::Toml, toml, Kind::Comment), ["# c = 'd'", "# e"]);
        assert_eq!(of(Language::Toml, toml, Kind::Name), ["[settings.queues] ", "store-events", "x", "y"]);
        assert_eq!(of(Language::Toml, toml, Kind::Text), ["\"A # b\"", "'it'", "'s'"]);
        assert_eq!(of(Language::Toml, toml, Kind::Word), ["true"]);
    }

    #[test]
    fn a_line_of_which_something_is_said_can_be_linked_to_and_nothing_of_the_text_is_markup() {
        let marks: Marks = [(2, vec![Mark { wrong: true, words: "<b> is no token".into() }])].into();
        let text = "a\n<script>b\nc\nd\ne\nf\ng\n";
        let whole = listing("shop.rhai", text, &marks).0;
        assert!(
            whole.contains("<li id=\"shop.rhai-2\" class=\"wrong\">") && whole.contains("&lt;script&gt;b"),
            "{whole}"
        );
        assert!(whole.contains("&lt;b&gt; is no token") && whole.matches("<li").count() == 7, "{whole}");
        assert_eq!(excerpt("shop.rhai", text, &marks).0.matches("<li").count(), 5);
        let far: Marks = [(7, Vec::new())].into();
        assert!(excerpt("shop.rhai", text, &far).0.contains("<li value=\"4\">"));
    }
}
