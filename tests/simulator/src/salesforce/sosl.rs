//! Reads SOSL: what to find, in which kinds of field, and of which objects to tell.

use super::refusal::Refusal;
use super::schema::{Field, Kind, Object};
use super::table::Row;
use super::wildcard;

/// A search.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) terms: Terms,
    pub(crate) scope: Scope,
    /// A query for each object; its filter holds too.
    pub(crate) returning: Vec<String>,
    pub(crate) limit: Option<usize>,
}

/// Kinds of field that are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    Name,
    Email,
    Phone,
}

/// What has to be found: every term, in whichever field.
#[derive(Debug)]
pub(crate) struct Terms(Vec<Term>);

/// Words that follow each other; `*` and `?` in them are wildcards.
#[derive(Debug)]
struct Term(Vec<Vec<char>>);

fn malformed(message: impl Into<String>) -> Refusal {
    Refusal::new("MALFORMED_SEARCH", message)
}

impl Scope {
    pub(crate) fn named(name: &str) -> Result<Self, Refusal> {
        match name.to_ascii_uppercase().as_str() {
            "ALL" | "SIDEBAR" => Ok(Self::All),
            "NAME" => Ok(Self::Name),
            "EMAIL" => Ok(Self::Email),
            "PHONE" => Ok(Self::Phone),
            other => Err(malformed(format!("unexpected token: {other}"))),
        }
    }

    fn takes(self, field: &Field) -> bool {
        let name = matches!(field.name.as_str(), "Name" | "FirstName" | "LastName" | "Subject" | "Company");
        match self {
            Self::All => matches!(field.kind, Kind::Text(_) | Kind::Area(_) | Kind::Email | Kind::Phone | Kind::Url),
            Self::Name => name,
            Self::Email => field.kind == Kind::Email,
            Self::Phone => field.kind == Kind::Phone,
        }
    }
}

/// Parses `FIND {..} IN .. FIELDS RETURNING A(fields WHERE ..), B LIMIT n`.
pub(crate) fn parse(text: &str) -> Result<Search, Refusal> {
    let rest = word(text, "FIND").ok_or_else(|| malformed("A search begins with FIND"))?;
    let rest = rest
        .strip_prefix('{')
        .ok_or_else(|| malformed("No search term found. The search term must be enclosed in braces."))?;
    let end = closing(rest).ok_or_else(|| malformed("the text behind FIND is not closed"))?;
    let terms = terms(&rest[..end])?;
    let mut rest = rest[end + 1..].trim_start();
    let mut scope = Scope::All;
    if let Some(after) = word(rest, "IN") {
        let (name, after) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
        scope = Scope::named(name)?;
        rest = word(after.trim_start(), "FIELDS").ok_or_else(|| malformed("FIELDS is missing"))?;
    }
    let mut returning = Vec::new();
    if let Some(after) = word(rest, "RETURNING") {
        rest = after;
        loop {
            let (query, after) = one_returning(rest)?;
            returning.push(query);
            match after.strip_prefix(',') {
                Some(after) => rest = after.trim_start(),
                None => {
                    rest = after;
                    break;
                }
            }
        }
    }
    let mut limit = None;
    if let Some(after) = word(rest, "LIMIT") {
        limit = Some(after.trim().parse().map_err(|_| malformed("LIMIT takes a number"))?);
        rest = "";
    }
    if rest.trim().is_empty() {
        return Ok(Search { terms, scope, returning, limit });
    }
    Err(malformed(format!("unexpected token: {}", rest.trim())))
}

/// What follows a keyword, whatever its case.
fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let rest = text.get(word.len()..)?;
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (text.get(..word.len())?.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_start())
}

/// Position of the brace that closes, past those that are escaped.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '}' => return Some(at),
            '{' => return None,
            _ => {}
        }
    }
    None
}

/// `Contact(Id, Name WHERE .. LIMIT 3)` as a query.
fn one_returning(text: &str) -> Result<(String, &str), Refusal> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err(malformed("RETURNING takes the names of objects"));
    }
    let Some(inner) = rest.trim_start().strip_prefix('(') else {
        return Ok((format!("SELECT Id FROM {name}"), rest.trim_start()));
    };
    let (mut depth, mut quoted, mut escaped) = (1, false, false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let content = &inner[..at];
            let behind = ["WHERE", "ORDER", "LIMIT", "OFFSET"].iter().filter_map(|word| keyword(content, word)).min();
            let (fields, clauses) = content.split_at(behind.unwrap_or(content.len()));
            return Ok((format!("SELECT {fields} FROM {name} {clauses}"), inner[at + 1..].trim_start()));
        }
    }
    Err(malformed("RETURNING is not closed"))
}

/// Where a keyword begins in a list of fields.
fn keyword(text: &str, word: &str) -> Option<usize> {
    let upper = text.to_ascii_uppercase();
    let at = upper.find(&format!(" {word} "))?;
    Some(at + 1)
}

/// Reads the text of a search: words, and phrases in double quotes. A backslash takes away a character's meaning.
pub(crate) fn terms(text: &str) -> Result<Terms, Refusal> {
    let mut terms = Vec::new();
    let mut current = String::new();
    let mut phrase = false;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            // An escaped sign is one that no index holds, so it parts words.
            '\\' => current.push(characters.next().filter(|c| c.is_alphanumeric()).unwrap_or('.')),
            '"' => {
                terms.push(std::mem::take(&mut current));
                phrase = !phrase;
            }
            c if c.is_whitespace() && !phrase => terms.push(std::mem::take(&mut current)),
            c => current.push(c),
        }
    }
    if phrase {
        return Err(malformed("a phrase is not closed"));
    }
    terms.push(current);
    let terms: Vec<Term> = terms
        .iter()
        .filter(|term| !term.eq_ignore_ascii_case("AND"))
        .map(|term| Term(words(term, true)))
        .filter(|term| !term.0.is_empty())
        .collect();
    if terms.iter().flat_map(|term| &term.0).map(Vec::len).sum::<usize>() < 2 {
        return Err(malformed("search term must be longer than one character"));
    }
    Ok(Terms(terms))
}

/// Runs of letters and digits in lower case.
fn words(text: &str, wildcards: bool) -> Vec<Vec<char>> {
    let lower = text.to_lowercase();
    lower
        .split(|c: char| !(c.is_alphanumeric() || (wildcards && matches!(c, '*' | '?'))))
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().collect())
        .collect()
}

impl Terms {
    /// Whether every term is in one of the fields.
    pub(crate) fn match_row(&self, object: &Object, row: &Row, scope: Scope) -> bool {
        let texts: Vec<(&Field, Vec<Vec<char>>)> = (0..)
            .zip(&object.fields)
            .filter(|(_, field)| !field.hidden && scope.takes(field))
            .filter_map(|(at, field)| Some((field, words(row.text(at)?, false))))
            .collect();
        self.0.iter().all(|term| texts.iter().any(|(field, words)| term.is_in(field, words)))
    }
}

impl Term {
    fn is_in(&self, field: &Field, words: &[Vec<char>]) -> bool {
        if field.kind == Kind::Phone {
            // However a number is written, its digits are what is compared.
            return like(&words.concat(), &self.0.concat());
        }
        words.windows(self.0.len()).any(|window| window.iter().zip(&self.0).all(|(word, pattern)| like(word, pattern)))
    }
}

/// Whether a word matches: `*` for any run, `?` for any one character.
fn like(word: &[char], pattern: &[char]) -> bool {
    wildcard::matches(word, pattern, |c| *c == '*', |c, of| *c == '?' || *c == of)
}
