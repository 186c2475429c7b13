//! What holds for every command.

use clap::{Command, CommandFactory};

use super::Cli;

/// Commands without `--json`, each with the reason.
const NO_JSON: [(&str, &str); 3] = [
    ("serve", "it answers nothing: it runs, and its log is for the standard error"),
    ("default-config", "what it prints is a file in TOML"),
    ("completions", "what it prints is a script for a shell"),
];

/// The commands below one, by the words that call them; those that only lead to others are left out.
fn leaves(command: &Command, words: &str) -> Vec<(String, Command)> {
    let below: Vec<_> = command.get_subcommands().collect();
    if below.is_empty() {
        return vec![(words.to_owned(), command.clone())];
    }
    below.into_iter().flat_map(|one| leaves(one, format!("{words} {}", one.get_name()).trim())).collect()
}

#[test]
fn every_command_that_answers_answers_in_json_too() {
    let all = leaves(&Cli::command(), "");
    assert!(all.len() > 50, "{}", all.len());
    let has = |command: &Command| command.get_arguments().any(|argument| argument.get_long() == Some("json"));
    let without: Vec<_> = all.iter().filter(|(_, command)| !has(command)).map(|(words, _)| words.as_str()).collect();
    // What stands in for the demo takes whatever the demo takes.
    let stand_in = (!super::demo::LISTED).then_some("demo");
    let exceptions: Vec<_> = stand_in.into_iter().chain(NO_JSON.map(|(words, _)| words)).collect();
    assert_eq!(without, exceptions);
}
