//! Reads which sync errors are meant from the query of an address, from a form or from a JSON object: the same names and
//! the same strictness everywhere.

use std::collections::BTreeSet;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::Value;

use super::App;
use super::access::Caller;
use super::extract::page_size;
use super::filters::{FILTERS, PAGING};
use super::parameters::{Known, names};
use super::problem::{Kind, Problem};
use crate::domain::{ErrorQuery, is_hidden};
use crate::ledger::{Cursor, Paging};

/// A page without a `limit`, and the largest.
pub(super) const PAGE: usize = 50;
pub(super) const LARGEST_PAGE: usize = 500;
/// The most values of one filter.
const VALUES: usize = 200;
/// The longest text that is searched for, in characters.
const TEXT: usize = 200;

/// Reads filters one by one.
#[derive(Debug, Default)]
pub(super) struct Filters(pub(super) ErrorQuery);

impl Filters {
    /// Takes a filter; answers whether it is one. An empty value is refused: whoever meant one organization is not to act on all.
    pub(super) fn take(&mut self, name: &str, value: &str) -> Result<bool, Problem> {
        let query = &mut self.0;
        match name {
            "id" => each(name, value, &mut query.ids)?,
            "org" => each(name, value, &mut query.orgs)?,
            "state" => each(name, value, &mut query.states)?,
            "class" => each(name, value, &mut query.classes)?,
            "code" => each_text(name, value, &mut query.codes)?,
            "group" => each(name, value, &mut query.groups)?,
            "channel" => each_text(name, value, &mut query.channels)?,
            "policy" => each(name, value, &mut query.policies)?,
            // A team may have a comma in its name.
            "team" => add(name, text(name, value)?, &mut query.teams)?,
            "first_seen_from" => once(name, value, &mut query.first_seen.from)?,
            "first_seen_before" => once(name, value, &mut query.first_seen.before)?,
            "last_seen_from" => once(name, value, &mut query.last_seen.from)?,
            "last_seen_before" => once(name, value, &mut query.last_seen.before)?,
            "attempts_min" => once(name, value, &mut query.attempts.0)?,
            "attempts_max" => once(name, value, &mut query.attempts.1)?,
            "conversation" => once(name, value, &mut query.conversation)?,
            "message" => once(name, value, &mut query.message)?,
            "customer" => once(name, &text(name, value)?, &mut query.customer)?,
            "text" => once(name, &text(name, value)?, &mut query.text)?,
            "q" => once(name, &text(name, value)?, &mut query.q)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes the members of a JSON object.
    pub(super) fn take_object(&mut self, object: &Value) -> Result<(), Problem> {
        let Some(members) = object.as_object() else {
            return Err(Problem::bad_request("query: not an object of filters"));
        };
        for (name, value) in members {
            let known = FILTERS.iter().find(|known| known.name == name).ok_or_else(|| unknown(name, &[]))?;
            for value in values_of(known, value)? {
                self.take(name, &value)?;
            }
        }
        Ok(())
    }

    /// The query, where every organization that it names exists for the caller; of others it is not.
    pub(super) fn known(mut self, app: &App, caller: &Caller) -> Result<ErrorQuery, Problem> {
        caller.narrow(app, &mut self.0.orgs)?;
        Ok(self.0)
    }
}

/// The values of a member of a JSON object.
pub(super) fn values_of(known: &Known, value: &Value) -> Result<Vec<String>, Problem> {
    known.values(value).map_err(|why| Problem::bad_request(format!("{}: {why}", known.name)))
}

/// The filters of a query as the fields of an address.
pub(super) fn fields(query: &ErrorQuery) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let mut set = |name, values: Vec<String>| fields.extend(values.into_iter().map(|value| (name, value)));
    set("id", texts(&query.ids));
    set("org", texts(&query.orgs));
    set("state", texts(&query.states));
    set("class", texts(&query.classes));
    set("code", texts(&query.codes));
    set("group", texts(&query.groups));
    set("team", texts(&query.teams));
    set("channel", texts(&query.channels));
    set("policy", texts(&query.policies));
    set("first_seen_from", texts(&query.first_seen.from));
    set("first_seen_before", texts(&query.first_seen.before));
    set("last_seen_from", texts(&query.last_seen.from));
    set("last_seen_before", texts(&query.last_seen.before));
    set("attempts_min", texts(&query.attempts.0));
    set("attempts_max", texts(&query.attempts.1));
    set("conversation", texts(&query.conversation));
    set("message", texts(&query.message));
    set("customer", texts(&query.customer));
    set("text", texts(&query.text));
    set("q", texts(&query.q));
    fields
}

pub(super) fn texts<'a, T: ToString + 'a>(values: impl IntoIterator<Item = &'a T>) -> Vec<String> {
    values.into_iter().map(ToString::to_string).collect()
}

/// A field of the query that nobody knows.
fn unknown(name: &str, others: &[Known]) -> Problem {
    let name: String = name.chars().take(TEXT).collect();
    let known = names(FILTERS.iter().chain(others));
    Problem::bad_request(format!("`{name}` is no filter; known are {known}"))
}

/// Values of a set, with commas between them.
pub(super) fn each<T: FromStr<Err: ToString> + Ord>(
    name: &str,
    value: &str,
    set: &mut BTreeSet<T>,
) -> Result<(), Problem> {
    values(name, value)?.try_for_each(|part| add(name, parsed(name, part)?, set))
}

/// The same of texts.
pub(super) fn each_text(name: &str, value: &str, set: &mut BTreeSet<String>) -> Result<(), Problem> {
    values(name, value)?.try_for_each(|part| add(name, text(name, part)?, set))
}

fn values<'a>(name: &str, value: &'a str) -> Result<impl Iterator<Item = &'a str>, Problem> {
    let mut values = value.split(',').filter(|part| !part.is_empty()).peekable();
    if values.peek().is_none() {
        return Err(empty(name));
    }
    if value.split(',').count() > VALUES {
        return Err(too_many(name));
    }
    Ok(values)
}

fn too_many(name: &str) -> Problem {
    Problem::bad_request(format!("{name}: more than {VALUES} values"))
}

fn empty(name: &str) -> Problem {
    Problem::bad_request(format!("{name}: empty; leave it out where it is to narrow nothing"))
}

fn add<T: Ord>(name: &str, value: T, set: &mut BTreeSet<T>) -> Result<(), Problem> {
    set.insert(value);
    if set.len() > VALUES {
        return Err(too_many(name));
    }
    Ok(())
}

pub(super) fn once<T: FromStr<Err: ToString>>(name: &str, value: &str, place: &mut Option<T>) -> Result<(), Problem> {
    if place.is_some() {
        return Err(Problem::bad_request(format!("{name}: given more than once")));
    }
    if value.is_empty() {
        return Err(empty(name));
    }
    *place = Some(parsed(name, value)?);
    Ok(())
}

fn parsed<T: FromStr<Err: ToString>>(name: &str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|error: T::Err| Problem::bad_request(format!("{name}: {}", error.to_string())))
}

/// Refuses an organization without a name: a form's choice of all is one, a client's filter that is to narrow is not.
pub(super) fn not_empty(org: Option<&str>) -> Result<(), Problem> {
    if org == Some("") { Err(empty("org")) } else { Ok(()) }
}

pub(super) fn text(name: &str, value: &str) -> Result<String, Problem> {
    if value.is_empty() {
        return Err(empty(name));
    }
    if value.chars().count() > TEXT {
        return Err(Problem::bad_request(format!("{name}: longer than {TEXT} characters")));
    }
    match value.chars().find(|character| is_hidden(*character)) {
        Some(hidden) => {
            Err(Problem::bad_request(format!("{name}: U+{:04X} is a control character", u32::from(hidden))))
        }
        None => Ok(value.to_owned()),
    }
}

/// Which part of which list an address asks for.
pub(super) struct ListAsked {
    pub(super) query: ErrorQuery,
    pub(super) newest_first: bool,
    cursor: Option<String>,
    pub(super) limit: usize,
}

impl ListAsked {
    /// Reads the query of an address. Fields that nobody knows, and empty ones, are refused, or passed over as a form's choices are.
    pub(super) fn read(app: &App, caller: &Caller, query: &str, strict: bool) -> Result<Self, Problem> {
        let (mut filters, mut sort, mut cursor, mut limit) = (Filters::default(), None, None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                // A client may begin without one.
                ("cursor", "") => {}
                (_, "") if !strict => {}
                ("sort", value) => once::<String>("sort", value, &mut sort)?,
                ("cursor", value) => once::<String>("cursor", value, &mut cursor)?,
                ("limit", value) => once::<usize>("limit", value, &mut limit)?,
                (name, value) => {
                    if !filters.take(name, value)? && strict {
                        return Err(unknown(name, &PAGING));
                    }
                }
            }
        }
        let newest_first = match sort.as_deref() {
            None | Some("-first_seen") => true,
            Some("first_seen") => false,
            Some(other) => {
                let other: String = other.chars().take(TEXT).collect();
                return Err(Problem::bad_request(format!("sort: `{other}` is neither first_seen nor -first_seen")));
            }
        };
        let limit = page_size(limit, PAGE, LARGEST_PAGE)?;
        Ok(Self { query: filters.known(app, caller)?, newest_first, cursor, limit })
    }

    /// The page, once nothing of the query changes any more.
    pub(super) fn paging(&self) -> Result<Paging, Problem> {
        let Self { query, newest_first, cursor, limit } = self;
        let parsed = cursor.as_ref().map(|text| {
            Cursor::parse(text, query, *newest_first).ok_or_else(|| {
                let text: String = text.chars().take(TEXT).collect();
                Problem::bad_request(format!(
                    "cursor: `{text}` is not one that a list with these filters and this order gave"
                ))
            })
        });
        Ok(Paging { newest_first: *newest_first, cursor: parsed.transpose()?, limit: *limit })
    }
}

impl FromRequestParts<App> for ListAsked {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = parts.extensions.get().ok_or_else(|| Problem::new(Kind::Internal, "nobody asks"))?;
        Self::read(app, caller, parts.uri.query().unwrap_or_default(), true)
    }
}

#[cfg(test)]
mod tests;
