//! The functions and fields that there are, and which of them was meant by a name that is none.

use std::collections::{BTreeMap, BTreeSet};

use rhai::Engine;

use super::bodies::Body;
use crate::records::Record;

/// The questions of the interface.
const QUESTIONS: [&str; 4] = ["route", "search", "choose", "judge"];
/// Functions that are part of the language, and take what they take.
const OF_THE_LANGUAGE: [&str; 10] =
    ["call", "curry", "debug", "eval", "Fn", "is_def_fn", "is_def_var", "is_shared", "print", "type_of"];
/// A name that differs by more is another one.
const FAR: usize = 2;

/// What a script can call and read.
pub(super) struct Names {
    /// How many each function of the host takes; what stands before the dot is the first.
    of_host: BTreeMap<String, BTreeSet<usize>>,
    /// The same for the script's own functions, to which what stands before the dot is `this`.
    of_script: BTreeMap<String, BTreeSet<usize>>,
    fields: BTreeMap<Record, BTreeSet<String>>,
}

impl Names {
    pub(super) fn new(engine: &Engine, bodies: &[Body]) -> Self {
        let all = engine.collect_fn_metadata(
            None,
            |of| {
                let of = of.metadata;
                Some((of.name.to_string(), of.num_params, of.param_types.first().copied()))
            },
            true,
        );
        let mut names = Self { of_host: BTreeMap::new(), of_script: BTreeMap::new(), fields: BTreeMap::new() };
        for (name, takes, of) in all {
            match (name.strip_prefix("get$"), of.and_then(Record::of)) {
                (Some(field), Some(record)) => drop(names.fields.entry(record).or_default().insert(field.to_owned())),
                (Some(_), None) => {}
                _ => drop(names.of_host.entry(name).or_default().insert(takes)),
            }
        }
        for body in bodies {
            if let Some(name) = &body.name {
                names.of_script.entry(name.to_string()).or_default().insert(body.params.len());
            }
        }
        names
    }

    /// Whether the script has a function of its own by this name.
    pub(super) fn is_of_script(&self, function: &str) -> bool {
        self.of_script.contains_key(function)
    }

    /// Nothing where a call of a function with so many arguments can be made, else what is wrong with it. Behind a dot
    /// the one before it is not counted.
    pub(super) fn wrong_call(&self, function: &str, args: usize, behind_dot: bool) -> Option<String> {
        let has =
            |of: &BTreeMap<String, BTreeSet<usize>>, args| of.get(function).is_some_and(|takes| takes.contains(&args));
        let before = usize::from(behind_dot);
        if OF_THE_LANGUAGE.contains(&function) || has(&self.of_script, args) || has(&self.of_host, args + before) {
            return None;
        }
        let of_host = self.of_host.get(function).into_iter().flatten().filter_map(|takes| takes.checked_sub(before));
        let takes: BTreeSet<_> = of_host.chain(self.of_script.get(function).into_iter().flatten().copied()).collect();
        if takes.is_empty() {
            let known = self.of_host.keys().chain(self.of_script.keys()).map(String::as_str);
            return Some(format!("there is no function {function}{}", meant(function, known)));
        }
        let takes: Vec<_> = takes.iter().map(ToString::to_string).collect();
        let plural = if takes == ["1"] { "" } else { "s" };
        Some(format!("{function} takes {} argument{plural}, not {args}", takes.join(" or ")))
    }

    /// Nothing where the record has this field, else what is wrong with it.
    pub(super) fn wrong_field(&self, record: Record, field: &str) -> Option<String> {
        let fields = self.fields.get(&record)?;
        let meant = || meant(field, fields.iter().map(String::as_str));
        (!fields.contains(field)).then(|| format!("a {} has no field {field}{}", record.name(), meant()))
    }
}

/// The question that a function's name was meant to be, where it is none itself.
pub(super) fn near_question(function: &str) -> Option<&'static str> {
    let near = |question: &&str| distance(&function.to_lowercase(), question) <= 1;
    QUESTIONS.into_iter().find(near).filter(|_| !QUESTIONS.contains(&function))
}

/// The nearest of the names that are there, as words behind the one that is not.
fn meant<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let is_name = |known: &&str| known.starts_with(|first: char| first.is_ascii_alphabetic()) && !known.contains('$');
    let far = FAR.min(name.chars().count() / 2);
    let near = known.filter(is_name).map(|known| (distance(name, known), known)).filter(|(away, _)| *away <= far);
    near.min().map(|(_, known)| format!("; is it {known}?")).unwrap_or_default()
}

/// How many letters are to be put in, left out or exchanged, or to change places with the next.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > FAR {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (at, letter) in one.iter().enumerate() {
        let above = &rows[at];
        let mut row = vec![at + 1];
        for (of_other, own) in other.iter().enumerate() {
            let same = usize::from(letter != own);
            let mut least = (above[of_other] + same).min(above[of_other + 1] + 1).min(row[of_other] + 1);
            if at > 0 && of_other > 0 && one[at - 1] == *own && *letter == other[of_other - 1] {
                least = least.min(rows[at - 1][of_other - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_by_its_letters() {
        for (one, other, away) in [
            ("route", "route", 0),
            ("rout", "route", 1),
            ("serach", "search", 1),
            ("emial", "email", 1),
            ("queu", "queue", 1),
            ("nome", "none", 1),
            ("abc", "xyz", 3),
            ("a", "abcdef", usize::MAX),
        ] {
            assert_eq!(distance(one, other), away, "{one} {other}");
        }
        assert_eq!(near_question("Search"), Some("search"));
        assert_eq!(near_question("search"), None);
        assert_eq!(near_question("of_route"), None);
        assert_eq!(meant("x", ["y"].into_iter()), "");
    }
}
