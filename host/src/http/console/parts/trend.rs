//! How often a cause failed over 14 days: bars that are one path, and words for whoever does not see them.

use maud::{Markup, html};

use super::format::{self, counted, grouped};
use crate::domain::Timestamp;
use crate::http::api::Hour;

const HOUR_MS: u64 = 3_600_000;
const DAYS: usize = 14;
const HOURS: usize = DAYS * 24;
/// Width and height of a drawing, in units of its own.
const HEIGHT: u64 = 24;

/// Failures in each of so many equal spans of the last 14 days, the oldest first; the last one has not ended yet.
fn spans<const N: usize>(failures: &[Hour], now: Timestamp) -> [u64; N] {
    let (mut counts, hour) = ([0; N], now.as_millis() / HOUR_MS);
    for of in failures {
        // A clock that goes back a little leaves an hour that lies ahead.
        let ago = hour.saturating_sub(of.from.as_millis() / HOUR_MS);
        let span = usize::try_from(ago).unwrap_or(usize::MAX) / (HOURS / N);
        if let Some(count) = N.checked_sub(span + 1).and_then(|place| counts.get_mut(place)) {
            *count += u64::from(of.failures);
        }
    }
    counts
}

/// The bars: five units for each, the highest as high as the drawing, and none too low to be seen.
fn bars(counts: &[u64]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |(place, count): (usize, &u64)| {
        let height = (count * HEIGHT).div_ceil(most).max(2);
        format!("M{} {HEIGHT}v-{height}h4v{height}z", place * 5)
    };
    counts.iter().enumerate().filter(|(_, count)| **count > 0).map(bar).collect()
}

fn drawing(class: &str, label: &str, counts: &[u64]) -> Markup {
    html! {
        svg class=(class) role="img" aria-label=(label) viewBox={ "0 0 " (counts.len() * 5) " " (HEIGHT) }
            preserveAspectRatio="none" focusable="false" { path d=(bars(counts)) {} }
    }
}

fn in_words(days: &[u64; DAYS]) -> String {
    let all: u64 = days.iter().sum();
    if all == 0 {
        return "No failure in 14 days".to_owned();
    }
    let (place, most) = days.iter().enumerate().rev().max_by_key(|(_, count)| **count).unwrap_or((DAYS - 1, &0));
    let when = match DAYS - 1 - place {
        0 => "within the last day".to_owned(),
        1 => "one day before".to_owned(),
        ago => format!("{ago} days before"),
    };
    let last = grouped(days[DAYS - 1]);
    let all = counted(all, "failure", "failures");
    format!("{all} in 14 days; most, {}, {when}; {last} within the last day", grouped(*most))
}

/// A bar for each day, beside the words of a list.
pub(crate) fn spark(failures: &[Hour], now: Timestamp) -> Markup {
    let days = spans::<DAYS>(failures, now);
    drawing("spark", &in_words(&days), &days)
}

/// A bar for each hour, with what was most, and the days as numbers.
pub(crate) fn trend(failures: &[Hour], now: Timestamp) -> Markup {
    let (hours, days) = (spans::<HOURS>(failures, now), spans::<DAYS>(failures, now));
    let most = hours.iter().copied().max().unwrap_or(0);
    let began = |ago: usize| {
        let hours = (now.as_millis() / HOUR_MS + 1).saturating_sub((ago as u64 + 1) * 24);
        Timestamp::from_millis(hours * HOUR_MS)
    };
    html! {
        (drawing("spark large", &in_words(&days), &hours))
        p.axis.hint {
            span { "14 days ago" } span { "most in an hour: " (grouped(most)) } span { "now" }
        }
        details {
            summary { "Day by day" }
            dl {
                @for (ago, count) in days.iter().rev().enumerate().filter(|(_, count)| **count > 0) {
                    dt { "since " (format::time(began(ago))) } dd { (counted(*count, "failure", "failures")) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(ago: u64, failures: u32) -> Hour {
        Hour { from: Timestamp::from_millis((1_000 - ago) * HOUR_MS), failures }
    }

    fn now() -> Timestamp {
        Timestamp::from_millis(1_000 * HOUR_MS + 1_234)
    }

    #[test]
    fn each_failure_is_in_the_span_of_its_hour_and_what_is_too_old_is_in_none() {
        let failures = [hour(900, 7), hour(336, 5), hour(335, 4), hour(24, 3), hour(23, 2), hour(0, 1)];
        let days = spans::<DAYS>(&failures, now());
        assert_eq!((days[0], days[12], days[13]), (4, 3, 3));
        assert_eq!(days.iter().sum::<u64>(), 10);
        let ahead = Hour { from: Timestamp::from_millis(1_001 * HOUR_MS), failures: 9 };
        assert_eq!(spans::<DAYS>(&[ahead], now())[13], 9);
        assert_eq!(spans::<HOURS>(&failures, now())[HOURS - 1], 1);
    }

    #[test]
    fn the_highest_bar_fills_the_drawing_and_the_lowest_can_be_seen() {
        assert_eq!(bars(&[0, 1_000_000, 1]), "M5 24v-24h4v24zM10 24v-2h4v2z");
        assert_eq!(bars(&[0, 0]), "");
        assert_eq!(bars(&[u64::from(u32::MAX) * 24]), "M0 24v-24h4v24z");
    }

    #[test]
    fn who_does_not_see_the_bars_is_told_what_they_show() {
        let said = in_words(&spans(&[hour(30, 1_200), hour(1, 3)], now()));
        assert_eq!(said, "1,203 failures in 14 days; most, 1,200, one day before; 3 within the last day");
        assert_eq!(in_words(&[0; DAYS]), "No failure in 14 days");
        let drawn = spark(&[hour(0, 1)], now()).0;
        assert!(drawn.contains("role=\"img\"") && drawn.contains("aria-label=\"1 failure in 14 days"), "{drawn}");
        assert!(drawn.len() < 400 && !drawn.contains("style"), "{drawn}");
    }
}
