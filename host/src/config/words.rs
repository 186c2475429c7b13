//! What is said of a configuration that is wrong: in few words, and without the value of any key.

/// The most that is repeated, in characters.
const WORDS: usize = 500;

/// What a parser says, without a value that it repeats: a secret may stand where something else is expected.
pub(super) fn told(message: &str) -> String {
    let is_of_value = message.starts_with("invalid type: ") || message.starts_with("invalid value: ");
    // So do the words of what reads an address or a name.
    if let (Some(from), Some(to)) = (message.find('`'), message.rfind("` must be "))
        && from < to
    {
        return short(&format!("{}{}", &message[..from], &message[to + 2..]));
    }
    let quoted = message.find(['"', '`']).filter(|_| is_of_value);
    let told = match (quoted, message.rfind(", expected ")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", message[..from].trim_end(), &message[to..]),
        _ => message.to_owned(),
    };
    short(&told)
}

/// As much as a person wants to read.
pub(super) fn short(text: &str) -> String {
    text.chars().take(WORDS).collect()
}
