//! Tables and words: a value by its key, and the words of a list that stand in a text.

use rhai::{Array, Dynamic, Engine, ImmutableString, Map};

use super::{Given, text};

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("lookup", |table: &mut Map, key: Dynamic| lookup(table, &key, Dynamic::UNIT))
        .register_fn("lookup", |table: &mut Map, key: Dynamic, default: Dynamic| lookup(table, &key, default))
        // A policy need not have the table.
        .register_fn("lookup", |_: (), _: Dynamic| ())
        .register_fn("lookup", |_: (), _: Dynamic, default: Dynamic| default);
    engine
        .register_fn("has_any_word", |of: Dynamic, words: Array| {
            let Some(of) = text(&of, "has_any_word")? else { return Ok(false) };
            Given::Ok(has_any_word(&of, words))
        })
        .register_fn("first_word", |of: Dynamic, words: Array| first_word(&of, words))
        .register_fn("first_word", |of: Dynamic, table: Map| {
            first_word(&of, table.into_keys().map(|key| ImmutableString::from(key).into()).collect())
        });
}

/// The key as it is; else the one that differs in case and blanks around it only.
fn lookup(table: &Map, key: &Dynamic, default: Dynamic) -> Given<Dynamic> {
    let Some(key) = text(key, "lookup")? else { return Ok(default) };
    if let Some(value) = table.get(key.as_str()) {
        return Ok(value.clone());
    }
    let wanted = key.trim().to_lowercase();
    let alike = table.iter().find(|(name, _)| name.trim().to_lowercase() == wanted);
    Ok(alike.map_or(default, |(_, value)| value.clone()))
}

fn strings(words: Array) -> Vec<ImmutableString> {
    words.into_iter().filter_map(|word| word.into_immutable_string().ok()).collect()
}

pub(super) fn has_any_word(text: &str, words: Array) -> bool {
    switchyard_words::contains_any(text, strings(words).iter().map(|word| word.as_str()))
}

/// The word that stands first in the text; of two in one place, the longer.
fn first_word(of: &Dynamic, words: Array) -> Given<Dynamic> {
    let Some(of) = text(of, "first_word")? else { return Ok(Dynamic::UNIT) };
    let words = strings(words);
    let found = switchyard_words::first(&of, words.iter().map(|word| word.as_str()));
    Ok(found.map_or(Dynamic::UNIT, |word| word.into()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn a_key_is_looked_up_as_it_is_then_without_case_and_blanks() {
        check(&[
            (r##"lookup(#{"Orders": 1, "orders": 2}, "orders", 9)"##, "2"),
            (r##"lookup(#{"Orders": 1}, " ORDERS ", 9)"##, "1"),
            (r##"lookup(#{" Réclamations": 1}, "RÉCLAMATIONS", 9)"##, "1"),
            (r##"lookup(#{"Orders": 1}, "order", 9)"##, "9"),
            (r##"lookup(#{"Orders": 1}, "order")"##, "()"),
            (r##"lookup(#{"Orders": 1}, (), 9)"##, "9"),
            (r##"lookup((), "orders", 9)"##, "9"),
            (r##"lookup((), "orders")"##, "()"),
            (r##"lookup(#{"Orders": 1}, 3, 9)"##, "Runtime error: lookup() takes text, not i64..."),
            (r##"let table = #{"Orders": #{queue: "Q"}}; table.lookup("orders").queue"##, "Q"),
        ]);
    }

    #[test]
    fn words_are_found_whole_and_the_first_of_them_is_named() {
        check(&[
            (r#"has_any_word("My REFUND?", ["fund", "refund"])"#, "true"),
            (r#"has_any_word("My REFUND?", ["fund"])"#, "false"),
            (r#"has_any_word((), ["fund"])"#, "false"),
            (r#"first_word("my card, no: my lost card!", ["lost card", "card"])"#, "card"),
            (r#"first_word("My Lost Card", ["card", "lost", "lost card"])"#, "lost card"),
            (r##"first_word("a mortgage", #{"card": 1, "mortgage": 2})"##, "mortgage"),
            (r#"first_word("a mortgage", ["loan"])"#, "()"),
            (r#"first_word((), ["loan"])"#, "()"),
        ]);
    }
}
