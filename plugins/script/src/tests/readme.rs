//! What the README says is so.

use super::*;
use crate::bindings::switchyard::policy::types::Destination;

const README: &str = include_str!("../../README.md");

/// What stands in the blocks of this language.
fn blocks(language: &'static str) -> impl Iterator<Item = &'static str> {
    README.split("```").skip(1).step_by(2).filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

/// The settings that the examples have.
fn settings() -> serde_json::Value {
    let block = blocks("toml").find(|block| block.contains("[settings.hours]")).unwrap();
    let table: toml::Table = block.parse().unwrap();
    serde_json::to_value(&table["settings"]).unwrap()
}

#[test]
fn every_script_of_it_is_accepted() {
    assert_eq!(blocks("rhai").map(|source| configure(&settings(), source).map(drop).unwrap()).count(), 3);
}

#[test]
fn every_example_gives_what_it_says() {
    let code = |cell: &'static str| {
        let cell = cell.trim();
        cell.strip_prefix("``").and_then(|it| it.strip_suffix("``")).unwrap_or_else(|| cell.trim_matches('`'))
    };
    let mut examples = 0;
    for line in README.lines() {
        let cells: Vec<_> = line.split('|').collect();
        let [_, _, example, gives, _] = cells[..] else { continue };
        if !example.contains('(') {
            continue;
        }
        let (example, gives) = (code(example), code(gives));
        let source = format!("fn route(it) {{ queue(`${{[{example}]}} ${{[{gives}]}}`) }}");
        let answer = configure(&settings(), &source).unwrap().route(conversation());
        let Ok(Destination::Queue(both)) = answer else { panic!("{example}: {answer:?}") };
        assert_eq!(both[..both.len() / 2], both[both.len() / 2 + 1..], "{example}");
        examples += 1;
    }
    assert!(examples >= 20, "{examples}");
}
