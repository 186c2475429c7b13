//! Working hours: what the clocks of a place say, and whether that lies within a table of hours.

use rhai::{Dynamic, Engine, EvalAltResult, INT, ImmutableString, Map};

use super::{Given, zones};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES_A_DAY: i64 = 24 * 60;

/// From and until when on one day, in minutes since midnight; until is earlier where the hours run into the next day.
type Spans = Vec<(i64, i64)>;

/// What the clocks and calendars of a place say.
struct Local {
    date: String,
    /// 0 is Monday.
    weekday: usize,
    /// Since midnight.
    minute: i64,
}

pub(super) fn register(engine: &mut Engine, now: Option<fn() -> u64>) {
    let now = move || -> Given<INT> {
        let now = now.ok_or("there is no time before the first decision")?;
        Ok(INT::try_from(now()).unwrap_or(INT::MAX))
    };
    engine
        .register_fn("now", now)
        .register_fn("local_time", move |zone: &str| local_time(zone, now()?))
        .register_fn("local_time", local_time)
        .register_fn("within_hours", move |hours: &mut Map, zone: &str| within_hours(hours, zone, now()?))
        .register_fn("within_hours", |hours: &mut Map, zone: &str, at: INT| within_hours(hours, zone, at));
}

impl Local {
    fn new(zone: &str, at_ms: INT) -> Given<Self> {
        let minutes = zones::local_minutes(zone, at_ms.div_euclid(60_000))?;
        let days = minutes.div_euclid(MINUTES_A_DAY);
        let (year, month, day) = zones::date(days);
        Ok(Self {
            date: format!("{year:04}-{month:02}-{day:02}"),
            // 1970-01-01 was a Thursday.
            weekday: (days + 3).rem_euclid(7) as usize,
            minute: minutes.rem_euclid(MINUTES_A_DAY),
        })
    }
}

fn local_time(zone: &str, at_ms: INT) -> Given<Map> {
    let local = Local::new(zone, at_ms)?;
    let fields = [
        ("date", Dynamic::from(local.date)),
        ("weekday", DAYS[local.weekday].into()),
        ("hour", (local.minute / 60).into()),
        ("minute", (local.minute % 60).into()),
    ];
    Ok(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// True when the place is open.
fn within_hours(hours: &Map, zone: &str, at_ms: INT) -> Given<bool> {
    let week = week(hours)?;
    let holidays = holidays(hours)?;
    let today = Local::new(zone, at_ms)?;
    let yesterday = Local::new(zone, at_ms.saturating_sub(MINUTES_A_DAY * 60_000))?;
    let spans = |day: &Local| {
        let closed = holidays.iter().any(|holiday| day.date.ends_with(holiday.as_str()));
        week[day.weekday].iter().copied().filter(move |_| !closed)
    };
    let minute = today.minute;
    let opened_today = spans(&today).any(|(from, until)| from <= minute && (minute < until || until <= from));
    let opened_yesterday = spans(&yesterday).any(|(from, until)| until <= from && minute < until);
    Ok(opened_today || opened_yesterday)
}

/// Whether these are working hours.
pub(super) fn check(hours: &Map) -> Given<()> {
    week(hours)?;
    holidays(hours).map(drop)
}

/// The hours of each day: its own, else those of a range of days.
fn week(hours: &Map) -> Given<[Spans; 7]> {
    let (mut own, mut of_range) = ([const { None }; 7], [const { None }; 7]);
    for (key, value) in hours.iter().filter(|(key, _)| *key != "holidays") {
        let spans = spans(value).ok_or_else(|| wrong(&format!("{key} is {value:?}, and not as in \"09:00-17:30\"")))?;
        let day = |name: &str| DAYS.iter().position(|day| *day == name);
        let range = key.split_once('-').and_then(|(from, until)| Some((day(from)?, day(until)?)));
        match (day(key), range) {
            (Some(day), _) => own[day] = Some(spans),
            (_, Some((from, until))) if from <= until => of_range[from..=until].fill(Some(spans)),
            _ => return Err(wrong(&format!("{key:?} is no day; days are mon, ..., sun, or a range such as mon-fri"))),
        }
    }
    let mut ranges = of_range.into_iter();
    Ok(own.map(|own| own.or(ranges.next().flatten()).unwrap_or_default()))
}

/// `09:00-12:30, 14:00-18:00`, or `closed`.
fn spans(of: &Dynamic) -> Option<Spans> {
    let text = of.clone().into_immutable_string().ok()?;
    if text == "closed" {
        return Some(Vec::new());
    }
    let span = |span: &str| {
        let (from, until) = span.trim().split_once('-')?;
        Some((clock(from)?, clock(until)?))
    };
    text.split(',').map(span).collect()
}

fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let minute = i64::from(hours) * 60 + i64::from(minutes);
    (minutes < 60 && minute <= MINUTES_A_DAY).then_some(minute)
}

/// Dates, with a year or without one.
fn holidays(hours: &Map) -> Given<Vec<ImmutableString>> {
    let Some(dates) = hours.get("holidays") else { return Ok(Vec::new()) };
    let dates = dates.clone().into_typed_array::<ImmutableString>();
    let dates = dates.map_err(|it| wrong(&format!("holidays are {it}, not dates")))?;
    let digits = |text: &str| text.bytes().map(|byte| if byte.is_ascii_digit() { '0' } else { byte as char }).collect();
    for date in &dates {
        let shape: String = digits(date);
        if shape != "0000-00-00" && shape != "00-00" {
            return Err(wrong(&format!("the holiday {date:?} is not as in \"2026-12-24\" or \"12-25\"")));
        }
    }
    Ok(dates)
}

fn wrong(words: &str) -> Box<EvalAltResult> {
    format!("these are no working hours: {words}").into()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, shown};

    const HOURS: &str = r##"let hours = #{
        "mon-fri": "09:00-12:30, 14:00-18:00", fri: "9:00-13:00", sat: "22:00-02:00", sun: "closed",
        holidays: ["2026-05-14", "12-25"],
    };"##;

    #[test]
    fn hours_are_open_from_their_first_minute_to_before_their_last() {
        for (at, open) in [
            // A Monday, then a Friday, whose own hours count.
            ("2026-01-05T08:59", false),
            ("2026-01-05T09:00", true),
            ("2026-01-05T12:29", true),
            ("2026-01-05T12:30", false),
            ("2026-01-05T14:00", true),
            ("2026-01-05T17:59", true),
            ("2026-01-05T18:00", false),
            ("2026-01-09T12:59", true),
            ("2026-01-09T14:00", false),
            // The night from Saturday to Sunday, and no other.
            ("2026-01-10T21:59", false),
            ("2026-01-10T23:00", true),
            ("2026-01-11T01:59", true),
            ("2026-01-11T02:00", false),
            ("2026-01-12T01:00", false),
            // Holidays: a Thursday of one year, and every 25 December.
            ("2026-05-14T10:00", false),
            ("2026-05-21T10:00", true),
            ("2026-12-25T10:00", false),
        ] {
            let ms = utc_ms(at);
            assert_eq!(shown(&format!("{HOURS} within_hours(hours, `UTC`, {ms})")), open.to_string(), "{at}");
        }
    }

    /// Of a moment in 2026.
    fn utc_ms(at: &str) -> i64 {
        let number = |from: usize| at[from..from + 2].parse::<i64>().unwrap();
        let months = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let days = 20_454 + months[..number(5) as usize - 1].iter().sum::<i64>() + number(8) - 1;
        ((days * 24 + number(11)) * 60 + number(14)) * 60_000
    }

    #[test]
    fn the_clock_is_the_host_s_and_stands_in_the_zone() {
        check(&[
            ("now()", "1767605400000"),
            (
                "let it = local_time(`Europe/Paris`); `${it.weekday} ${it.date} ${it.hour}:${it.minute}`",
                "mon 2026-01-05 10:30",
            ),
            ("local_time(`America/Los_Angeles`, 1767605400000 - 9000000).date", "2026-01-04"),
            ("within_hours(#{mon: `10:00-11:00`}, `Europe/Paris`)", "true"),
            ("within_hours(#{mon: `10:00-11:00`}, `UTC`)", "false"),
            ("within_hours(#{mon: `00:00-24:00`}, `UTC`)", "true"),
            ("within_hours(#{}, `UTC`)", "false"),
            ("local_time(`Paris`)", "Runtime error: there is no time zone \"Paris\"..."),
        ]);
    }

    #[test]
    fn hours_that_say_nothing_are_an_error() {
        for (hours, words) in [
            ("monday: `09:00-18:00`", "\"monday\" is no day"),
            ("\"fri-mon\": `09:00-18:00`", "\"fri-mon\" is no day"),
            ("mon: `9-18`", "mon is \"9-18\""),
            ("mon: `09:60-18:00`", "mon is \"09:60-18:00\""),
            ("mon: `09:00-24:01`", "mon is \"09:00-24:01\""),
            ("mon: 9", "mon is 9"),
            ("holidays: [`25 December`]", "the holiday \"25 December\""),
            ("holidays: `2026-12-25`", "holidays are string"),
        ] {
            let start = format!("Runtime error: these are no working hours: {words}...");
            check(&[(&format!("within_hours(#{{{hours}}}, `UTC`)"), &start)]);
        }
    }
}
