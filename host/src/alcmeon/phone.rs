//! A phone number that came as a country's prefix and a number within that country, as one number.

use serde_json::Value;

/// Countries without a trunk prefix in whose plans a number may begin with a zero: there it belongs to the number. Everywhere
/// else a leading zero is only dialled within the country, or begins no number at all. From the metadata of libphonenumber
/// 9.0.43: those without a national prefix whose patterns take a number that begins with 0.
const ZERO_KEPT: [(&str, &str); 22] = [
    ("39", "Italy, the Vatican"),
    ("47", "Norway: numbers of five digits"),
    ("225", "Ivory Coast"),
    ("226", "Burkina Faso"),
    ("227", "Niger"),
    ("229", "Benin"),
    ("242", "Congo"),
    ("247", "Ascension"),
    ("267", "Botswana"),
    ("268", "Eswatini"),
    ("378", "San Marino"),
    ("501", "Belize"),
    ("507", "Panama"),
    ("676", "Tonga"),
    ("679", "Fiji"),
    ("687", "New Caledonia"),
    ("800", "free numbers of no country"),
    ("853", "Macao"),
    ("881", "satellites"),
    ("888", "relief operations"),
    ("974", "Qatar"),
    ("992", "Tajikistan"),
];
/// Here the zero was a part of the numbers of eight digits; the present ones have it within the country only, as a ninth.
const GABON: &str = "241";

/// `+` and both, without the trunk zero of the country.
pub(super) fn joined(prefix: &Value, number: &Value) -> Option<String> {
    let digits = |value: &Value| -> String { value.to_string().chars().filter(char::is_ascii_digit).collect() };
    let (prefix, number) = (digits(prefix), digits(number));
    match (prefix.as_str(), number.as_str()) {
        (_, "") => None,
        ("", number) => Some(number.to_owned()),
        (prefix, number) => Some(format!("+{prefix}{}", without_trunk_zero(prefix, number))),
    }
}

/// Two zeros begin no national number: who wrote them meant something else.
fn without_trunk_zero<'a>(prefix: &str, number: &'a str) -> &'a str {
    let kept = ZERO_KEPT.iter().any(|(country, _)| *country == prefix) || (prefix == GABON && number.len() < 9);
    let rest = number.strip_prefix('0').filter(|rest| !kept && !rest.is_empty() && !rest.starts_with('0'));
    rest.unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trunk_zero_is_left_out_where_the_country_has_one() {
        for (prefix, number, wanted) in [
            (json!(33), "0671485945", "+33671485945"),
            (json!("+33"), "06 71 48 59 45", "+33671485945"),
            (json!(33), "671485945", "+33671485945"),
            (json!(44), "07400 123456", "+447400123456"),
            (json!(49), "030 901820", "+4930901820"),
            (json!(81), "090-1234-5678", "+819012345678"),
            (json!(1), "2025550100", "+12025550100"),
            (json!(241), "060123456", "+24160123456"),
        ] {
            assert_eq!(joined(&prefix, &json!(number)).as_deref(), Some(wanted), "{prefix} {number}");
        }
    }

    #[test]
    fn a_zero_that_belongs_to_the_number_stays() {
        for (prefix, number, wanted) in [
            (39, "06 698 12345", "+390669812345"),
            (39, "312 345 6789", "+393123456789"),
            (378, "0549 886377", "+3780549886377"),
            (225, "07 36 62 58 51", "+2250736625851"),
            (229, "01 22 28 34 59", "+2290122283459"),
            (241, "01 50 00 80", "+24101500080"),
            (242, "06 317 0669", "+242063170669"),
        ] {
            assert_eq!(joined(&json!(prefix), &json!(number)).as_deref(), Some(wanted), "{prefix} {number}");
        }
    }

    #[test]
    fn what_is_no_national_number_is_left_as_it_is() {
        assert_eq!(joined(&json!(33), &json!("0033671485945")).as_deref(), Some("+330033671485945"));
        assert_eq!(joined(&json!(33), &json!("0")).as_deref(), Some("+330"));
        assert_eq!(joined(&json!(null), &json!("0671485945")).as_deref(), Some("0671485945"));
        assert_eq!(joined(&json!(33), &json!("unknown")), None);
    }

    proptest! {
        #[test]
        fn no_digit_is_lost_but_one_zero(prefix in "[1-9][0-9]{0,2}", number in "[0-9]{1,15}") {
            let shown = joined(&json!(prefix), &json!(number)).unwrap();
            let whole = format!("+{prefix}{number}");
            let shorter = number.strip_prefix('0').map(|rest| format!("+{prefix}{rest}"));
            prop_assert!(shown == whole || Some(&shown) == shorter.as_ref(), "{shown}");
        }
    }
}
