//! Reads the WHERE of a query.

use super::super::id;
use super::super::refusal::Refusal;
use super::super::schema::Kind;
use super::Path;
use super::filter::{Filter, Literal, Operator};
use super::lex::{TokenKind, refuse};
use super::parse::Parser;
use crate::clock;

impl Parser<'_> {
    pub(super) fn any_of(&mut self) -> Result<Filter, Refusal> {
        let first = self.unary()?;
        for (word, both) in [("AND", true), ("OR", false)] {
            if self.peek_keyword(word) {
                let mut parts = vec![first];
                while self.is_keyword(word) {
                    parts.push(self.unary()?);
                }
                // AND and OR on one level need parentheses.
                if self.peek_keyword("AND") || self.peek_keyword("OR") {
                    let token = self.take();
                    return Err(self.unexpected(&token));
                }
                return Ok(if both { Filter::All(parts) } else { Filter::Any(parts) });
            }
        }
        Ok(first)
    }

    fn unary(&mut self) -> Result<Filter, Refusal> {
        if self.is_keyword("NOT") {
            return Ok(Filter::Not(Box::new(self.unary()?)));
        }
        if self.is_sign("(") {
            let inner = self.any_of()?;
            self.sign(")")?;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Filter, Refusal> {
        let name = self.take();
        if name.kind != TokenKind::Name {
            return Err(self.unexpected(&name));
        }
        let path = self.path(&name)?;
        if matches!(path.kind, Kind::Area(_)) {
            let message = format!("field '{}' can not be filtered in a query call", name.text);
            return Err(refuse("INVALID_FIELD", self.text, name.at, &message));
        }
        if self.is_keyword("LIKE") {
            let value = self.take();
            let TokenKind::Text(pattern) = value.kind else { return Err(self.unexpected(&value)) };
            return Ok(Filter::Like(path, pattern));
        }
        let negated = self.is_keyword("NOT");
        if self.is_keyword("IN") {
            let inside = Filter::In(path.clone(), self.list(&path)?);
            return Ok(if negated { Filter::Not(Box::new(inside)) } else { inside });
        }
        let sign = self.take();
        let operator = match sign.text.as_str() {
            "=" => Operator::Equal,
            "!=" | "<>" => Operator::Different,
            "<" => Operator::Less,
            "<=" => Operator::AtMost,
            ">" => Operator::More,
            ">=" => Operator::AtLeast,
            _ => return Err(self.unexpected(&sign)),
        };
        if negated || sign.kind != TokenKind::Sign {
            return Err(self.unexpected(&sign));
        }
        let value = self.literal(&path)?;
        Ok(Filter::Compare(path, operator, value))
    }

    fn list(&mut self, path: &Path) -> Result<Vec<Literal>, Refusal> {
        self.sign("(")?;
        let mut values = vec![self.literal(path)?];
        while self.is_sign(",") {
            values.push(self.literal(path)?);
        }
        self.sign(")")?;
        Ok(values)
    }

    fn literal(&mut self, path: &Path) -> Result<Literal, Refusal> {
        let token = self.take();
        if token.text.eq_ignore_ascii_case("null") && token.kind == TokenKind::Name {
            return Ok(Literal::Null);
        }
        let wrong = |wanted: &str, quotes: &str| {
            let message = format!(
                "value of filter criterion for field '{}' must be of type {wanted} and should {quotes} be enclosed in quotes",
                path.name
            );
            refuse("INVALID_FIELD", self.text, token.at, message.trim())
        };
        match (&path.kind, &token.kind) {
            (Kind::Boolean, TokenKind::Name) if token.text.eq_ignore_ascii_case("true") => Ok(Literal::Bool(true)),
            (Kind::Boolean, TokenKind::Name) if token.text.eq_ignore_ascii_case("false") => Ok(Literal::Bool(false)),
            (_, TokenKind::End | TokenKind::Sign) => Err(self.unexpected(&token)),
            (Kind::Boolean, _) => Err(wrong("boolean", "not")),
            (Kind::Number(_), TokenKind::Bare) => match token.text.parse() {
                Ok(number) => Ok(Literal::Number(number)),
                Err(_) => Err(self.unexpected(&token)),
            },
            (Kind::Number(_), _) => Err(wrong("double", "not")),
            (Kind::Date, TokenKind::Bare) => match token.text.parse::<jiff::civil::Date>() {
                Ok(date) => Ok(Literal::Text(date.to_string())),
                Err(_) => Err(self.unexpected(&token)),
            },
            (Kind::Date, _) => Err(wrong("date", "not")),
            (Kind::Time, TokenKind::Bare) => match token.text.parse::<jiff::Timestamp>() {
                Ok(at) => Ok(Literal::Text(clock::salesforce_text(at.as_millisecond()))),
                Err(_) => Err(self.unexpected(&token)),
            },
            (Kind::Time, _) => Err(wrong("dateTime", "not")),
            (Kind::Id | Kind::Reference { .. }, TokenKind::Text(_)) => match self.org.record(&token.text) {
                Some(record) => Ok(Literal::Record(record)),
                None if id::parse(&token.text).is_some() => Ok(Literal::Text(token.text)),
                None => {
                    let message = format!("invalid ID field: {}", token.text);
                    Err(refuse("INVALID_QUERY_FILTER_OPERATOR", self.text, token.at, &message))
                }
            },
            (_, TokenKind::Text(text)) if text.iter().any(|(_, escaped)| *escaped) => {
                Err(refuse("MALFORMED_QUERY", self.text, token.at, "Illegal escape sequence outside LIKE"))
            }
            (_, TokenKind::Text(_)) => Ok(Literal::Text(token.text)),
            _ => Err(wrong("string", "")),
        }
    }
}
