//! Measures a long bad day: the real binary on sled while Salesforce hangs and conversations wait, when Salesforce is well again,
//! and a start with what waits.

mod day;
mod host;
mod load;
#[path = "../flow/notification.rs"]
mod notification;
mod restart;
mod simulator;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, ValueEnum};

use host::Site;
use simulator::Simulator;
use table::Table;

/// Calls that hang are given up after ten seconds; the acknowledgements are measured with so many connections.
const TIMEOUT_MS: u64 = 10_000;
const CONNECTIONS: usize = 128;

/// What a bad day costs. Prints a table with a column for each binary, and asserts no times.
#[derive(Debug, Parser)]
struct Options {
    /// Conversations that wait
    #[arg(long, default_value_t = 100_000)]
    waiting: u64,
    /// Minutes for which the waiting host is looked at
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// Another binary of the host, such as an earlier one, that is measured in the same run; repeatable
    #[arg(long, value_name = "BINARY")]
    beside: Vec<PathBuf>,
    /// What is measured; everything where nothing is named
    part: Vec<Part>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Conversations come in and wait, and leave when Salesforce is well
    Day,
    /// A host that was killed while they waited starts again
    Restart,
}

impl Options {
    fn window(&self) -> Duration {
        Duration::from_secs(60) * self.minutes
    }
}

fn main() {
    if std::env::args().nth(1).is_some_and(|argument| argument == simulator::ARGUMENT) {
        return simulator::serve();
    }
    let options = Options::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut binaries = options.beside.clone();
    binaries.push(PathBuf::from(host::BINARY));
    let mut table = Table::new(binaries.iter().map(|binary| binary.display().to_string()).collect());
    // Not where temporary files are: those may be kept in memory, and nothing would be written.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for part in [Part::Day, Part::Restart] {
        if !options.part.is_empty() && !options.part.contains(&part) {
            continue;
        }
        for (column, binary) in binaries.iter().enumerate() {
            table.at(column);
            let folder = folder.path().join(format!("{part:?}-{column}"));
            runtime.block_on(measure(part, binary, &folder, &options, &mut table));
        }
    }
    table.print(&options);
}

/// A world and a host of its own for each.
async fn measure(part: Part, binary: &Path, folder: &Path, options: &Options, table: &mut Table) {
    let orgs = ["acme".to_owned()];
    let simulator = Simulator::start(&orgs).await;
    let site = Site::new(binary, folder, simulator.address(), &orgs);
    match part {
        Part::Day => day::measure(&site, &simulator, options, table).await,
        Part::Restart => restart::measure(&site, &simulator, options, table).await,
    }
    std::fs::remove_dir_all(folder).expect("the folder is removed");
}
