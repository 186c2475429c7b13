//! Forms that are carried out once, however often a browser sends them: each has a key of its own.

use maud::{Markup, html};
use url::form_urlencoded::Serializer;

use crate::domain::IdempotencyKey;
use crate::http::access::Caller;
use crate::http::idempotency::is_one;
use crate::http::problem::Problem;

const FIELD: &str = "key";

/// A new key, as a field of a form.
pub(super) fn field() -> Markup {
    html! { input type="hidden" name=(FIELD) value=(format!("{:032x}", fastrand::u128(..))); }
}

/// The key of a form that was sent to an address.
pub(super) fn key(caller: &Caller, address: &str, fields: &[(String, String)]) -> Result<IdempotencyKey, Problem> {
    let (keys, rest): (Vec<_>, Vec<_>) = fields.iter().partition(|(name, _)| name == FIELD);
    let sent = keys.first().map_or("", |(_, key)| key.as_str());
    if !is_one(sent) {
        return Err(Problem::bad_request("key: the form has none; open the page anew"));
    }
    let rest = Serializer::new(String::new()).extend_pairs(rest).finish();
    Ok(IdempotencyKey::new(caller.identity(), sent, [b"POST", address.as_bytes(), rest.as_bytes()]))
}
