//! In which lines two texts of a policy differ.

use std::collections::BTreeSet;
use std::time::Duration;

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

use super::super::parts::format::counted;
use super::listing::numbered;
use crate::domain::PolicyName;
use crate::http::api::PolicyTexts;

/// Lines around a change.
const AROUND: usize = 3;
/// The most lines of one file that are shown.
const LINES: usize = 400;
/// What the search for the shortest difference may take; a longer one is as true.
const TIME: Duration = Duration::from_millis(50);

/// A line of a difference.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    tag: ChangeTag,
    /// In the new text, or in the old one where it is there alone; counted from 1.
    number: usize,
    text: String,
}

/// Shows the files in which texts differ from those before.
pub(super) fn difference(name: &PolicyName, before: &PolicyTexts, after: &PolicyTexts) -> Markup {
    let none = String::new();
    let scripts: BTreeSet<_> = before.scripts.keys().chain(after.scripts.keys()).collect();
    let of = |texts: &PolicyTexts, file: &str| texts.scripts.get(file).unwrap_or(&none).clone();
    let files = std::iter::once((format!("{name}.toml"), before.toml.clone(), after.toml.clone()))
        .chain(scripts.into_iter().map(|file| (file.clone(), of(before, file), of(after, file))))
        .filter(|(_, before, after)| before != after)
        .collect::<Vec<_>>();
    html! {
        @if files.is_empty() { p.hint { "The texts are the same." } }
        @for (file, before, after) in &files { (of_file(file, &lines(before, after))) }
    }
}

fn of_file(file: &str, lines: &[Line]) -> Markup {
    let count = |tag: ChangeTag| lines.iter().filter(|line| line.tag == tag).count() as u64;
    let (added, removed) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
    html! {
        h3 { code { (file) } " "
            span.hint { (counted(added, "line", "lines")) " more, " (counted(removed, "line", "lines")) " less" }
        }
        div.text tabindex="0" role="region" aria-label={ "What changes in " (file) } {
            ol.lines {
                @for (value, line) in numbered(lines.iter().take(LINES), |line| line.number) {
                    @match line.tag {
                        ChangeTag::Equal => { li value=[value] { "  " (line.text) } }
                        ChangeTag::Insert => { li.more value=[value] { ins { "+ " (line.text) } } }
                        ChangeTag::Delete => { li.less value=[value] { del { "− " (line.text) } } }
                    }
                }
            }
        }
        @if lines.len() > LINES { p.hint { "The first " (LINES) " of " (lines.len()) " lines." } }
    }
}

/// The lines that change, with those around them.
fn lines(before: &str, after: &str) -> Vec<Line> {
    let diff = TextDiff::configure().timeout(TIME).diff_lines(before, after);
    let groups = diff.grouped_ops(AROUND);
    let changes = groups.iter().flatten().flat_map(|op| diff.iter_changes(op));
    let line = |change: similar::Change<&str>| Line {
        tag: change.tag(),
        number: change.new_index().or(change.old_index()).unwrap_or(0) + 1,
        text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
    };
    changes.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(toml: &str, script: &str) -> PolicyTexts {
        PolicyTexts { toml: toml.into(), scripts: [("a.rhai".to_owned(), script.to_owned())].into() }
    }

    #[test]
    fn a_line_that_is_more_and_one_that_is_less_are_shown_with_their_numbers() {
        let before: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 10\n", "line ten\nand more\n");
        let changed: Vec<_> = lines(&before, &after).into_iter().filter(|line| line.tag != ChangeTag::Equal).collect();
        let line = |tag, number, text: &str| Line { tag, number, text: text.into() };
        let (less, more) = (ChangeTag::Delete, ChangeTag::Insert);
        assert_eq!(changed, [line(less, 10, "line 10"), line(more, 10, "line ten"), line(more, 11, "and more")]);
        assert_eq!(lines(&before, &after).len(), 2 * AROUND + 3, "and the lines around them");
    }

    #[test]
    fn only_files_that_differ_are_shown_and_nothing_of_them_is_markup() {
        let name = PolicyName::new("shop").unwrap();
        let html = difference(&name, &texts("a = 1\n", "<b>\n"), &texts("a = 2\n", "<b>\n")).0;
        assert!(
            html.contains("shop.toml") && !html.contains("a.rhai") && html.contains("<ins>+ a = 2</ins>"),
            "{html}"
        );
        let html = difference(&name, &texts("a", "<b>\n"), &texts("a", "<i>\n")).0;
        assert!(html.contains("<ins>+ &lt;i&gt;</ins>") && html.contains("<del>− &lt;b&gt;</del>"), "{html}");
        assert!(difference(&name, &texts("a", "b"), &texts("a", "b")).0.contains("The texts are the same"));
    }
}
