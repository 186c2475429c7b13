//! The customer and each contact as cards of the same rows: what differs, and what is the customer's own, is marked.

use maud::{Markup, html};

use crate::domain::{Message, Timestamp};
use crate::http::api::{Candidate, CandidateList};
use crate::http::console::parts::{Icon, format, icon};

/// What stands of a contact, and of the customer as the platform tells.
const ROWS: [&str; 8] = ["Name", "E-mail", "Phone", "Mobile phone", "Account", "Created", "Last changed", "Open cases"];

/// The customer as the platform tells.
pub(super) fn customer(list: &CandidateList, words: Option<&Message>) -> Markup {
    let value = |value: Option<&String>| html! { @if let Some(value) = value { bdi { (value) } } @else { "–" } };
    let of = list.customer.as_ref();
    html! {
        section.card {
            h2 { "The customer" }
            dl {
                dt { (ROWS[0]) } dd { (value(of.and_then(|of| of.name.as_ref()))) }
                dt { (ROWS[1]) } dd { (value(of.and_then(|of| of.email.as_ref()))) }
                dt { (ROWS[2]) } dd { (value(of.and_then(|of| of.phone.as_ref()))) }
                @if let Some(message) = words {
                    dt { "Last words" } dd.said { (format::cut(&message.body)) }
                }
            }
            p.hint { "As the platform tells" }
        }
    }
}

/// A contact as Salesforce knows it, with what differs from the others and what is the customer's own.
pub(super) fn card(list: &CandidateList, candidate: &Candidate, form: &Markup) -> Markup {
    let chosen = list.chosen.as_ref().is_some_and(|chosen| chosen.contact == candidate.contact.as_str());
    let own = shown(candidate);
    let others: Vec<_> = list.candidates.iter().map(plain).collect();
    html! {
        section.card {
            h2 { @if candidate.name.is_empty() { code { (candidate.contact) } } @else { bdi { (candidate.name) } } }
            dl {
                @for (place, (name, value)) in ROWS.iter().zip(own).enumerate() {
                    dt { (name) }
                    dd.differs[others.iter().any(|other| other[place] != others[0][place])] {
                        (value)
                        @if is_customers(list, candidate, place) { " " span.badge.good { (icon(Icon::Good)) "as the customer’s" } }
                    }
                }
            }
            div.actions {
                @match (chosen, candidate.is_there) {
                    (true, _) => { span.badge.good { "chosen" } }
                    (false, Some(false)) => { span.badge.bad { "not in Salesforce any more, or hidden" } }
                    (false, _) => { (form) }
                }
                @if candidate.person_account { span.badge { "person account" } }
                @if let Some(url) = &candidate.url {
                    a href=(url) rel="noreferrer" aria-label={ "Open " (candidate.contact) " in Salesforce" } { (icon(Icon::Outside)) "Salesforce" }
                }
            }
        }
    }
}

/// What stands in each row, for who compares.
fn plain(of: &Candidate) -> [String; 8] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    [
        of.name.clone(),
        text(&of.email),
        text(&of.phone),
        text(&of.mobile_phone),
        text(&of.account),
        time(of.created_at),
        time(of.last_modified_at),
        of.open_cases.map_or_else(String::new, |count| count.to_string()),
    ]
}

fn shown(of: &Candidate) -> [Markup; 8] {
    let [created, modified] = [of.created_at, of.last_modified_at].map(|at| at.map(format::time));
    let mut rows = plain(of).map(|text| html! { @if text.is_empty() { "–" } @else { bdi { (text) } } });
    rows[5] = created.unwrap_or_else(|| html! { "–" });
    rows[6] = modified.unwrap_or_else(|| html! { "–" });
    if of.open_cases == Some(10) {
        rows[7] = html! { "10 or more" };
    }
    rows
}

/// Whether a name, an address or a number is the customer's own, however it is written.
fn is_customers(list: &CandidateList, candidate: &Candidate, row: usize) -> bool {
    let Some(customer) = &list.customer else { return false };
    let same = |one: Option<&str>, other: Option<&str>| {
        one.zip(other).is_some_and(|(one, other)| !one.is_empty() && one.to_lowercase() == other.to_lowercase())
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let number = |number: &Option<String>| {
        let both = number.as_deref().map(digits).zip(customer.phone.as_deref().map(digits));
        both.is_some_and(|(one, other)| one.len() > 5 && one == other)
    };
    match row {
        0 => same(Some(&candidate.name), customer.name.as_deref()),
        1 => same(candidate.email.as_deref(), customer.email.as_deref()),
        2 => number(&candidate.phone),
        3 => number(&candidate.mobile_phone),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A list with these contacts of Jane, who writes from +33 6 71 48 59 45.
    fn list(candidates: Value) -> CandidateList {
        let customer = json!({ "name": "Jane Doe", "email": "jane@example.com", "phone": "+33 6 71 48 59 45" });
        serde_json::from_value(json!({ "sync_error": "se-1", "customer": customer, "candidates": candidates })).unwrap()
    }

    #[test]
    fn what_is_the_customers_own_is_so_however_it_is_written() {
        let list = list(json!([
            { "contact": "003A", "name": "jane doe", "email": "Jane@Example.com", "phone": "0033671485945", "mobile_phone": "33671485945", "person_account": false },
            { "contact": "003B", "name": "", "email": "", "phone": "1", "person_account": false },
        ]));
        let own = |place: usize| [0, 1, 2, 3, 4].map(|row| is_customers(&list, &list.candidates[place], row));
        assert_eq!(own(0), [true, true, false, true, false]);
        assert_eq!(own(1), [false; 5]);
    }

    #[test]
    fn words_from_outside_stay_words_and_what_differs_is_marked() {
        let list = list(json!([
            { "contact": "003A", "name": "<script>x</script>", "email": "a@example.com", "account": "Acme", "person_account": false, "open_cases": 10 },
            { "contact": "003B", "name": "莉", "email": "a@example.com", "person_account": true, "is_there": false },
        ]));
        let page = card(&list, &list.candidates[0], &html! {}).0;
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"), "{page}");
        assert!(page.contains("10 or more") && page.contains("<dd class=\"differs\"><bdi>Acme"), "{page}");
        assert!(!page.contains("<dd class=\"differs\"><bdi>a@example.com"), "what is the same is not marked: {page}");
        let gone = card(&list, &list.candidates[1], &html! { "FORM" }).0;
        assert!(gone.contains("not in Salesforce any more") && !gone.contains("FORM"), "{gone}");
    }
}
