//! Fields that take one value of several.

use std::sync::Arc;

use maud::{Markup, html};

use crate::engine::Org;

/// More values than these are not listed: whoever looks for one writes it.
const LISTED: usize = 200;

/// A field that takes one of these values, each with what it is called, or none: then it means `all`. A value that is none of them
/// and was chosen stays.
pub(crate) fn choice(name: &str, all: &str, chosen: Option<&str>, values: &[(String, String)]) -> Markup {
    let unknown = chosen.filter(|chosen| !chosen.is_empty() && values.iter().all(|(known, _)| known != chosen));
    html! {
        @if values.len() > LISTED {
            input name=(name) value=(chosen.unwrap_or_default()) placeholder=(all) maxlength="100" autocomplete="off";
        } @else {
            select name=(name) {
                option value="" { (all) }
                @for (value, words) in values { option value=(value) selected[chosen == Some(value)] { (words) } }
                @if let Some(value) = unknown { option value=(value) selected { (value) } }
            }
        }
    }
}

/// The same for organizations, by their ids.
pub(crate) fn choice_of_org(all: &str, chosen: Option<&str>, orgs: &[Arc<Org>]) -> Markup {
    let values: Vec<_> = orgs.iter().map(|org| (org.id.to_string(), org.name.clone())).collect();
    choice("org", all, chosen, &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize) -> Vec<(String, String)> {
        (0..count).map(|number| (format!("v{number}"), format!("Value {number}"))).collect()
    }

    #[test]
    fn a_value_that_is_not_known_stays_chosen_and_too_many_are_written() {
        let few = choice("org", "all", Some("gone"), &values(2)).0;
        assert!(few.contains("<option value=\"gone\" selected>gone</option>") && few.contains("Value 1"), "{few}");
        assert!(!choice("org", "all", None, &values(2)).0.contains("selected"));
        assert!(choice("org", "all", Some("v1"), &values(2)).0.contains("<option value=\"v1\" selected>Value 1"));
        let many = choice("org", "all", Some("v7"), &values(LISTED + 1)).0;
        assert!(many.starts_with("<input name=\"org\" value=\"v7\" placeholder=\"all\"") && many.len() < 200, "{many}");
    }
}
