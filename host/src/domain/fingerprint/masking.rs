//! Takes out of a text what differs from one conversation to the next, so that one cause has one text.

mod characters;
mod spans;
mod units;
mod vocabulary;

use self::characters::folded;
pub(super) use self::spans::Names;
use self::spans::spans;
use self::units::reduced;

/// So much of a text is looked at, in bytes.
const LOOKED_AT: usize = 64 * 1024;
/// What is taken out may leave more to take out beside it; that ends after two or three rounds.
const ROUNDS: usize = 8;

/// The text without ids, numbers, addresses, dates, values and quoted words; at most 1,024 bytes of it.
pub(super) fn mask(text: &str, names: &Names<'_>) -> String {
    let mut text = round(&text[..text.floor_char_boundary(LOOKED_AT)], names);
    for _ in 1..ROUNDS {
        let again = round(&text, names);
        if again == text {
            break;
        }
        text = again;
    }
    text
}

fn round(text: &str, names: &Names<'_>) -> String {
    let text = folded(text);
    let spans = spans(&text, names);
    reduced(&text, spans)
}
