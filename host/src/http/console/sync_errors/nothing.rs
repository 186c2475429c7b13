//! What the list of sync errors says where it has no line.

use maud::{Markup, html};

use super::only;
use crate::domain::{ErrorQuery, State};
use crate::http::console::list_address::{address, parked_link};
use crate::http::console::paging;

/// Why there is no line. What an incident holds back is no sync error, and waits all the same.
pub(super) fn nothing(query: &ErrorQuery, more: bool, parked: u64) -> Markup {
    let all = ErrorQuery { states: query.states.clone(), orgs: query.orgs.clone(), ..ErrorQuery::default() };
    html! {
        div.empty {
            @if more {
                p { "None among those looked at so far." }
            } @else if *query == all && only(&query.states) == Some(&State::Pending) {
                p {
                    b { "Nothing is pending." }
                    @if parked == 0 { " Everything that came in got through, is on its way, or is ignored." }
                }
                p { a href="/" { "How each organization stands" } " · " a href="/causes" { "The causes of the last days" } }
            } @else {
                p { b { "There is none." } }
                @if let Some(q) = &query.q {
                    p {
                        "A search looks among sync errors. " a href=(paging::address("/customers", &[("q", q)])) {
                            "Look among all conversations"
                        } ", whether or not something failed."
                    }
                }
                @if *query != all { p { a href=(address(&all, None)) { "Show all that are in this state" } } }
            }
            @if parked > 0 { p { (parked_link(only(&query.orgs), parked)) " by an incident: they are no sync errors, and wait as well." } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_that_everything_got_through_while_conversations_are_parked() {
        let pending = ErrorQuery { states: [State::Pending].into(), ..ErrorQuery::default() };
        let calm = "Everything that came in got through, is on its way, or is ignored.";
        assert!(nothing(&pending, false, 0).0.contains(calm));
        let of_one = ErrorQuery { orgs: ["shop".parse().unwrap()].into(), ..pending.clone() };
        let narrowed = ErrorQuery { q: Some("jane".to_owned()), ..pending.clone() };
        for (query, address) in [(&pending, "/parked"), (&of_one, "/parked?org=shop"), (&narrowed, "/parked")] {
            let said = nothing(query, false, 1_200).0;
            assert!(!said.contains("got through"), "{said}");
            assert!(said.contains(&format!("<a href=\"{address}\">1,200 conversations are parked</a>")), "{said}");
        }
    }
}
