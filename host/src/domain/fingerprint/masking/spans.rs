//! The parts of a text that are known before it is read: names that stay or go, and values without quotation marks.

use super::characters::{folded, goes_on, is_quote};
use super::vocabulary::{ACCOUNTS, VALUES, is_noun};

/// What of a conversation a text may name.
#[derive(Debug, Clone, Default)]
pub(in crate::domain::fingerprint) struct Names<'a> {
    /// Stay, because they say where the cause is.
    pub(in crate::domain::fingerprint) kept: Vec<&'a str>,
    /// Go, wherever they stand.
    pub(in crate::domain::fingerprint) taken: Vec<&'a str>,
}

/// A part of the text that is known before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether it stays.
    pub(super) kept: bool,
}

/// Values and names, in the order of the text and apart from each other. A name inside a value is part of it.
pub(super) fn spans(text: &str, names: &Names<'_>) -> Vec<Span> {
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
    is_noun(word) || ACCOUNTS.iter().any(|noun| noun.eq_ignore_ascii_case(word))
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
