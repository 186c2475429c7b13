//! What scripts find ready beside Rhai's own functions, a file for each kind.

mod hours;
mod languages;
mod patterns;
mod phones;
mod tables;
mod zones;

use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString};

use crate::bindings::switchyard::policy::log::Level;
use crate::outside::Outside;

/// What a helper gives to the script: a value, or an error that stops it at the call.
type Given<T> = Result<T, Box<EvalAltResult>>;

/// Gives scripts the helpers.
pub(crate) fn register(engine: &mut Engine, outside: Outside) {
    tables::register(engine);
    patterns::register(engine);
    hours::register(engine, outside.now);
    phones::register(engine);
    languages::register(engine);
    words_for_the_operator(engine, outside);
}

/// Gives them the clock, which they did not have while the policy was configured.
pub(crate) fn set_clock(engine: &mut Engine, outside: Outside) {
    hours::register(engine, outside.now);
}

/// Whether a value can be wrong in this place of a function's arguments.
pub(crate) fn looks_at(function: &str, place: usize) -> bool {
    matches!((function, place), ("within_hours", 0 | 1) | ("local_time" | "pattern", 0) | ("matches" | "find_match", 1))
}

/// What is wrong with a value that a function would be given there; nothing where it is of another type, which only the
/// running script knows to be one that it is given.
pub(crate) fn wrong_value(function: &str, place: usize, value: &Dynamic) -> Option<String> {
    let text = value.clone().into_immutable_string();
    let wrong = match (function, place, text) {
        ("within_hours", 0, _) => hours::check(&*value.as_map_ref().ok()?).err(),
        ("within_hours" | "local_time", _, Ok(zone)) => zones::local_minutes(&zone, 0).err(),
        ("pattern" | "matches" | "find_match", _, Ok(pattern)) => patterns::check(&pattern).err(),
        _ => None,
    };
    wrong.map(|mut wrong| {
        wrong.clear_position();
        match *wrong {
            EvalAltResult::ErrorRuntime(words, _) => words.to_string(),
            other => other.to_string(),
        }
    })
}

fn words_for_the_operator(engine: &mut Engine, Outside { log, explain, .. }: Outside) {
    engine
        .register_fn("explain", move |rule: Dynamic| explain(&rule.to_string()))
        .register_fn("log_info", move |words: Dynamic| log(Level::Info, &words.to_string()))
        .register_fn("log_warn", move |words: Dynamic| log(Level::Warn, &words.to_string()));
    engine.on_print(move |words| log(Level::Info, words));
    engine.on_debug(move |words, _, at| log(Level::Debug, &format!("{words} ({at})")));
}

/// The text, or nothing where the script has `()`, as most fields of a conversation may be.
fn text(of: &Dynamic, function: &str) -> Given<Option<ImmutableString>> {
    if of.is_unit() {
        return Ok(None);
    }
    match of.clone().into_immutable_string() {
        Ok(text) => Ok(Some(text)),
        Err(other) => Err(format!("{function}() takes text, not {other}").into()),
    }
}

/// An engine with the helpers alone, as the tests of each file use it.
#[cfg(test)]
mod testing {
    use super::*;

    /// What the expression gives, as text; an error as its words. The clock stands at 2026-01-05 09:30 UTC, a Monday.
    pub(super) fn shown(expression: &str) -> String {
        let mut engine = Engine::new();
        let outside = Outside { log: |_, _| (), explain: |_| (), now: Some(|| 1_767_605_400_000) };
        register(&mut engine, outside);
        match engine.eval::<Dynamic>(expression) {
            Ok(value) if value.is_unit() => "()".into(),
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Each expression gives what stands beside it; an error has to begin with it.
    pub(super) fn check(cases: &[(&str, &str)]) {
        for (expression, expected) in cases {
            let given = shown(expression);
            let same = match expected.strip_suffix("...") {
                Some(start) => given.starts_with(start),
                None => given == *expected,
            };
            assert!(same, "{expression}\n gives {given}\n and not {expected}");
        }
    }
}
