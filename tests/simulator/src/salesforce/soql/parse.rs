//! Reads SOQL into a query on the tables of an org, or says what is wrong with it as Salesforce would.

use std::collections::BTreeSet;

use super::super::org::Org;
use super::super::refusal::Refusal;
use super::super::schema::{FieldIndex, Kind, ObjectIndex};
use super::lex::{Token, TokenKind, lex, refuse};
use super::sort::Direction;
use super::{Path, Query, Selected};

const CUSTOM: &str = "If you are attempting to use a custom";
const REFERENCE: &str = "Please reference your WSDL or the describe call for the appropriate names.";

/// Parses a query.
pub(crate) fn parse(org: &Org, text: &str) -> Result<Query, Refusal> {
    let tokens = lex(text)?;
    let mut parser = Parser { org, text, tokens, next: 0, object: 0 };
    parser.query()
}

/// One thing behind SELECT.
enum Item {
    Field(Token),
    Count,
    CountOf(Token, Option<String>),
    /// Position of its first word.
    Subquery(usize),
}

pub(super) struct Parser<'a> {
    pub(super) org: &'a Org,
    pub(super) text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    /// What is selected from; set before any field is looked up.
    object: ObjectIndex,
}

impl Parser<'_> {
    fn query(&mut self) -> Result<Query, Refusal> {
        self.keyword("SELECT")?;
        let items = self.items()?;
        self.keyword("FROM")?;
        let from = self.take();
        self.object = match (&from.kind, self.org.visible(&from.text)) {
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
        let query = self.clauses(items)?;
        let last = self.take();
        if last.kind != TokenKind::End {
            return Err(self.unexpected(&last));
        }
        Ok(query)
    }

    /// What follows the object's name.
    fn clauses(&mut self, items: Vec<Item>) -> Result<Query, Refusal> {
        let mut counted = 0;
        self.no_field_twice(&items)?;
        let select = items.into_iter().map(|item| self.selected(item, &mut counted)).collect::<Result<Vec<_>, _>>()?;
        let filter = if self.is_keyword("WHERE") { Some(self.any_of()?) } else { None };
        let order = self.order()?;
        let limit = if self.is_keyword("LIMIT") { Some(self.number()?) } else { None };
        let offset = if self.is_keyword("OFFSET") { self.number()? } else { 0 };
        Ok(Query { object: self.object, select, filter, order, limit, offset })
    }

    /// The selected things; fields cannot be looked up before the object is known.
    fn items(&mut self) -> Result<Vec<Item>, Refusal> {
        let mut items = Vec::new();
        loop {
            let name = self.take();
            if name.kind == TokenKind::Sign && name.text == "(" {
                items.push(Item::Subquery(self.next));
                self.skip_to_close()?;
            } else if name.kind != TokenKind::Name {
                return Err(self.unexpected(&name));
            } else if name.text.eq_ignore_ascii_case("COUNT") && self.is_sign("(") {
                if self.is_sign(")") {
                    items.push(Item::Count);
                } else {
                    let of = self.take();
                    self.sign(")")?;
                    let named = !self.peek_keyword("FROM") && !self.peek_sign(",");
                    items.push(Item::CountOf(of, named.then(|| self.take().text)));
                }
            } else {
                items.push(Item::Field(name));
            }
            if !self.is_sign(",") {
                return Ok(items);
            }
        }
    }

    fn no_field_twice(&self, items: &[Item]) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        for item in items {
            if let Item::Field(name) = item
                && !seen.insert(name.text.to_ascii_lowercase())
            {
                let message = format!("duplicate field selected: {}", name.text);
                return Err(refuse("INVALID_FIELD", self.text, name.at, &message));
            }
        }
        Ok(())
    }

    fn skip_to_close(&mut self) -> Result<(), Refusal> {
        let mut depth = 1;
        while depth > 0 {
            let token = self.take();
            match (&token.kind, token.text.as_str()) {
                (TokenKind::End, _) => return Err(self.unexpected(&token)),
                (TokenKind::Sign, "(") => depth += 1,
                (TokenKind::Sign, ")") => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn selected(&mut self, item: Item, counted: &mut usize) -> Result<Selected, Refusal> {
        match item {
            Item::Count => Ok(Selected::Count),
            Item::Field(name) => self.path(&name).map(Selected::Field),
            Item::CountOf(of, alias) => {
                let name = alias.unwrap_or_else(|| format!("expr{counted}"));
                *counted += 1;
                Ok(Selected::CountOf(self.path(&of)?, name))
            }
            Item::Subquery(start) => {
                let (next, object) = (std::mem::replace(&mut self.next, start), self.object);
                let children = self.children();
                (self.next, self.object) = (next, object);
                children
            }
        }
    }

    /// A query for records that refer to this one, named as the describe call names them.
    fn children(&mut self) -> Result<Selected, Refusal> {
        self.keyword("SELECT")?;
        let items = self.items()?;
        self.keyword("FROM")?;
        let name = self.take();
        let parent = self.object;
        let found = (0..).zip(&self.org.tables).filter(|(_, table)| !table.object.hidden).find_map(|(at, table)| {
            let link = table.object.child(parent, &name.text)?;
            Some((at, link))
        });
        let Some((at, link)) = found else {
            let message = format!(
                "Didn't understand relationship '{}' in FROM part of query call. {CUSTOM} relationship, be sure to \
                 append the '__r' after the custom relationship name. {REFERENCE}",
                name.text
            );
            return Err(refuse("INVALID_TYPE", self.text, name.at, &message));
        };
        self.object = at;
        let query = Box::new(self.clauses(items)?);
        self.sign(")")?;
        let object = &self.org.table(at).object;
        let name = match &object.field(link).kind {
            Kind::Reference { children, .. } => children.clone(),
            _ => name.text,
        };
        Ok(Selected::Children { name, link, query })
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
    pub(super) fn path(&self, name: &Token) -> Result<Path, Refusal> {
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
                targets.clone_from(to);
            }
            hops.push(at);
        }
        let found = targets.iter().find_map(|target| {
            let object = &self.org.table(*target).object;
            object.seen(field).map(|at| object.field(at))
        });
        let Some(found) = found else { return Err(self.no_such(field, targets[0], name)) };
        let column = match targets.as_slice() {
            [only] => self.org.table(*only).object.find(&found.name),
            _ => None,
        };
        Ok(Path { hops, name: found.name.clone(), column, kind: found.kind.clone() })
    }

    fn no_such(&self, field: &str, object: ObjectIndex, name: &Token) -> Refusal {
        let entity = &self.org.table(object).object.name;
        let message = format!(
            "No such column '{field}' on entity '{entity}'. {CUSTOM} field, be sure to append the '__c' after the \
             custom field name. {REFERENCE}"
        );
        refuse("INVALID_FIELD", self.text, name.at, &message)
    }

    pub(super) fn take(&mut self) -> Token {
        let token = self.tokens[self.next].clone();
        // The last word, `End`, is never passed.
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn peek_keyword(&self, word: &str) -> bool {
        let token = &self.tokens[self.next];
        token.kind == TokenKind::Name && token.text.eq_ignore_ascii_case(word)
    }

    fn peek_sign(&self, sign: &str) -> bool {
        let token = &self.tokens[self.next];
        token.kind == TokenKind::Sign && token.text == sign
    }

    pub(super) fn is_keyword(&mut self, word: &str) -> bool {
        let found = self.peek_keyword(word);
        self.next += usize::from(found);
        found
    }

    pub(super) fn is_sign(&mut self, sign: &str) -> bool {
        let found = self.peek_sign(sign);
        self.next += usize::from(found);
        found
    }

    fn keyword(&mut self, word: &str) -> Result<(), Refusal> {
        if self.is_keyword(word) { Ok(()) } else { Err(self.unexpected(&self.tokens[self.next])) }
    }

    pub(super) fn sign(&mut self, sign: &str) -> Result<(), Refusal> {
        if self.is_sign(sign) { Ok(()) } else { Err(self.unexpected(&self.tokens[self.next])) }
    }

    pub(super) fn unexpected(&self, token: &Token) -> Refusal {
        refuse("MALFORMED_QUERY", self.text, token.at, &format!("unexpected token: '{}'", token.text))
    }
}
