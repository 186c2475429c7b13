//! Stands in for the demo in a host that is built without it.

use std::ffi::OsString;

use anyhow::bail;
use clap::Args;

/// What `switchyard --help` ends with.
pub(super) const AFTER_HELP: &str = "Start with `switchyard default-config`: it prints every key of a configuration.";
/// Whether `switchyard --help` lists the demo.
pub(super) const LISTED: bool = false;

/// Whatever the demo takes, so that the answer is not about an option.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Options {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _all: Vec<OsString>,
}

pub(super) async fn run(_: Options) -> anyhow::Result<()> {
    bail!("this host was built without the demo; `cargo run --release -- demo` in its source builds one and runs it")
}
