//! Phone numbers as `+` and digits, by the dialling rules of the country that they are written in.

use rhai::{Dynamic, Engine, EvalAltResult};

use super::{Given, text};

/// How numbers are written inside a country: ISO code, country code, trunk prefix (dialled inside the country only),
/// international prefix, and how many digits a number has without any of them, from and to.
///
/// From the ITU's list of dialling procedures (Operational Bulletin 994) and E.164's national numbering plans. In Italy
/// and San Marino the zero belongs to the number, so there is no trunk prefix.
const COUNTRIES: [(&str, &str, &str, &str, usize, usize); 60] = [
    ("AE", "971", "0", "00", 8, 9),
    ("AR", "54", "0", "00", 10, 11),
    ("AT", "43", "0", "00", 7, 13),
    ("AU", "61", "0", "0011", 9, 9),
    ("BE", "32", "0", "00", 8, 9),
    ("BG", "359", "0", "00", 7, 9),
    ("BR", "55", "0", "00", 10, 11),
    ("CA", "1", "1", "011", 10, 10),
    ("CH", "41", "0", "00", 9, 9),
    ("CL", "56", "", "00", 9, 9),
    ("CN", "86", "0", "00", 10, 11),
    ("CO", "57", "", "00", 10, 10),
    ("CY", "357", "", "00", 8, 8),
    ("CZ", "420", "", "00", 9, 9),
    ("DE", "49", "0", "00", 6, 11),
    ("DK", "45", "", "00", 8, 8),
    ("DZ", "213", "0", "00", 8, 9),
    ("EE", "372", "", "00", 7, 8),
    ("EG", "20", "0", "00", 8, 10),
    ("ES", "34", "", "00", 9, 9),
    ("FI", "358", "0", "00", 6, 11),
    ("FR", "33", "0", "00", 9, 9),
    ("GB", "44", "0", "00", 9, 10),
    ("GR", "30", "", "00", 10, 10),
    ("HK", "852", "", "001", 8, 8),
    ("HR", "385", "0", "00", 8, 9),
    ("HU", "36", "06", "00", 8, 9),
    ("IE", "353", "0", "00", 8, 9),
    ("IL", "972", "0", "00", 8, 9),
    ("IN", "91", "0", "00", 10, 10),
    ("IS", "354", "", "00", 7, 7),
    ("IT", "39", "", "00", 6, 11),
    ("JP", "81", "0", "010", 9, 10),
    ("KR", "82", "0", "00", 8, 10),
    ("LT", "370", "0", "00", 8, 8),
    ("LU", "352", "", "00", 6, 9),
    ("LV", "371", "", "00", 8, 8),
    ("MA", "212", "0", "00", 9, 9),
    ("MC", "377", "", "00", 8, 9),
    ("MT", "356", "", "00", 8, 8),
    ("MX", "52", "", "00", 10, 10),
    ("MY", "60", "0", "00", 8, 10),
    ("NL", "31", "0", "00", 9, 9),
    ("NO", "47", "", "00", 8, 8),
    ("NZ", "64", "0", "00", 8, 10),
    ("PE", "51", "0", "00", 8, 9),
    ("PL", "48", "", "00", 9, 9),
    ("PT", "351", "", "00", 9, 9),
    ("RO", "40", "0", "00", 9, 9),
    ("RS", "381", "0", "00", 8, 9),
    ("SA", "966", "0", "00", 9, 9),
    ("SE", "46", "0", "00", 7, 9),
    ("SG", "65", "", "001", 8, 8),
    ("SI", "386", "0", "00", 8, 8),
    ("SK", "421", "0", "00", 9, 9),
    ("TN", "216", "", "00", 8, 8),
    ("TR", "90", "0", "00", 10, 10),
    ("UA", "380", "0", "00", 9, 9),
    ("US", "1", "1", "011", 10, 10),
    ("ZA", "27", "0", "00", 9, 9),
];

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("normal_phone", |number: Dynamic| {
            Given::Ok(
                text(&number, "normal_phone")?.and_then(|number| plain(&number)).map_or(Dynamic::UNIT, Dynamic::from),
            )
        })
        .register_fn("normal_phone", |number: Dynamic, country: &str| {
            let Some(number) = text(&number, "normal_phone")? else { return Ok(Dynamic::UNIT) };
            Given::Ok(of_country(&number, country)?.map_or(Dynamic::UNIT, Dynamic::from))
        });
}

/// The digits alone, with a leading `+` where the number was written with one or with 00; nothing where there is no digit.
fn plain(number: &str) -> Option<String> {
    let (digits, has_plus) = digits(number)?;
    Some(match digits.strip_prefix("00") {
        _ if has_plus => format!("+{digits}"),
        Some(abroad) => format!("+{abroad}"),
        None => digits,
    })
}

/// The digits, and whether a plus stands before them. A trunk zero in brackets, as in +44 (0)20, is left out.
fn digits(number: &str) -> Option<(String, bool)> {
    let number = number.trim().replace("(0)", "");
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| (digits, number.starts_with('+')))
}

/// The same, and a number without a country is one of `country`; what is too short or too long to be one stays as it is.
fn of_country(number: &str, country: &str) -> Given<Option<String>> {
    let found = COUNTRIES.iter().find(|it| it.0.eq_ignore_ascii_case(country));
    let &(_, code, trunk, international, least, most) = found.ok_or_else(|| unknown(country))?;
    let Some((digits, has_plus)) = digits(number) else { return Ok(None) };
    if has_plus {
        return Ok(Some(format!("+{digits}")));
    }
    // Whatever the country's own prefix is, people who write 00 mean this.
    if let Some(abroad) = digits.strip_prefix(international).or_else(|| digits.strip_prefix("00")) {
        return Ok(Some(format!("+{abroad}")));
    }
    let fits = |number: &str| (least..=most).contains(&number.len());
    let with_trunk = digits.strip_prefix(trunk).filter(|_| !trunk.is_empty());
    // As platforms give a number: with its country, and no plus. A number that fits as it is is none of these.
    let with_code = digits.strip_prefix(code).filter(|_| !fits(&digits));
    let national = [with_trunk, with_code, Some(&digits)].into_iter().flatten().find(|number| fits(number));
    Ok(Some(national.map_or(digits.clone(), |number| format!("+{code}{number}"))))
}

fn unknown(country: &str) -> Box<EvalAltResult> {
    format!("normal_phone() knows no country {country:?}; it takes a code of two letters, such as \"FR\"").into()
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn a_phone_number_keeps_its_digits_and_its_country() {
        for (number, normal) in [
            ("+33 1 99 00 12 34", Some("+33199001234")),
            ("0033 1 99 00 12 34", Some("+33199001234")),
            ("+44 (0)20 7946 0958", Some("+442079460958")),
            ("(202) 555-0143", Some("2025550143")),
            (" 01.99.00.12.34 ", Some("0199001234")),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(plain(number).as_deref(), normal, "{number:?}");
        }
    }

    #[test]
    fn a_number_without_a_country_is_one_of_the_default_country() {
        for (number, country, normal) in [
            ("01 99 00 12 34", "FR", "+33199001234"),
            ("1 99 00 12 34", "fr", "+33199001234"),
            ("33199001234", "FR", "+33199001234"),
            ("0044 20 7946 0958", "FR", "+442079460958"),
            ("+44 20 7946 0958", "FR", "+442079460958"),
            ("020 7946 0958", "GB", "+442079460958"),
            ("(202) 555-0143", "US", "+12025550143"),
            ("1-202-555-0143", "US", "+12025550143"),
            ("011 33 1 99 00 12 34", "US", "+33199001234"),
            ("030 23125 000", "DE", "+493023125000"),
            ("06 1234 5678", "IT", "+390612345678"),
            ("912 345 678", "ES", "+34912345678"),
            ("34912345678", "ES", "+34912345678"),
            ("06 1 234 5678", "HU", "+3612345678"),
            ("0011 33 1 99 00 12 34", "AU", "+33199001234"),
            ("03-1234-5678", "JP", "+81312345678"),
            // Too short or too long to be a number of the country.
            ("3631", "FR", "3631"),
            ("1234567890123", "FR", "1234567890123"),
        ] {
            assert_eq!(of_country(number, country).unwrap().as_deref(), Some(normal), "{number:?} in {country}");
        }
    }

    #[test]
    fn the_countries_stand_in_order_and_none_of_them_twice() {
        assert!(COUNTRIES.is_sorted_by(|one, other| one.0 < other.0));
    }

    #[test]
    fn what_is_no_number_or_no_country_is_said() {
        check(&[
            ("normal_phone(())", "()"),
            ("normal_phone((), `FR`)", "()"),
            ("normal_phone(`unknown`, `FR`)", "()"),
            ("normal_phone(`01 99 00 12 34`, `FR`)", "+33199001234"),
            ("normal_phone(`01 99 00 12 34`)", "0199001234"),
            ("normal_phone(`0199001234`, `XX`)", "Runtime error: normal_phone() knows no country \"XX\"..."),
        ]);
    }
}
