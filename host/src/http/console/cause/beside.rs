//! What people put to a cause: who looks after it, a note and a ticket, each with a form.

use std::collections::BTreeSet;

use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::NOTE;
use crate::http::access::{Caller, Scope};
use crate::http::api::Group;
use crate::http::console::parts::format::grouped;
use crate::http::console::parts::{Icon, Visit, icon};
use crate::http::console::words;
use crate::http::problem::Problem;

/// What somebody wanted to put to a cause, and why that did not go.
pub(crate) struct Refused {
    pub(crate) given: Given,
    pub(crate) problem: Problem,
}

/// The fields of the forms: each has one, and the version of what it stood beside.
#[derive(Deserialize)]
pub(crate) struct Given {
    pub(crate) tag: String,
    pub(crate) assignee: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) ticket: Option<String>,
}

/// The owner, the note and the ticket, each with a form for who may change it.
pub(crate) fn put_to_it(
    visit: &Visit,
    caller: &Caller,
    group: &Group,
    tag: &str,
    people: &BTreeSet<String>,
    refused: Option<&Refused>,
) -> Markup {
    let may = visit.may(Scope::Errors);
    let kept = |of: fn(&Given) -> &Option<String>, now: &Option<String>| -> String {
        let given = refused.and_then(|refused| of(&refused.given).clone());
        given.or_else(|| now.clone()).unwrap_or_default()
    };
    let form = |content: Markup| {
        html! {
            form.fields method="post" action=(words::cause(&group.org, &group.id)) {
                input type="hidden" name="tag" value=(tag);
                (content)
            }
        }
    };
    html! {
        h2 { "Owner" }
        p { @match &group.assignee { Some(name) => { (icon(Icon::Person)) " " b { (name) } } None => { "Nobody looks after it." } } }
        @if may {
            @if group.assignee.as_ref() != Some(&caller.name) {
                (form(html! { button.quiet type="submit" name="assignee" value=(caller.name) { (icon(Icon::Assign)) "Assign to me" } }))
            }
            (form(html! {
                label { "Assign to"
                    input name="assignee" maxlength="200" list="people" value=(kept(|given| &given.assignee, &None));
                }
                datalist #people { @for name in people { option value=(name) {} } }
                div.actions { button.quiet type="submit" { "Assign" } span.hint { "Empty for nobody." } }
            }))
        }
        h2 { "Note" }
        @if may {
            (form(html! {
                label { "What others should know, " (grouped(NOTE as u64)) " bytes at most"
                    textarea name="note" rows="4" { (kept(|given| &given.note, &group.note)) }
                }
                @if let (Some(_), Some(note)) = (refused.and_then(|refused| refused.given.note.as_ref()), &group.note) {
                    div { span.hint { "The note as it is now:" } blockquote.said { (note) } }
                }
                div.actions { button.quiet type="submit" { "Keep the note" } }
            }))
        } @else if let Some(note) = &group.note { p.said { (note) } } @else { p.hint { "None." } }
        h2 { "Ticket" }
        p { @match &group.ticket { Some(ticket) => { (link(ticket)) } None => { span.hint { "None." } } } }
        @if may {
            (form(html! {
                label { "Its address"
                    input type="url" name="ticket" maxlength="500" placeholder="https://"
                        value=(kept(|given| &given.ticket, &group.ticket));
                }
                div.actions { button.quiet type="submit" { "Keep the address" } }
            }))
        }
    }
}

/// A link to elsewhere; an address of another kind stays a text.
fn link(address: &str) -> Markup {
    let is_link = url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    html! {
        @if is_link { a href=(address) rel="noreferrer" { (address) (icon(Icon::Outside)) } } @else { (address) }
    }
}
