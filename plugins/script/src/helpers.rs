//! What scripts find ready beside Rhai's own functions: whole words, phone numbers, and words for the operator.

use rhai::{Array, Dynamic, Engine};

use crate::bindings::switchyard::policy::log::Level;

/// Where a script's words for the operator go.
pub(crate) type Log = fn(Level, &str);

/// Gives scripts the helpers.
pub(crate) fn register(engine: &mut Engine, log: Log) {
    engine
        .register_fn("has_any_word", has_any_word)
        .register_fn("normal_phone", |number: &str| normal_phone(number).map_or(Dynamic::UNIT, Dynamic::from))
        .register_fn("normal_phone", |_: ()| ())
        .register_fn("log_info", move |words: Dynamic| log(Level::Info, &words.to_string()))
        .register_fn("log_warn", move |words: Dynamic| log(Level::Warn, &words.to_string()));
    engine.on_print(move |words| log(Level::Info, words));
    engine.on_debug(move |words, _, at| log(Level::Debug, &format!("{words} ({at})")));
}

fn has_any_word(text: &str, words: Array) -> bool {
    let words: Vec<_> = words.into_iter().filter_map(|word| word.into_immutable_string().ok()).collect();
    switchyard_words::contains_any(text, words.iter().map(|word| word.as_str()))
}

/// The digits alone, with a leading `+` where the number was written with one or with 00; nothing where there is no digit.
/// A trunk zero in brackets, as in +44 (0)20, is left out. No country is added: the script knows which one, if any.
fn normal_phone(number: &str) -> Option<String> {
    let number = number.trim().replace("(0)", "");
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return None;
    }
    if number.starts_with('+') {
        return Some(format!("+{digits}"));
    }
    Some(match digits.strip_prefix("00") {
        Some(international) => format!("+{international}"),
        None => digits,
    })
}

#[cfg(test)]
mod tests {
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
            assert_eq!(normal_phone(number).as_deref(), normal, "{number:?}");
        }
    }
}
