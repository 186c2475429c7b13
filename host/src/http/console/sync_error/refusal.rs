//! What was sent, and what came back: the refusal of a sync error.

use maud::{Markup, html};
use serde_json::Value;

use super::of_policy;
use crate::domain::{AnswerReceived, Refusal};
use crate::http::console::parts::{RecordPages, format};

/// The request and its answer, and which fields and records they are about.
pub(crate) fn refusal(refusal: &Refusal, pages: &RecordPages) -> Markup {
    let named = |names: &[String], one: &dyn Fn(&str) -> Markup| {
        html! { @for (place, name) in names.iter().enumerate() { @if place > 0 { ", " } (one(name)) } }
    };
    html! {
        dl.wide {
            @if let Some(blame) = &refusal.blame {
                dt { "At fault" }
                dd {
                    (of_policy(&blame.policy)) ", asked to " (blame.question) ": "
                    (format::cut(&blame.fault.to_string()))
                }
            }
            @if let Some(status) = refusal.status { dt { "HTTP status" } dd { (status) } }
            @if !refusal.fields.is_empty() { dt { "Fields" } dd { (named(&refusal.fields, &|name| html! { code { (name) } })) } }
            @if !refusal.records.is_empty() { dt { "Records" } dd { (named(&refusal.records, &|id| pages.any(id))) } }
            @if let Some(id) = &refusal.request_id { dt { "x-sfdc-request-id" } dd { code { (id) } } }
            @match &refusal.request {
                Some(request) => {
                    dt { "Request as sent" } dd { code { (request.method) " " (request.path) } }
                }
                None => { dt { "Request" } dd { (no_request(refusal)) } }
            }
        }
        @if let Some(request) = refusal.request.as_ref().filter(|request| !request.body.is_null()) {
            (format::json("The body of the request", &request.body))
        }
        @if let Some(answer) = &refusal.answer { (answered(answer)) }
    }
}

/// Why there is no request to show.
fn no_request(refusal: &Refusal) -> &'static str {
    match (refusal.is_erased(), refusal.status) {
        (true, Some(_)) => "one was sent, and is erased",
        (true, None) if refusal.blame.is_none() => "it is erased, where one was sent",
        _ => "none was sent",
    }
}

fn answered(answer: &AnswerReceived) -> Markup {
    html! {
        dl.wide {
            dt { "Answer as received" }
            dd {
                "HTTP " (answer.status)
                @if let Some(bytes) = answer.cut_from { ", cut off: it had " (bytes) " bytes" }
            }
        }
        @if !answer.headers.is_empty() {
            details {
                summary { "Headers of the answer" }
                dl.wide { @for (name, value) in &answer.headers { dt { (name) } dd { code { (value) } } } }
            }
        }
        @match &answer.body {
            Value::Null => {}
            Value::String(text) => {
                details {
                    summary { "The body of the answer" }
                    pre tabindex="0" role="region" aria-label="The body of the answer" { (text) }
                }
            }
            json => { (format::json("The body of the answer", json)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, ERASED};

    #[test]
    fn a_request_that_was_erased_is_not_said_never_to_have_been_sent() {
        let of = |text, status| {
            no_request(&Refusal { status, ..Refusal::new(Class::Record, "REQUIRED_FIELD_MISSING", text) })
        };
        assert_eq!(of(ERASED, Some(400)), "one was sent, and is erased");
        assert_eq!(of(ERASED, None), "it is erased, where one was sent");
        assert_eq!(of("no queue", None), "none was sent");
    }
}
