//! Texts as a search compares them: whoever types neither capitals nor accents finds them all the same.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// A text in lower case and without the accents of Latin, Greek and Cyrillic letters.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let is_accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize(&text.to_lowercase()).into_owned();
    let plain: String = apart.chars().filter(|c| !is_accent(c)).collect();
    // What is no accent is put together again, such as the syllables of Korean.
    ComposingNormalizerBorrowed::new_nfc().normalize(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_case_nor_accents_count_and_other_scripts_stay_as_they_are() {
        for (text, wanted) in [
            ("Zoë BRÛLÉ", "zoe brule"),
            ("Nguyễn", "nguyen"),
            ("Zoe\u{308}", "zoe"),
            ("İstanbul", "istanbul"),
            ("Ёлкина", "елкина"),
            ("한국", "한국"),
            ("客户 محمد ガ", "客户 محمد ガ"),
        ] {
            assert_eq!(folded(text), wanted);
        }
    }
}
