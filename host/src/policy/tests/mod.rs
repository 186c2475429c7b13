//! Tests of the policy room that need more than one of its files.

mod prebuilt;
