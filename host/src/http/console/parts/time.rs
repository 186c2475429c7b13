//! Times as people say them, as of the moment at which the page is made; the exact one stands behind.

use std::future::Future;

use maud::{Markup, html};

use crate::domain::Timestamp;

tokio::task_local! {
    /// When the page is made: all that it says of times is as of one moment.
    static AS_OF: Timestamp;
}

/// Makes a page as of a moment.
pub(crate) fn as_of<F: Future>(now: Timestamp, page: F) -> impl Future<Output = F::Output> {
    AS_OF.scope(now, page)
}

/// A time: in words, and to the second for who points at it. Where no page is made, the exact one alone.
pub(super) fn time(at: Timestamp) -> Markup {
    let exact = at.to_string();
    let seconds = exact.get(..19).map_or_else(|| exact.clone(), |text| text.replace('T', " "));
    let words = AS_OF.try_with(|now| words(at.as_millis(), now.as_millis())).ok().flatten();
    html! {
        @match words {
            Some(words) => { time datetime=(exact) title={ (seconds) " UTC" } { (words) } }
            None => { time datetime=(exact) { (seconds) " UTC" } }
        }
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How long ago it was, or in how long it will be; none where a date says more.
fn words(at: u64, now: u64) -> Option<String> {
    let seconds = now.abs_diff(at) / 1_000;
    let long = match seconds {
        0..45 if at > now => return Some("in a moment".to_owned()),
        0..45 => return Some("just now".to_owned()),
        45..90 => "1 min".to_owned(),
        90..3_570 => format!("{} min", (seconds + MINUTE / 2) / MINUTE),
        3_570..DAY => format!("{} h", (seconds / HOUR).max(1)),
        DAY..2_592_000 => format!("{} d", seconds / DAY),
        _ => return None,
    };
    Some(if at > now { format!("in {long}") } else { format!("{long} ago") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_as_people_say_it_and_as_a_date_when_it_is_long_ago() {
        let now = 1_768_469_500_000;
        let ago = |seconds: u64| words(now - seconds * 1_000, now);
        let said: Vec<_> = [3, 60, 100, 3_580, 7_300, 90_000, 29 * DAY].into_iter().map(|s| ago(s).unwrap()).collect();
        assert_eq!(said, ["just now", "1 min ago", "2 min ago", "1 h ago", "2 h ago", "1 d ago", "29 d ago"]);
        assert_eq!(ago(31 * DAY), None);
        assert_eq!(words(now + 5_000, now).as_deref(), Some("in a moment"));
        assert_eq!(words(now + 150_000, now).as_deref(), Some("in 3 min"));
    }

    #[tokio::test]
    async fn the_exact_time_stands_behind_the_words() {
        let at = Timestamp::from_millis(1_768_469_412_000);
        let page = as_of(at.after(std::time::Duration::from_secs(7_200)), async { time(at).0 }).await;
        assert_eq!(
            page,
            "<time datetime=\"2026-01-15T09:30:12.000Z\" title=\"2026-01-15 09:30:12 UTC\">2 h ago</time>"
        );
        assert_eq!(time(at).0, "<time datetime=\"2026-01-15T09:30:12.000Z\">2026-01-15 09:30:12 UTC</time>");
    }
}
