//! The figures: a row for each, a column for each binary, told on stderr as soon as they are known.

use std::collections::HashMap;

use crate::Options;

pub(crate) struct Table {
    columns: Vec<String>,
    /// The column that figures go into.
    column: usize,
    /// In the order in which the rows came first.
    rows: Vec<String>,
    figures: HashMap<(String, usize), String>,
}

impl Table {
    pub(crate) fn new(columns: Vec<String>) -> Self {
        Self { columns, column: 0, rows: Vec::new(), figures: HashMap::new() }
    }

    pub(crate) fn at(&mut self, column: usize) {
        self.column = column;
    }

    pub(crate) fn put(&mut self, row: &str, figure: impl Into<String>) {
        let figure = figure.into();
        eprintln!("  {row}: {figure}");
        if !self.rows.iter().any(|known| known == row) {
            self.rows.push(row.to_owned());
        }
        self.figures.insert((row.to_owned(), self.column), figure);
    }

    pub(crate) fn print(&self, options: &Options) {
        println!("\n{} conversations wait, looked at for {} minutes", options.waiting, options.minutes);
        for (column, binary) in self.columns.iter().enumerate() {
            println!("column {}: {binary}", column + 1);
        }
        println!();
        for row in &self.rows {
            let figure = |column| self.figures.get(&(row.clone(), column)).map_or("-", String::as_str);
            let figures: String = (0..self.columns.len()).map(|column| format!("{:>28}", figure(column))).collect();
            println!("{row:<68}{figures}");
        }
    }
}
