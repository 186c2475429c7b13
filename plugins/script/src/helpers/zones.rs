//! Time zones by name: the rules in force, without history, since a policy asks about today.

use super::Given;

/// Nine kilobytes, where a complete database is forty times as much.
const ZONES: &str = include_str!("zones.txt");

const MINUTES_A_DAY: i64 = 24 * 60;

/// Minutes since 1970-01-01 on the clocks of a place.
pub(super) fn local_minutes(zone: &str, utc_minutes: i64) -> Given<i64> {
    let offset = match zone {
        "UTC" => Some(0),
        _ => named(zone).and_then(|rule| offset(rule, utc_minutes)),
    };
    offset.map(|offset| utc_minutes + offset).ok_or_else(|| {
        format!("there is no time zone {zone:?}; it is written as in \"Europe/Paris\", or \"UTC\"").into()
    })
}

/// The line of the zone, in words.
fn named(zone: &str) -> Option<impl Iterator<Item = &'static str>> {
    // Names contain a slash and begin with a letter; what a rule contains begins with a digit or a minus.
    let is_name = zone.starts_with(|first: char| first.is_ascii_uppercase()) && zone.contains('/');
    let is_whole = |at: usize| ZONES[..at].ends_with(' ') && ZONES[at + zone.len()..].starts_with([' ', '\n']);
    let (at, _) = ZONES.match_indices(zone).find(|(at, _)| is_name && is_whole(*at))?;
    let start = ZONES[..at].rfind('\n')? + 1;
    Some(ZONES[start..].split(' '))
}

fn offset(mut rule: impl Iterator<Item = &'static str>, utc: i64) -> Option<i64> {
    let standard: i64 = rule.next()?.parse().ok()?;
    let Ok(daylight) = rule.next()?.parse::<i64>() else { return Some(standard) };
    let (year, _, _) = date((utc + standard).div_euclid(MINUTES_A_DAY));
    let from = change(year, rule.next()?)? - standard;
    let until = change(year, rule.next()?)? - daylight;
    // In the south the time of daylight spans the turn of the year.
    let is_daylight = if from < until { (from..until).contains(&utc) } else { !(until..from).contains(&utc) };
    Some(if is_daylight { daylight } else { standard })
}

/// When the clocks change, in minutes of the clock before the change.
fn change(year: i64, rule: &str) -> Option<i64> {
    let (day, minutes) = rule.split_once('/')?;
    let mut parts = day.split('.').map(|part| part.parse::<i64>().ok());
    let (month, week, weekday) = (parts.next()??, parts.next()??, parts.next()??);
    let first = days(year, month, 1);
    let mut day = first + (weekday - (first + 4)).rem_euclid(7) + 7 * (week - 1);
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    if day >= days(next_year, next_month, 1) {
        day -= 7;
    }
    Some(day * MINUTES_A_DAY + minutes.parse::<i64>().ok()?)
}

/// Days since 1970-01-01 of a date; years begin in March here, so that the leap day is the last of one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The date (year, month, day) so many days after 1970-01-01.
pub(super) fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, after) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + after, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes since 1970.
    fn at(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> i64 {
        days(year, month, day) * MINUTES_A_DAY + hour * 60 + minute
    }

    #[test]
    fn days_and_dates_are_each_other_s_inverse() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(days(2026, 1, 5), 20_458);
        for day in -200_000..200_000 {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }

    #[test]
    fn clocks_change_when_the_rule_of_the_place_says() {
        for (zone, utc, local) in [
            ("UTC", at(2026, 7, 1, 12, 0), at(2026, 7, 1, 12, 0)),
            ("Europe/Paris", at(2026, 1, 5, 9, 30), at(2026, 1, 5, 10, 30)),
            ("Europe/Paris", at(2026, 3, 29, 0, 59), at(2026, 3, 29, 1, 59)),
            ("Europe/Paris", at(2026, 3, 29, 1, 0), at(2026, 3, 29, 3, 0)),
            ("Europe/Paris", at(2026, 10, 25, 0, 59), at(2026, 10, 25, 2, 59)),
            ("Europe/Paris", at(2026, 10, 25, 1, 0), at(2026, 10, 25, 2, 0)),
            ("Europe/London", at(2026, 7, 1, 12, 0), at(2026, 7, 1, 13, 0)),
            ("Europe/Dublin", at(2026, 7, 1, 12, 0), at(2026, 7, 1, 13, 0)),
            ("Europe/Dublin", at(2026, 1, 1, 12, 0), at(2026, 1, 1, 12, 0)),
            ("America/New_York", at(2026, 3, 8, 6, 59), at(2026, 3, 8, 1, 59)),
            ("America/New_York", at(2026, 3, 8, 7, 0), at(2026, 3, 8, 3, 0)),
            ("America/New_York", at(2026, 11, 1, 6, 0), at(2026, 11, 1, 1, 0)),
            ("Australia/Sydney", at(2026, 1, 1, 0, 0), at(2026, 1, 1, 11, 0)),
            ("Australia/Sydney", at(2026, 7, 1, 0, 0), at(2026, 7, 1, 10, 0)),
            ("Australia/Lord_Howe", at(2026, 1, 1, 0, 0), at(2026, 1, 1, 11, 0)),
            ("Asia/Kolkata", at(2026, 1, 1, 0, 0), at(2026, 1, 1, 5, 30)),
            ("Asia/Jerusalem", at(2026, 3, 27, 0, 0), at(2026, 3, 27, 3, 0)),
            ("America/Sao_Paulo", at(2026, 1, 1, 0, 0), at(2025, 12, 31, 21, 0)),
            ("Pacific/Auckland", at(2025, 12, 31, 12, 0), at(2026, 1, 1, 1, 0)),
        ] {
            assert_eq!(local_minutes(zone, utc).unwrap(), local, "{zone}, {:?}", date(utc / MINUTES_A_DAY));
        }
    }

    #[test]
    fn every_zone_of_the_file_has_a_rule_and_nothing_else_is_a_zone() {
        let zones: Vec<_> =
            ZONES.lines().filter(|line| !line.starts_with('#')).flat_map(|line| line.split(' ')).collect();
        let zones: Vec<_> = zones.iter().filter(|word| word.starts_with(|c: char| c.is_alphabetic())).collect();
        assert!(zones.len() > 400, "{}", zones.len());
        for zone in zones {
            for utc in [at(2026, 1, 5, 9, 30), at(2026, 7, 5, 9, 30)] {
                let ahead = local_minutes(zone, utc).unwrap() - utc;
                assert!((-12 * 60..=14 * 60).contains(&ahead), "{zone}: {ahead}");
            }
        }
        for zone in ["Paris", "europe/paris", "Europe/Pari", "60", "3.5.0/120", "", "CET"] {
            assert!(local_minutes(zone, 0).is_err(), "{zone}");
        }
    }
}
