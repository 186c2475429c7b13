//! The language of a customer's message, guessed from its script, its small words and its accents.
//!
//! A trigram model (the crate whatlang) was tried: it adds 260 KB, an eighth of this plugin, and took 18 of 44 messages
//! as short as customers write them for another language; told which seven languages to expect, 12 of 37.

use rhai::{Array, Dynamic, Engine, EvalAltResult};

use super::{Given, text};

/// Languages of the Latin script: code, letters that few others of this list have, and words that are often used and seldom
/// shared.
const LATIN: [(&str, &str, &[&str]); 10] = [
    (
        "da",
        "æøå",
        &[
            "jeg", "er", "det", "ikke", "og", "af", "til", "min", "mit", "mine", "du", "har", "kan", "hvor", "hvad",
            "hvornår", "hej", "tak", "med", "vil", "på", "en", "et", "den", "der", "som",
        ],
    ),
    (
        "de",
        "äöüß",
        &[
            "ich", "ist", "nicht", "und", "der", "die", "das", "den", "dem", "ein", "eine", "einen", "mein", "meine",
            "meinen", "mir", "mich", "wir", "sie", "bitte", "danke", "hallo", "guten", "tag", "wo", "wann", "wie",
            "habe", "haben", "hat", "kann", "können", "möchte", "von", "mit", "für", "auf", "zu", "im", "wurde", "ja",
            "also", "noch", "nur", "dann", "gern", "es", "was",
        ],
    ),
    (
        "en",
        "",
        &[
            "the", "i", "is", "are", "was", "my", "your", "you", "we", "it", "this", "that", "where", "when", "what",
            "how", "please", "thanks", "thank", "hello", "hi", "hey", "good", "morning", "want", "need", "would",
            "like", "have", "has", "had", "can", "can't", "don't", "i'm", "i've", "not", "to", "of", "and", "for",
            "with", "cancel", "order", "refund", "no", "do", "if", "but", "just", "they", "from", "on", "at", "or",
            "so", "got", "there",
        ],
    ),
    (
        "es",
        "ñ¿¡áíóú",
        &[
            "el", "los", "las", "una", "es", "está", "mi", "mis", "mío", "que", "qué", "de", "del", "no", "y", "por",
            "para", "con", "me", "se", "lo", "hola", "gracias", "buenos", "días", "quiero", "quisiera", "necesito",
            "tengo", "he", "dónde", "cuándo", "cómo", "donde", "cuando", "como", "favor", "sí", "pues", "muy", "si",
            "puedo", "su",
        ],
    ),
    (
        "fr",
        "éèêëàâçîïôœùû",
        &[
            "le", "la", "les", "un", "une", "de", "des", "du", "est", "et", "je", "j'ai", "j", "mon", "ma", "mes",
            "me", "ne", "n'est", "pas", "que", "qui", "où", "quand", "comment", "bonjour", "bonsoir", "salut", "merci",
            "vous", "nous", "avec", "pour", "dans", "sur", "veux", "voudrais", "oui", "au", "ce", "d", "il", "été",
            "s'il", "svp", "c'est",
        ],
    ),
    (
        "it",
        "àèìòù",
        &[
            "il",
            "lo",
            "gli",
            "una",
            "è",
            "e",
            "di",
            "del",
            "della",
            "che",
            "non",
            "ho",
            "mi",
            "mio",
            "mia",
            "miei",
            "per",
            "con",
            "ciao",
            "buongiorno",
            "buonasera",
            "grazie",
            "vorrei",
            "voglio",
            "dove",
            "dov'è",
            "quando",
            "come",
            "sono",
            "posso",
            "prego",
            "un",
            "perso",
        ],
    ),
    (
        "nl",
        "ëï",
        &[
            "ik",
            "is",
            "het",
            "een",
            "de",
            "en",
            "van",
            "niet",
            "mijn",
            "je",
            "u",
            "jullie",
            "we",
            "wil",
            "kan",
            "kunt",
            "heb",
            "heeft",
            "ben",
            "bij",
            "met",
            "voor",
            "aan",
            "op",
            "waar",
            "wanneer",
            "hoe",
            "wat",
            "hallo",
            "goedemorgen",
            "goedemiddag",
            "dag",
            "bedankt",
            "dank",
            "graag",
        ],
    ),
    (
        "pl",
        "ąćęłńśźż",
        &[
            "nie",
            "jest",
            "się",
            "na",
            "w",
            "z",
            "do",
            "i",
            "moje",
            "mój",
            "moja",
            "jak",
            "gdzie",
            "kiedy",
            "czy",
            "proszę",
            "dziękuję",
            "dzień",
            "dobry",
            "cześć",
            "chcę",
            "mam",
        ],
    ),
    (
        "pt",
        "ãõâêôáéíóúç",
        &[
            "o", "os", "a", "as", "um", "uma", "é", "está", "de", "do", "da", "que", "não", "meu", "minha", "e", "eu",
            "para", "com", "por", "olá", "oi", "bom", "dia", "obrigado", "obrigada", "quero", "queria", "preciso",
            "onde", "quando", "como", "você", "no", "na", "perdi",
        ],
    ),
    (
        "sv",
        "åäö",
        &[
            "jag", "är", "det", "inte", "och", "att", "en", "ett", "min", "mitt", "mina", "du", "har", "kan", "var",
            "vad", "när", "hej", "tack", "med", "vill", "på", "för", "av", "den", "som",
        ],
    ),
];

/// Languages that are known by their script alone; a script of several gives the one that most customers write.
const BY_SCRIPT: [(&str, &[(char, char)]); 9] = [
    ("ar", &[('\u{600}', '\u{6FF}'), ('\u{750}', '\u{77F}')]),
    ("el", &[('\u{370}', '\u{3FF}'), ('\u{1F00}', '\u{1FFF}')]),
    ("he", &[('\u{590}', '\u{5FF}')]),
    ("hi", &[('\u{900}', '\u{97F}')]),
    ("ja", &[('\u{3040}', '\u{30FF}'), ('\u{FF66}', '\u{FF9D}')]),
    ("ko", &[('\u{1100}', '\u{11FF}'), ('\u{AC00}', '\u{D7AF}')]),
    ("ru", &[('\u{400}', '\u{4FF}')]),
    ("th", &[('\u{E00}', '\u{E7F}')]),
    ("zh", &[('\u{3400}', '\u{4DBF}'), ('\u{4E00}', '\u{9FFF}'), ('\u{20000}', '\u{3FFFF}')]),
];

/// A word tells more than a letter.
const WORD: usize = 3;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("language", |of: Dynamic| guess(&of, |_| true)).register_fn(
        "language",
        |of: Dynamic, among: Array| {
            let among = among.into_iter().map(known).collect::<Given<Vec<_>>>()?;
            guess(&of, |code| among.contains(&code))
        },
    );
}

/// The likeliest language of those that may be it; nothing where none is likelier than the others.
fn guess(of: &Dynamic, may_be: impl Fn(&str) -> bool) -> Given<Dynamic> {
    let Some(text) = text(of, "language")? else { return Ok(Dynamic::UNIT) };
    let text = text.to_lowercase();
    // The scripts that are told apart are all outside ASCII.
    let code = if text.is_ascii() { None } else { by_script(&text, &may_be) };
    let code = code.or_else(|| by_words(&text, &may_be));
    Ok(code.map_or(Dynamic::UNIT, Into::into))
}

/// By the most letters of a script; Japanese mixes Chinese characters with its own, which then decide.
fn by_script(text: &str, may_be: impl Fn(&str) -> bool) -> Option<&'static str> {
    let letters = |ranges: &[(char, char)]| {
        text.chars().filter(|c| ranges.iter().any(|(from, until)| (from..=until).contains(&c))).count()
    };
    let is_japanese = may_be("ja") && BY_SCRIPT.iter().any(|(code, ranges)| *code == "ja" && letters(ranges) > 0);
    let latin = text.chars().filter(|c| c.is_alphabetic() && *c < '\u{250}').count();
    let scripts = BY_SCRIPT.iter().filter(|(code, _)| may_be(code) && !(*code == "zh" && is_japanese));
    let most = scripts.map(|(code, ranges)| (letters(ranges), *code)).max()?;
    // One Chinese character says as much as a word of Latin letters.
    (most.0 > 0 && most.0 * 2 >= latin).then_some(most.1)
}

fn by_words(text: &str, may_be: impl Fn(&str) -> bool) -> Option<&'static str> {
    let text = text.replace('’', "'");
    let words: Vec<_> =
        text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
    let score = |letters: &str, known: &[&str]| {
        // An elided article stands before an apostrophe: j'ai, dov'è, l'ordine.
        let has_part = |word: &str| word.contains('\'') && word.split('\'').any(|part| known.contains(&part));
        let is_known = |word: &&&str| known.contains(*word) || has_part(word);
        let accents = letters.chars().filter(|letter| text.contains(*letter)).count();
        words.iter().filter(is_known).count() * WORD + accents
    };
    let scored = LATIN.iter().filter(|(code, ..)| may_be(code));
    let mut scored: Vec<_> = scored.map(|(code, letters, known)| (score(letters, known), *code)).collect();
    scored.sort_unstable_by(|one, other| other.cmp(one));
    match scored[..] {
        [(0, _), ..] | [] => None,
        [(first, _), (second, _), ..] if first == second => None,
        [(_, code), ..] => Some(code),
    }
}

fn known(code: Dynamic) -> Given<&'static str> {
    let given = code.to_string();
    codes().find(|known| *known == given).ok_or_else(|| unknown(&given))
}

fn codes() -> impl Iterator<Item = &'static str> {
    LATIN.iter().map(|(code, ..)| *code).chain(BY_SCRIPT.iter().map(|(code, _)| *code))
}

fn unknown(code: &str) -> Box<EvalAltResult> {
    let known: Vec<_> = codes().collect();
    format!("language() knows no language {code:?}; it knows {}", known.join(", ")).into()
}

#[cfg(test)]
mod tests;
