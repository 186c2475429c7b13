//! The real binary: what it refuses, how it stops, and that a kill loses nothing.

mod demo;
mod serve;
mod switchyard;
