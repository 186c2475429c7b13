//! Formats of the console's pages: times, numbers, long texts, JSON, badges, and a sentence for each line of the audit.

use maud::{Markup, html};
use serde_json::Value;

use super::record::RecordPages;
use crate::domain::{
    Class, Destination, Ending, Fact, Link, Pick, PolicyRef, ReachedBy, State, SyncErrorId, Timestamp,
};
use crate::http::api::RequestOrigin;

/// A text is shown whole up to so many characters,
const WHOLE: usize = 240;
/// a longer one up to so many,
const HEAD: usize = 160;
/// or to the last blank among so many before that.
const WORD: usize = 40;
/// JSON is unfolded up to so many lines.
const UNFOLDED: usize = 40;

/// A time as people say it; the exact one stands behind.
pub(crate) fn time(at: Timestamp) -> Markup {
    super::time::time(at)
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 sync error`, `2 sync errors`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// The text with a capital letter.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + letters.as_str()
}

/// A text from outside; a long one is folded.
pub(crate) fn cut(text: &str) -> Markup {
    match text.char_indices().nth(WHOLE) {
        None => html! { (text) },
        Some(_) => {
            let head = head_of(text);
            html! { details.cut { summary { (head) "…" } div.whole { (text) } } }
        }
    }
}

/// The beginning of a long text, to the end of a word where one ends soon before.
fn head_of(text: &str) -> &str {
    let place = |characters| text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    let (soon, end) = (place(HEAD - WORD), place(HEAD));
    let blank = text[soon..end].rfind(char::is_whitespace).map(|at| soon + at);
    text[..blank.unwrap_or(end)].trim_end()
}

/// JSON in many lines, folded where it is long.
pub(crate) fn json(label: &str, value: &Value) -> Markup {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    // It can be wider than the page: who has no mouse scrolls it with the keys.
    let shown = html! { pre tabindex="0" role="region" aria-label=(label) { (text) } };
    let lines = text.lines().count();
    if lines <= UNFOLDED {
        return shown;
    }
    html! { details { summary { (label) ", " (lines) " lines" } (shown) } }
}

/// Where a sync error stands.
pub(crate) fn state(state: State) -> Markup {
    html! { span class={ "badge " (state) } { (state) } }
}

/// What can be done about a refusal.
pub(crate) fn class(class: Class) -> Markup {
    html! { span.badge title=(class.advice().happened) { (class) } }
}

/// How a sync error ended.
pub(crate) fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Delivered => "the message itself got through",
        Ending::Superseded => "a later message of the conversation got through",
        Ending::NotEligible => {
            "the policy, or the organization's mode, says by now that the conversation is not to be written"
        }
    }
}

/// How a line of the audit is marked: `good`, `bad`, or empty for what is neither.
pub(crate) fn tone(fact: &Fact) -> &'static str {
    match fact {
        Fact::Delivered { .. } | Fact::Resolved { .. } => "good",
        Fact::CrmSynchroError { .. } | Fact::PolicyFailed { .. } | Fact::Quarantined { .. } => "bad",
        Fact::Arrived { .. }
        | Fact::Routed { .. }
        | Fact::Linked { .. }
        | Fact::NotEligible { .. }
        | Fact::PolicySaid { .. }
        | Fact::Parked { .. }
        | Fact::RetryAsked { .. }
        | Fact::ResyncAsked { .. }
        | Fact::Ignored { .. }
        | Fact::Reopened { .. }
        | Fact::ContactChosen { .. }
        | Fact::Erased { .. } => "",
    }
}

/// How the request came that it follows from.
pub(crate) fn request(origin: &RequestOrigin) -> Markup {
    let RequestOrigin { token, address, request_id } = origin;
    let address = address.map(|address| address.to_string());
    let known = [("token", token.as_ref().map(|id| id.as_str())), ("from", address.as_deref())];
    html! {
        span.hint {
            @for (name, value) in known.into_iter().chain([("request", request_id.as_deref())]) {
                @if let Some(value) = value { " " (name) " " code { (value) } }
            }
        }
    }
}

/// What happened, as a sentence. `pages` are those of the organization in which it happened.
pub(crate) fn sentence(fact: &Fact, pages: &RecordPages) -> Markup {
    match fact {
        Fact::Arrived { kind, by, event, extra } => arrived(kind, *by, *event, extra.as_ref()),
        Fact::Routed { policy, destination, cost, logs, rule } => {
            routed(policy, destination, *cost, logs, rule.as_deref())
        }
        Fact::Linked { policy, link, found } => linked(policy, link, *found, pages),
        Fact::Delivered { record, created, version } => html! {
            b { "Written to Salesforce" } ": record " (pages.conversation(record))
            @if *created { " was created" } @else { " was updated" }
            " with version " (version) " of the conversation."
        },
        Fact::NotEligible { reason } => html! { b { "Not to be written" } ": " (cut(reason)) },
        Fact::CrmSynchroError { sync_error, class: of, code, text, attempt, next_attempt_at } => html! {
            b { "CRM_SYNCHRO_ERROR" } ": attempt " (attempt) " failed with " code { (code) } " " (class(*of)) ". "
            @if let Some(at) = next_attempt_at { "It is tried again by itself, not before " (time(*at)) ". " }
            (see(sync_error, "The sync error")) "."
            div.said { (cut(text)) }
        },
        Fact::Parked { class: of, code, text } => html! {
            b { "Parked" } ": nothing gets through to the organization (" code { (code) } " " (class(*of))
            "), so it waits until something does."
            div.said { (cut(text)) }
        },
        Fact::Quarantined { reason } => html! {
            b { "Set aside" } ": what arrived is in the quarantine."
            div.said { (cut(reason)) }
        },
        Fact::PolicyFailed { policy, question, fault } => html! {
            b { "The policy failed" } ": " (policy) " was asked to " (question)
            " and did not answer, so the host did as usual."
            div.said { (cut(fault)) }
        },
        Fact::PolicySaid { policy, question, cost, logs, rule } => html! {
            b { "The policy said" } ": " (policy) " was asked to " (question) "."
            (beside(*cost, logs, rule.as_deref()))
        },
        Fact::RetryAsked { sync_error, by } => html! {
            b { (by) } " asked for another attempt at " (see(sync_error, "the sync error")) "."
        },
        Fact::ResyncAsked { by } => html! { b { (by) } " asked for it to be written once more, with many others." },
        Fact::Ignored { sync_error, by, reason } => html! {
            b { (by) } " ignored " (see(sync_error, "the sync error")) ", because:"
            div.said { (cut(reason)) }
        },
        Fact::Reopened { sync_error, by } => html! {
            b { (by) } " took " (see(sync_error, "the ignored sync error")) " back; it was pending again."
        },
        Fact::ContactChosen { sync_error, by, contact } => chose(sync_error, by, contact, pages),
        Fact::Erased { by: Some(by), .. } => html! {
            b { "Erased" } ": " b { (by) } " had the conversation forgotten: its words, and who wrote them, are gone here."
        },
        Fact::Erased { event, by: None } => html! {
            b { "Erased" } ": the source forgot the message (event " (event) "), and so did this host: its words are gone here too."
        },
        Fact::Resolved { sync_error, how } => html! {
            (see(sync_error, "The sync error")) " is " b { "over" } ": " (ending(*how)) "."
        },
    }
}

fn chose(error: &SyncErrorId, by: &str, contact: &Pick, pages: &RecordPages) -> Markup {
    let said = html! { " said at " (see(error, "the sync error")) " that the " };
    html! {
        b { (by) }
        @match contact {
            Pick::Contact(contact) => { (said) "customer is contact " (pages.contact(contact)) }
            Pick::NoContact => { (said) "conversation is written without a contact" }
            Pick::Policy => { " took the choice of a contact back at " (see(error, "the sync error")) }
        }
        "; it was tried again."
    }
}

fn see(error: &SyncErrorId, words: &str) -> Markup {
    html! { a href={ "/sync-errors/" (error) } { (words) } }
}

fn arrived(kind: &str, by: ReachedBy, event: u64, extra: Option<&Value>) -> Markup {
    let way = match by {
        ReachedBy::Webhook => "the source notified this host",
        ReachedBy::Poll => "this host asked the source",
        ReachedBy::Completion => "this host asked the source for the whole conversation",
        ReachedBy::Intake => "it was handed in at the intake",
    };
    html! {
        b { "Arrived" } ": " (way) " ("
        // A platform at the intake may number nothing.
        @if by != ReachedBy::Intake || event > 0 { "event " (event) ", " }
        code { (kind) } ")."
        @if let Some(extra) = extra {
            details { summary { "What else the event carried" } (json("What else the event carried", extra)) }
        }
    }
}

fn routed(policy: &PolicyRef, destination: &Destination, cost: u64, logs: &[String], rule: Option<&str>) -> Markup {
    html! {
        b { "Routed" } ": policy " (policy) " sends it "
        @match destination {
            Destination::Queue(queue) => { "to the queue " code { (queue) } "." }
            Destination::Owner(user) => { "to the user " code { (user) } "." }
            Destination::TrackOnly => { "to nobody's queue; it is only kept track of." }
            Destination::NotEligible(reason) => { "nowhere: " (cut(reason)) }
        }
        (beside(cost, logs, rule))
    }
}

/// What a policy says beside its answer.
fn beside(cost: u64, logs: &[String], rule: Option<&str>) -> Markup {
    html! {
        @if let Some(rule) = rule { " Rule: " (cut(rule)) "." }
        " " span.hint { "Cost: " (grouped(cost)) " units of fuel." }
        @if !logs.is_empty() {
            details {
                summary { "The plugin's log" }
                pre tabindex="0" role="region" aria-label="The plugin's log" { (logs.join("\n")) }
            }
        }
    }
}

fn linked(policy: &PolicyRef, link: &Link, found: usize, pages: &RecordPages) -> Markup {
    html! {
        b { "Customer looked up" } ": " (counted(found as u64, "contact was", "contacts were")) " found; policy "
        (policy) " says that the customer is "
        @match link {
            Link::Contact(contact) => { "contact " (pages.contact(contact)) "." }
            Link::Create(fields) => {
                "a new contact"
                @if !fields.is_empty() {
                    " with " @for (place, field) in fields.iter().enumerate() {
                        @if place > 0 { ", " } (field.name)
                    }
                }
                "."
            }
            Link::None => { "no contact, and needs none." }
            Link::Ambiguous(several) => {
                "one of " @for (place, contact) in several.iter().enumerate() {
                    @if place > 0 { ", " } (pages.contact(contact))
                }
                "; nobody can tell which."
            }
        }
    }
}

#[cfg(test)]
mod tests;
