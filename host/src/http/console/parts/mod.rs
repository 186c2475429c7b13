//! The parts that pages are put together from: the frame, tables, icons, times and numbers, notices, and the way back from a form.
//!
//! The classes of `assets/*.css` are the vocabulary; `/style` of the demo shows all of them.

mod choice;
pub(crate) mod format;
mod frame;
mod icon;
mod notice;
mod record;
mod table;
mod time;
mod trend;

pub(crate) use self::choice::{choice, choice_of_org};
pub(crate) use self::frame::{Section, Visit, Waiting};
pub(crate) use self::icon::{Icon, icon};
pub(crate) use self::notice::{Back, Done, local};
pub(crate) use self::record::{RecordPages, record};
pub(crate) use self::table::{box_cell, box_head, cell, table, table_of};
pub(crate) use self::time::as_of;
pub(crate) use self::trend::{spark, trend};
