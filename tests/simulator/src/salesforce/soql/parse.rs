//! Reads SOQL into a query on the tables of an org, or says what is wrong with it as Salesforce would.

use super::super::org::Org;
use super::super::refusal::Refusal;
use super::super::schema::{FieldIndex, Kind, ObjectIndex};
use super::super::table::Cell;
use super::lex::{Token, TokenKind, lex, refuse};
use super::{Direction, Filter, Literal, Operator, Path, Query, Selected};
use crate::clock;

const CUSTOM: &str = "If you are attempting to use a custom";
const REFERENCE: &str = "Please reference your WSDL or the describe call for the appropriate names.";

/// Parses a query.
pub(crate) fn parse(org: &Org, text: &str) -> Result<Query, Refusal> {
    let tokens = lex(text)?;
    let mut parser = Parser { org, text, tokens, next: 0, object: 0 };
    parser.query()
}

struct Parser<'a> {
    org: &'a Org,
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    /// What is selected from; set before any field is looked up.
    object: ObjectIndex,
}

impl Parser<'_> {
    fn query(&mut self) -> Result<Query, Refusal> {
        self.keyword("SELECT")?;
        let selected = self.names()?;
        self.keyword("FROM")?;
        let from = self.take();
        self.object = match (&from.kind, self.org.object(&from.text)) {
            (TokenKind::Name, Some(at)) => at,
            (TokenKind::Name, None) => {
                let message = format!(
                    "sObject type '{}' is not supported. {CUSTOM} object, be sure to append the '__c' after the \
                     entity name. {REFERENCE}",
                    from.text
                );
                return Err(refuse("INVALID_TYPE", self.text, from.at, &message));
            }
            _ => return Err(self.unexpected(&from)),
        };
        let select = match selected.as_slice() {
            [only] if only.text.eq_ignore_ascii_case("COUNT()") => vec![Selected::Count],
            names => names.iter().map(|name| self.path(name).map(Selected::Field)).collect::<Result<_, _>>()?,
        };
        let filter = if self.is_keyword("WHERE") { Some(self.any_of()?) } else { None };
        let order = self.order()?;
        let limit = if self.is_keyword("LIMIT") { Some(self.number()?) } else { None };
        let offset = if self.is_keyword("OFFSET") { self.number()? } else { 0 };
        let last = self.take();
        if last.kind != TokenKind::End {
            return Err(self.unexpected(&last));
        }
        Ok(Query { object: self.object, select, filter, order, limit, offset })
    }

    /// The selected names; fields cannot be looked up before the object is known.
    fn names(&mut self) -> Result<Vec<Token>, Refusal> {
        let mut names = Vec::new();
        loop {
            let mut name = self.take();
            if name.kind != TokenKind::Name {
                return Err(self.unexpected(&name));
            }
            if name.text.eq_ignore_ascii_case("COUNT") && self.is_sign("(") {
                let close = self.take();
                if close.text != ")" {
                    return Err(self.unexpected(&close));
                }
                "COUNT()".clone_into(&mut name.text);
            }
            names.push(name);
            if !self.is_sign(",") {
                return Ok(names);
            }
        }
    }

    fn any_of(&mut self) -> Result<Filter, Refusal> {
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
            (Kind::Time, TokenKind::Bare) => match token.text.parse::<jiff::Timestamp>() {
                Ok(at) => Ok(Literal::Text(clock::salesforce_text(at.as_millisecond()))),
                Err(_) => Err(self.unexpected(&token)),
            },
            (Kind::Time, _) => Err(wrong("dateTime", "not")),
            (Kind::Id | Kind::Reference { .. }, TokenKind::Text(_)) => match self.org.record(&token.text) {
                Some(record) => Ok(Literal::Record(record)),
                None if super::super::id::parse(&token.text).is_some() => Ok(Literal::Text(token.text)),
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

    fn order(&mut self) -> Result<Vec<(Path, Direction)>, Refusal> {
        let mut order = Vec::new();
        if !self.is_keyword("ORDER") {
            return Ok(order);
        }
        self.keyword("BY")?;
        loop {
            let name = self.take();
            let path = self.path(&name)?;
            let descending = !self.is_keyword("ASC") && self.is_keyword("DESC");
            let mut nulls_last = false;
            if self.is_keyword("NULLS") {
                nulls_last = self.is_keyword("LAST");
                if !nulls_last {
                    self.keyword("FIRST")?;
                }
            }
            order.push((path, Direction { descending, nulls_last }));
            if !self.is_sign(",") {
                return Ok(order);
            }
        }
    }

    fn number(&mut self) -> Result<usize, Refusal> {
        let token = self.take();
        match (&token.kind, token.text.parse()) {
            (TokenKind::Bare, Ok(number)) => Ok(number),
            _ => Err(self.unexpected(&token)),
        }
    }

    /// A field of the object, or of a record it refers to.
    fn path(&self, name: &Token) -> Result<Path, Refusal> {
        let mut hops: Vec<FieldIndex> = Vec::new();
        let mut targets = vec![self.object];
        let mut parts: Vec<&str> = name.text.split('.').collect();
        let field = parts.pop().unwrap_or_default();
        for hop in parts {
            let [only] = targets.as_slice() else { return Err(self.no_such(hop, targets[0], name)) };
            let object = &self.org.table(*only).object;
            let Some(at) = object.relationship(hop) else {
                let message = format!(
                    "Didn't understand relationship '{hop}' in field path. {CUSTOM} relationship, be sure to append \
                     the '__r' after the custom relationship name. {REFERENCE}"
                );
                return Err(refuse("INVALID_FIELD", self.text, name.at, &message));
            };
            if let Kind::Reference { to, .. } = &object.field(at).kind {
                targets = to.to_vec();
            }
            hops.push(at);
        }
        let found = targets.iter().find_map(|target| {
            let object = &self.org.table(*target).object;
            object.find(field).map(|at| object.field(at))
        });
        let Some(found) = found else { return Err(self.no_such(field, targets[0], name)) };
        let column = match targets.as_slice() {
            [only] => self.org.table(*only).object.find(&found.name),
            _ => None,
        };
        Ok(Path { hops, name: found.name.clone(), column, kind: found.kind.clone() })
    }

    fn no_such(&self, field: &str, object: ObjectIndex, name: &Token) -> Refusal {
        let entity = self.org.table(object).object.name;
        let message = format!(
            "No such column '{field}' on entity '{entity}'. {CUSTOM} field, be sure to append the '__c' after the \
             custom field name. {REFERENCE}"
        );
        refuse("INVALID_FIELD", self.text, name.at, &message)
    }

    fn take(&mut self) -> Token {
        let token = self.tokens[self.next].clone();
        // The last word, `End`, is never passed.
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn peek_keyword(&self, word: &str) -> bool {
        let token = &self.tokens[self.next];
        token.kind == TokenKind::Name && token.text.eq_ignore_ascii_case(word)
    }

    fn is_keyword(&mut self, word: &str) -> bool {
        let found = self.peek_keyword(word);
        self.next += usize::from(found);
        found
    }

    fn is_sign(&mut self, sign: &str) -> bool {
        let token = &self.tokens[self.next];
        let found = token.kind == TokenKind::Sign && token.text == sign;
        self.next += usize::from(found);
        found
    }

    fn keyword(&mut self, word: &str) -> Result<(), Refusal> {
        if self.is_keyword(word) { Ok(()) } else { Err(self.unexpected(&self.tokens[self.next])) }
    }

    fn sign(&mut self, sign: &str) -> Result<(), Refusal> {
        if self.is_sign(sign) { Ok(()) } else { Err(self.unexpected(&self.tokens[self.next])) }
    }

    fn unexpected(&self, token: &Token) -> Refusal {
        refuse("MALFORMED_QUERY", self.text, token.at, &format!("unexpected token: '{}'", token.text))
    }
}

impl Literal {
    /// The literal as an index would hold it.
    pub(crate) fn cell(&self) -> Option<Cell> {
        match self {
            Self::Text(text) => Some(Cell::Text(text.as_str().into())),
            Self::Bool(flag) => Some(Cell::Bool(*flag)),
            Self::Record(record) => Some(Cell::Ref(*record)),
            Self::Null => None,
        }
    }
}
