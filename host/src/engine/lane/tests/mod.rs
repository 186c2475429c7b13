//! The real lane over a store that fails by plan, towards a world that refuses, hangs and panics.

mod at_once;
mod bench;
mod erased;
mod killed;
mod model;
mod operating;
mod outage;
mod records;
mod upgraded;
mod walk;
