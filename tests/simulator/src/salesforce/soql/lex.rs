//! Cuts SOQL into words, with the escapes Salesforce allows and no others.

use super::super::refusal::Refusal;

/// A word and where it begins, as a byte position.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) at: usize,
    pub(crate) text: String,
}

/// What a word is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    /// A name, with dots, or a keyword.
    Name,
    /// A number, date or instant.
    Bare,
    /// A quoted text: characters, and whether each was escaped for LIKE.
    Text(Vec<(char, bool)>),
    Sign,
    End,
}

/// The refusal of a query, pointing into it.
pub(crate) fn refuse(code: &str, query: &str, at: usize, message: &str) -> Refusal {
    let before = query.get(..at).unwrap_or(query);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let row = before.matches('\n').count() + 1;
    let column = line.chars().count() + 1;
    let caret = " ".repeat(column - 1);
    Refusal::new(code, format!("\n{query}\n{caret}^\nERROR at Row:{row}:Column:{column}\n{message}"))
}

/// All words, the last being `End`.
pub(crate) fn lex(query: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = query.char_indices().peekable();
    while let Some((at, first)) = rest.next() {
        if first.is_whitespace() {
            continue;
        }
        if first == '\'' {
            let text = text(query, at, &mut rest)?;
            let plain = text.iter().map(|(c, _)| c).collect();
            tokens.push(Token { kind: TokenKind::Text(text), at, text: plain });
            continue;
        }
        let mut word = String::from(first);
        let kind = if first.is_ascii_alphabetic() || first == '_' {
            while let Some((_, c)) = rest.next_if(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
                word.push(c);
            }
            TokenKind::Name
        } else if first.is_ascii_digit() || matches!(first, '-' | '+') {
            while let Some((_, c)) =
                rest.next_if(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '+'))
            {
                word.push(c);
            }
            TokenKind::Bare
        } else if matches!(first, '=' | '!' | '<' | '>' | '(' | ')' | ',') {
            let second = match first {
                '!' | '>' => "=",
                '<' => "=>",
                _ => "",
            };
            word.extend(rest.next_if(|(_, c)| second.contains(*c)).map(|(_, c)| c));
            TokenKind::Sign
        } else {
            let message = format!("unexpected token: '{first}'");
            return Err(refuse("MALFORMED_QUERY", query, at, &message));
        };
        tokens.push(Token { kind, at, text: word });
    }
    tokens.push(Token { kind: TokenKind::End, at: query.len(), text: "<EOF>".to_owned() });
    Ok(tokens)
}

type Rest<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn text(query: &str, start: usize, rest: &mut Rest<'_>) -> Result<Vec<(char, bool)>, Refusal> {
    let mut text = Vec::new();
    while let Some((at, c)) = rest.next() {
        match c {
            '\'' => return Ok(text),
            '\n' | '\r' => break,
            '\\' => {
                let escaped = rest.next().map(|(_, c)| c);
                let plain = match escaped {
                    Some('n' | 'N') => '\n',
                    Some('r' | 'R') => '\r',
                    Some('t' | 'T') => '\t',
                    Some('b' | 'B') => '\u{8}',
                    Some('f' | 'F') => '\u{c}',
                    Some(c @ ('"' | '\'' | '\\')) => c,
                    Some(c @ ('_' | '%')) => {
                        text.push((c, true));
                        continue;
                    }
                    Some('u') => unicode(rest)
                        .ok_or_else(|| refuse("MALFORMED_QUERY", query, at, "Invalid unicode escape sequence"))?,
                    other => {
                        let shown = other.map(String::from).unwrap_or_default();
                        let message = format!("Illegal escape sequence: '\\{shown}'");
                        return Err(refuse("MALFORMED_QUERY", query, at, &message));
                    }
                };
                text.push((plain, false));
            }
            c => text.push((c, false)),
        }
    }
    Err(refuse("MALFORMED_QUERY", query, start, "line 1: no viable alternative: string literal is not closed"))
}

/// Four hexadecimal digits, or two such escapes for a character outside the basic plane.
fn unicode(rest: &mut Rest<'_>) -> Option<char> {
    let four = |rest: &mut Rest<'_>| -> Option<u16> {
        let digits: String = (0..4).map_while(|_| rest.next()).map(|(_, c)| c).collect();
        (digits.len() == 4).then(|| u16::from_str_radix(&digits, 16).ok())?
    };
    let first = four(rest)?;
    if let Some(c) = char::from_u32(u32::from(first)) {
        return Some(c);
    }
    let pair = rest.next()?.1 == '\\' && rest.next()?.1 == 'u';
    let second = if pair { four(rest)? } else { return None };
    char::decode_utf16([first, second]).next()?.ok()
}
