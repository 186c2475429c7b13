//! Tables and lines that fit the terminal; in a pipe they are whole.

use console::{Term, measure_text_width};

use super::out::say;
use crate::domain::is_hidden;

/// Stands where a line was cut.
const CUT: char = '…';
/// Between two columns.
const GAP: &str = "  ";

/// Rows under a heading, each column as wide as its longest cell. Numbers stand to the right.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one.
    pub(super) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(|head| head.to_uppercase()).collect()] }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| plain(&cell)).collect());
    }

    /// Prints it, unless it has nothing but its heading.
    pub(super) fn print(&self) {
        if self.rows.len() > 1 {
            self.lines().iter().for_each(|line| fitted(line));
        }
    }

    fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let widths: Vec<_> =
            (0..columns).map(|column| cells(column).map(|cell| measure_text_width(cell)).max().unwrap_or(0)).collect();
        let is_number = |cell: &String| cell.bytes().all(|byte| byte.is_ascii_digit());
        let numbers: Vec<_> = (0..columns).map(|column| cells(column).skip(1).all(is_number)).collect();
        let line = |row: &Vec<String>| {
            let cell = |(column, cell): (usize, &String)| {
                let space = " ".repeat(widths[column] - measure_text_width(cell));
                if numbers[column] { format!("{space}{cell}") } else { format!("{cell}{space}") }
            };
            row.iter().enumerate().map(cell).collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// Prints a line that is cut where the terminal ends.
pub(super) fn fitted(line: &str) {
    let width = Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    say!("{}", cut(line, width));
}

fn cut(line: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| measure_text_width(line) > *width) else { return line.to_owned() };
    let (mut kept, mut wide) = (String::new(), 0);
    for character in line.chars() {
        wide += measure_text_width(character.encode_utf8(&mut [0; 4]));
        // The sign of the cut has a place of its own.
        if wide >= width {
            break;
        }
        kept.push(character);
    }
    kept.push(CUT);
    kept
}

/// Foreign words as one line that can do nothing to a terminal.
pub(super) fn plain(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().map(|character| if is_hidden(character) { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells_and_numbers_stand_to_the_right() {
        let mut table = Table::new(&["open", "org", "title"]);
        table.row(["7".to_owned(), "acme".to_owned(), "a\n b\u{1b}[31m".to_owned()]);
        table.row(["1200".to_owned(), "日本".to_owned(), "c".to_owned()]);
        assert_eq!(table.lines(), ["OPEN  ORG   TITLE", "   7  acme  a b\u{fffd}[31m", "1200  日本  c"]);
    }

    #[test]
    fn a_line_is_cut_by_what_a_terminal_shows() {
        assert_eq!(cut("abcdef", None), "abcdef");
        assert_eq!(cut("abcdef", Some(6)), "abcdef");
        assert_eq!(cut("abcdef", Some(4)), "abc…");
        assert_eq!(cut("日本語", Some(4)), "日…");
    }
}
