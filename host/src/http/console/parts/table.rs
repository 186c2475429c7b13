//! Tables: a row of 40 px on a desk, a card where there is no room.

use maud::{Markup, html};

/// A table whose rows become cards where there is no room; the roles keep it a table for who hears it.
pub(crate) fn table(columns: &[&str], rows: &Markup) -> Markup {
    table_of(&html! {}, columns, rows)
}

/// The same with a heading before the others.
pub(crate) fn table_of(first: &Markup, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        table role="table" {
            thead role="rowgroup" {
                tr role="row" { (first) @for column in columns { th role="columnheader" scope="col" { (column) } } }
            }
            tbody role="rowgroup" { (rows) }
        }
    }
}

/// A cell; on a card its column stands before it.
pub(crate) fn cell(column: &str, content: &Markup) -> Markup {
    html! { td role="cell" data-label=(column) { div { (content) } } }
}

/// The heading of the boxes that choose lines; the script shows the one for all of the page.
pub(crate) fn box_head() -> Markup {
    html! {
        th.w-box role="columnheader" scope="col" {
            span.quietly { "Selected" }
            input type="checkbox" data-all hidden aria-label="Select all of this page";
        }
    }
}

/// The box that chooses a line, for the form `selection`.
pub(crate) fn box_cell(id: &str, what: &str) -> Markup {
    html! {
        td.w-box role="cell" {
            input type="checkbox" name="id" value=(id) form="selection" aria-label={ "Select " (what) };
        }
    }
}
