//! Finds whole words in what customers write, in any language and whatever the case.

/// Where `word` (a word or a phrase) first stands in `text` as a whole word, in bytes of the lower-cased text.
///
/// Upper and lower case are the same. A word ends where letters and digits end; languages that put no spaces between
/// words (Chinese, Japanese, Thai, ...) have no such end, so there any occurrence counts.
pub fn position(text: &str, word: &str) -> Option<usize> {
    position_lowered(&text.to_lowercase(), word.trim())
}

/// True when one of `words` stands in `text`, as [`position`] finds it.
pub fn contains_any<'a>(text: &str, mut words: impl Iterator<Item = &'a str>) -> bool {
    let text = text.to_lowercase();
    words.any(|word| position_lowered(&text, word.trim()).is_some())
}

/// The one of `words` that stands first in `text`; of two in one place, the longer.
pub fn first<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase();
    let found = words.filter_map(|word| {
        let at = position_lowered(&text, word.trim())?;
        Some((at, std::cmp::Reverse(word.len()), word))
    });
    found.min().map(|(_, _, word)| word)
}

fn position_lowered(text: &str, word: &str) -> Option<usize> {
    let word = word.to_lowercase();
    let (first, last) = (word.chars().next()?, word.chars().next_back()?);
    text.match_indices(&word).map(|(at, _)| at).find(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !(before.is_some_and(|before| joined(before, first)) || after.is_some_and(|after| joined(last, after)))
    })
}

/// True when two neighbouring characters belong to one word.
fn joined(left: char, right: char) -> bool {
    let in_word = |c: char| c.is_alphanumeric() && !is_spaceless(c);
    in_word(left) && in_word(right)
}

/// True for scripts that are written without spaces between words.
fn is_spaceless(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' // Burmese, Khmer
        | '\u{2E80}'..='\u{9FFF}' // Chinese characters, kana
        | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9D}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whole_and_whatever_its_case() {
        for (text, word, found) in [
            ("I want a REFUND now", "refund", true),
            ("refund", "Refund", true),
            ("my refunds", "refund", false),
            ("prerefund", "refund", false),
            ("where's my money back?", "money back", true),
            ("prerefund, then a refund", "refund", true),
            ("Où est mon REMBOURSÉ ?", "remboursé", true),
            ("remboursée", "remboursé", false),
            ("カードを紛失しました", "紛失", true),
            ("カードを紛失しました", "カード", true),
            ("", "refund", false),
            ("anything", "", false),
            ("anything", "  ", false),
        ] {
            assert_eq!(position(text, word).is_some(), found, "{word:?} in {text:?}");
        }
    }

    #[test]
    fn the_first_whole_occurrence_gives_the_position() {
        assert_eq!(position("cards: lost card", "card"), Some(12));
    }

    #[test]
    fn the_word_that_stands_first_is_found_and_of_two_in_one_place_the_longer() {
        let words = ["card", "lost card", "lost"];
        assert_eq!(first("My Lost Card", words.into_iter()), Some("lost card"));
        assert_eq!(first("a card that I lost", words.into_iter()), Some("card"));
        assert_eq!(first("cards", words.into_iter()), None);
    }

    #[test]
    fn one_word_of_many_is_enough() {
        assert!(contains_any("Danke!", ["merci", "danke"].into_iter()));
        assert!(!contains_any("Danke!", ["merci", "gracias"].into_iter()));
        assert!(!contains_any("Danke!", std::iter::empty()));
    }
}
