//! Tables: a row of 40 px on a desk, a card where there is no room.

use maud::{Markup, html};

/// A table whose rows become cards where there is no room; the roles keep it a table for who hears it.
pub(crate) fn table(columns: &[&str], rows: &Markup) -> Markup {
    html! {
        table role="table" {
            thead role="rowgroup" {
                tr role="row" { @for column in columns { th role="columnheader" scope="col" { (column) } } }
            }
            tbody role="rowgroup" { (rows) }
        }
    }
}

/// A cell; on a card its column stands before it.
pub(crate) fn cell(column: &str, content: &Markup) -> Markup {
    html! { td role="cell" data-label=(column) { div { (content) } } }
}
