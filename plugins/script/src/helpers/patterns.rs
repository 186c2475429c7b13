//! Patterns: regular expressions without look-around, and tables of rules that are tried from the top.

use std::rc::Rc;

use regex_lite::{Regex, RegexBuilder};
use rhai::{Array, Dynamic, Engine, EvalAltResult, Map};

use super::tables::has_any_word;
use super::{Given, text};

/// A compiled pattern may not be larger; a thousand alternatives fit.
const MAX_BYTES: usize = 256 * 1024;

/// A compiled pattern.
#[derive(Clone)]
struct Pattern(Rc<Regex>);

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Pattern>("pattern")
        .register_fn("pattern", Pattern::new)
        .register_fn("patterns", compile_all)
        .register_fn("matches", |of: Dynamic, pattern: Pattern| matches(&of, &pattern))
        .register_fn("matches", |of: Dynamic, pattern: &str| matches(&of, &Pattern::new(pattern)?))
        .register_fn("find_match", |of: Dynamic, pattern: Pattern| find(&of, &pattern))
        .register_fn("find_match", |of: Dynamic, pattern: &str| find(&of, &Pattern::new(pattern)?))
        .register_fn("first_match", |rules: &mut Array, of: Dynamic| first_match(rules, &of))
        // A policy need not have rules.
        .register_fn("first_match", |_: (), _: Dynamic| ());
}

/// Whether this is a pattern.
pub(super) fn check(source: &str) -> Given<()> {
    Pattern::new(source).map(drop)
}

impl Pattern {
    fn new(source: &str) -> Given<Self> {
        let built = RegexBuilder::new(source).case_insensitive(true).size_limit(MAX_BYTES).build();
        match built {
            Ok(regex) => Ok(Self(Rc::new(regex))),
            Err(error) => Err(format!("`{source}` is not a pattern: {error}").into()),
        }
    }

    /// The crate folds the case of a to z alone, so a text is looked at in lower case too.
    fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text) || (!text.is_ascii() && self.0.is_match(&text.to_lowercase()))
    }
}

fn matches(of: &Dynamic, pattern: &Pattern) -> Given<bool> {
    Ok(text(of, "matches")?.is_some_and(|text| pattern.is_in(&text)))
}

/// What the first group of the pattern stands for, or the whole of it where it has no group.
fn find(of: &Dynamic, pattern: &Pattern) -> Given<Dynamic> {
    let Some(text) = text(of, "find_match")? else { return Ok(Dynamic::UNIT) };
    let found = pattern.0.captures(&text).and_then(|found| if found.len() > 1 { found.get(1) } else { found.get(0) });
    Ok(found.map_or(Dynamic::UNIT, |found| found.as_str().into()))
}

/// The same rules with their patterns compiled.
fn compile_all(rules: Array) -> Given<Array> {
    let compiled = rules.into_iter().enumerate().map(|(at, rule)| {
        let mut rule = map(&rule, at)?.clone();
        // A rule that cannot be tried is found here, and not by the first customer that it is for.
        is_for(&rule, "", at)?;
        if let Some(pattern) = rule.get_mut("pattern").filter(|pattern| pattern.is_string()) {
            *pattern = Dynamic::from(Pattern::new(&pattern.to_string())?);
        }
        Ok(rule.into())
    });
    compiled.collect()
}

/// The first rule that is for the text.
fn first_match(rules: &Array, of: &Dynamic) -> Given<Dynamic> {
    let Some(text) = text(of, "first_match")? else { return Ok(Dynamic::UNIT) };
    for (at, rule) in rules.iter().enumerate() {
        let rule = map(rule, at)?;
        if is_for(&rule, &text, at)? {
            return Ok(rule.clone().into());
        }
    }
    Ok(Dynamic::UNIT)
}

/// A rule is for texts in which its pattern is found, or one of its words.
fn is_for(rule: &Map, text: &str, at: usize) -> Given<bool> {
    if let Some(pattern) = rule.get("pattern") {
        if let Some(compiled) = pattern.read_lock::<Pattern>() {
            return Ok(compiled.is_in(text));
        }
        let source = pattern.as_immutable_string_ref().map_err(|it| wrong(at, &format!("its pattern is {it}")))?;
        return Ok(Pattern::new(&source)?.is_in(text));
    }
    match rule.get("words").map(|words| words.as_array_ref()) {
        Some(Ok(words)) => Ok(has_any_word(text, words.clone())),
        Some(Err(it)) => Err(wrong(at, &format!("its words are {it}"))),
        None => Err(wrong(at, "it has neither `pattern` nor `words`")),
    }
}

fn map(rule: &Dynamic, at: usize) -> Given<impl std::ops::Deref<Target = Map>> {
    rule.as_map_ref().map_err(|it| wrong(at, &format!("it is {it}")))
}

fn wrong(at: usize, words: &str) -> Box<EvalAltResult> {
    format!("rule {} cannot be tried: {words}", at + 1).into()
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn a_pattern_is_found_anywhere_and_in_any_case() {
        check(&[
            (r"matches(`My order FR-20391 is late`, `\bfr-\d{5}\b`)", "true"),
            (r"matches(`My order FR-2039 is late`, `\bfr-\d{5}\b`)", "false"),
            ("matches(`RÉCLAMATION`, `réclam`)", "true"),
            ("matches(`Réclamation`, `^R.clam`)", "true"),
            ("matches((), `x`)", "false"),
            ("matches(`x`, pattern(`X`))", "true"),
            ("matches(3, `x`)", "Runtime error: matches() takes text, not i64..."),
            ("matches(`x`, `(`)", "Runtime error: `(` is not a pattern: ..."),
            ("pattern(`x{1000}{1000}`)", "Runtime error: `x{1000}{1000}` is not a pattern: ..."),
        ]);
    }

    #[test]
    fn a_match_gives_its_first_group_as_it_was_written() {
        check(&[
            (r"find_match(`order fr-20391, please`, `([A-Z]{2}-\d+)`)", "fr-20391"),
            (r"find_match(`order fr-20391, please`, `order ([A-Z]+)-(\d+)`)", "fr"),
            (r"find_match(`order fr-20391, please`, `\d+`)", "20391"),
            (r"find_match(`order`, `\d+`)", "()"),
            (r"find_match(`order`, `(\d+)|order`)", "()"),
            (r"find_match((), pattern(`\d+`))", "()"),
        ]);
    }

    #[test]
    fn rules_are_tried_from_the_top() {
        const RULES: &str = r##"let rules = [
            #{pattern: `\brefund|money back\b`, queue: "Returns"},
            #{words: ["card", "carte"], queue: "Cards"},
            #{pattern: `.`, queue: "Rest"},
        ];"##;
        for rules in [RULES.to_owned(), format!("{RULES} rules = patterns(rules);")] {
            for (text, queue) in
                [("A Refund for my card", "Returns"), ("ma CARTE", "Cards"), ("cards", "Rest"), ("", "nothing")]
            {
                let script = format!("{rules} first_match(rules, `{text}`)?.queue ?? `nothing`");
                check(&[(&script, queue)]);
            }
        }
        check(&[("first_match((), `x`)", "()"), ("first_match([], `x`)", "()"), ("first_match([], ())", "()")]);
    }

    #[test]
    fn a_rule_that_cannot_be_tried_is_named() {
        check(&[
            ("first_match([#{pattern: `x`}, 3], `y`)", "Runtime error: rule 2 cannot be tried: it is i64..."),
            ("patterns([#{pattern: 3}])", "Runtime error: rule 1 cannot be tried: its pattern is i64..."),
            ("patterns([#{words: `x`}])", "Runtime error: rule 1 cannot be tried: its words are string..."),
            ("patterns([#{queue: `x`}])", "Runtime error: rule 1 cannot be tried: it has neither `pattern` nor..."),
            ("patterns([#{pattern: `(`}])", "Runtime error: `(` is not a pattern: ..."),
        ]);
    }
}
