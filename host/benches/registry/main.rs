//! Measures the error registry at size: lists, causes and searches, events, a start, and a retry of many beside new traffic.

mod connections;
mod generator;
#[path = "../bad_day/host.rs"]
#[expect(dead_code, reason = "the bad day asks more of a host")]
mod host;
mod listening;
#[path = "../flow/notification.rs"]
#[expect(dead_code, reason = "nothing is notified here")]
mod notification;
mod questions;
mod retrying;
#[path = "../bad_day/simulator.rs"]
#[expect(dead_code, reason = "the bad day asks more of a simulator")]
mod simulator;

use std::path::Path;
use std::time::Duration;

use clap::Parser;

use host::Site;
use simulator::Simulator;
use switchyard::clock::Stopwatch;

/// Calls that hang are given up after ten seconds.
const TIMEOUT_MS: u64 = 10_000;
/// Causes of each organization.
const CAUSES: usize = 20;

/// What the error registry costs with many sync errors. Prints figures, and asserts no times.
#[derive(Debug, Parser)]
struct Options {
    /// Sync errors, a third of them in the first organization
    #[arg(long, default_value_t = 1_000_000)]
    errors: u64,
    /// Organizations, two at least
    #[arg(long, default_value_t = 20)]
    orgs: usize,
    /// Sync errors that one operation retries
    #[arg(long, default_value_t = 100_000)]
    retried: u64,
    /// Requests of each kind
    #[arg(long, default_value_t = 300)]
    requests: usize,
    /// After the first questions, print address and token of the host as a line of JSON, and go on when the input ends
    #[arg(long)]
    stand: bool,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    if std::env::args().nth(1).is_some_and(|argument| argument == simulator::ARGUMENT) {
        return simulator::serve();
    }
    let options = Options::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Not where temporary files are: those may be kept in memory, and nothing would be written.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(folder.path(), &options));
}

/// The name of an organization.
fn org(number: usize) -> String {
    if number == 0 { "acme".to_owned() } else { format!("org{number:02}") }
}

/// A figure, told as soon as it is known.
fn tell(what: &str, figure: impl std::fmt::Display) {
    println!("{what:<72}{figure:>24}");
}

async fn measure(folder: &Path, options: &Options) {
    let orgs: Vec<_> = (0..options.orgs.max(2)).map(org).collect();
    let simulator = Simulator::start(&orgs).await;
    let site = Site::new(Path::new(host::BINARY), folder, simulator.address(), &orgs);
    println!("{} sync errors, {} organizations, {} causes", options.errors, orgs.len(), orgs.len() * CAUSES);
    let watch = Stopwatch::start();
    let (records, bytes) = generator::generate(&site.data(), options.errors, orgs.len()).await;
    tell("made and read, s", format!("{:.1}", watch.elapsed().as_secs_f64()));
    tell("records for each sync error", format!("{:.1}", records as f64 / options.errors as f64));
    tell("keys and values of all records, MB", bytes / 1_000_000);
    tell("store, MB", site.store_bytes() / 1_000_000);
    let (host, port, ready) = site.start_in_steps().await;
    tell("start: s until the port is open, and until it is ready", seconds(port, ready));
    questions::settled(&host, orgs.len()).await;
    tell("memory at rest, MB (and the most until then)", mb(&host));
    questions::measure(&host, options, orgs.len()).await;
    if options.stand {
        stand(&host);
    }
    tell("memory after that, MB (and the most until then)", mb(&host));
    connections::measure(&host).await;
    tell("memory after that, MB (and the most until then)", mb(&host));
    listening::measure(&host, options).await;
    tell("memory after that, MB (and the most until then)", mb(&host));
    retrying::measure(&host, &simulator, options).await;
    tell("memory after that, MB (and the most until then)", mb(&host));
    tell("store, MB", site.store_bytes() / 1_000_000);
    drop(host);
    let (host, port, ready) = site.start_in_steps().await;
    tell("start after a kill: s until the port is open, and until it is ready", seconds(port, ready));
    drop(host);
    connections::traced(&site).await;
}

fn seconds(port: Duration, ready: Duration) -> String {
    format!("{:.2}; {:.2}", port.as_secs_f64(), ready.as_secs_f64())
}

/// Others measure it.
fn stand(host: &host::Host) {
    tell("memory after that, MB (and the most until then)", mb(host));
    println!("{}", serde_json::json!({ "url": host.base, "token": host::TOKEN }));
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
}

fn mb(host: &host::Host) -> String {
    let (now, most) = host.resident_mb();
    format!("{now:.0} ({most:.0})")
}
