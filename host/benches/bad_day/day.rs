//! The day: conversations come in while Salesforce hangs, wait for minutes, and leave when it is well again.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use switchyard::clock::Stopwatch;

use crate::host::{Host, Site};
use crate::load::{self, Acks, Intake};
use crate::simulator::Simulator;
use crate::table::Table;
use crate::{CONNECTIONS, Options};

/// How long acknowledgements are measured while conversations wait, and the intake of a host that has nothing to do.
const EACH: Duration = Duration::from_secs(5);
/// Between the last one that began to wait and what is looked at.
const SETTLING: Duration = Duration::from_secs(15);
/// How long nothing may move before what is left is given up.
const STUCK: Duration = Duration::from_secs(180);
/// The same where the host says that nothing goes on by itself.
const IDLE: Duration = Duration::from_secs(10);
/// Conversations that get through before Salesforce hangs.
const AT_FIRST: u64 = 200;
const LOOK: Duration = Duration::from_millis(50);

pub(crate) async fn measure(site: &Site, simulator: &Simulator, options: &Options, table: &mut Table) {
    let numbers = Arc::new(AtomicU64::new(1));
    let (host, _) = site.start().await;
    begin_well(&host, simulator, &numbers).await;
    table.put("memory before the outage (MB)", format!("{:.0}", host.resident_mb().0));
    simulator.hang().await;
    let came = wait(site, &host, &numbers, options.waiting, table).await;
    hanging(site, &host, options, table).await;

    let watch = Stopwatch::start();
    let more = load::notify(&host, CONNECTIONS, &numbers, move |_| watch.elapsed() < EACH).await;
    put_acks(table, "while they wait", &more);
    leave(&host, simulator, came + more.count(), table).await;
    let quiet = Intake::start(&host, "quiet");
    tokio::time::sleep(EACH).await;
    let quiet = quiet.stop().await;
    put_intake(table, "idle", &quiet);
    table.put("memory at its most, all told (MB)", format!("{:.0}", host.resident_mb().1));
}

/// Some conversations get through, so that there is a session whose calls can hang.
pub(crate) async fn begin_well(host: &Host, simulator: &Simulator, numbers: &Arc<AtomicU64>) {
    let acks = load::notify_so_many(host, CONNECTIONS, numbers, AT_FIRST).await;
    until_delivered(host, simulator, acks.count()).await.expect("an organization that is well");
}

/// Hands conversations in, until all of them wait; how many.
async fn wait(site: &Site, host: &Host, numbers: &Arc<AtomicU64>, waiting: u64, table: &mut Table) -> u64 {
    let (empty, bytes) = (host.cost(), site.store_bytes());
    let acks = load::notify_so_many(host, CONNECTIONS, numbers, waiting).await;
    put_acks(table, "of those that will wait", &acks);
    let watch = Stopwatch::start();
    all_wait(host, waiting).await;
    table.put("from the last acknowledgement until all wait (s)", format!("{:.1}", watch.elapsed().as_secs_f64()));
    tokio::time::sleep(SETTLING).await;
    let full = host.cost();
    let each = |bytes: u64| format!("{:.0}", bytes as f64 / waiting as f64);
    table.put("bytes written until then, for each", each(full.written_bytes - empty.written_bytes));
    table.put("bytes of the store, for each", each(site.store_bytes().saturating_sub(bytes)));
    acks.count()
}

/// Returns when so many are parked, or (where the binary does not park) wait in whatever way.
pub(crate) async fn all_wait(host: &Host, waiting: u64) {
    let (mut moved, mut last) = (Stopwatch::start(), 0);
    loop {
        let standing = host.standing().await;
        if standing.unmerged == 0 && standing.held() >= waiting {
            return;
        }
        if standing.held() > last {
            (moved, last) = (Stopwatch::start(), standing.held());
        } else if moved.elapsed() > STUCK {
            return eprintln!("  no more than {last} wait, and {} are unmerged: looked at as it is", standing.unmerged);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks at a host that can do nothing but wait. It is asked nothing meanwhile: the system tells.
async fn hanging(site: &Site, host: &Host, options: &Options, table: &mut Table) {
    let (calls, bytes) = (host.standing().await.calls, site.store_bytes());
    let (begin, watch) = (host.cost(), Stopwatch::start());
    let mut last = begin;
    for minute in 1..=options.minutes {
        tokio::time::sleep((options.window() / options.minutes * minute).saturating_sub(watch.elapsed())).await;
        let now = host.cost();
        eprintln!(
            "  minute {minute}: {:.2} s of a core, {} log lines, {} kB written",
            now.processor_seconds - last.processor_seconds,
            now.log_lines - last.log_lines,
            (now.written_bytes - last.written_bytes) / 1_024,
        );
        last = now;
    }
    let (seconds, end) = (watch.elapsed().as_secs_f64(), host.cost());
    let a_minute = |count: u64| format!("{:.1}", count as f64 / seconds * 60.0);
    let share = (end.processor_seconds - begin.processor_seconds) / seconds;
    table.put("while all wait: share of a core (%)", format!("{:.2}", share * 100.0));
    table.put("while all wait: log lines a minute", a_minute(end.log_lines - begin.log_lines));
    table.put("while all wait: kB written a minute", a_minute((end.written_bytes - begin.written_bytes) / 1_024));
    let grown = site.store_bytes().saturating_sub(bytes) / 1_024;
    table.put("while all wait: kB that the store grows a minute", a_minute(grown));
    table.put("while all wait: Salesforce calls a minute", a_minute(host.standing().await.calls - calls));
    let (now, most) = host.resident_mb();
    table.put("while all wait: memory, and its most until then (MB)", format!("{now:.0}, {most:.0}"));
}

/// Salesforce is well: until all of them are there, with one more each 100 ms at the intake meanwhile.
async fn leave(host: &Host, simulator: &Simulator, came: u64, table: &mut Table) {
    let (before, already) = (host.cost(), simulator.delivered().await);
    let intake = Intake::start(host, "busy");
    simulator.be_well().await;
    let watch = Stopwatch::start();
    let delivered =
        async |more| until_delivered(host, simulator, already + more).await.map(|()| watch.elapsed().as_secs_f64());
    let (first, most) = (delivered(1).await, delivered(came).await);
    let acks = intake.stop().await;
    let whole = if most.is_some() { delivered(came + acks.count()).await } else { None };
    let (there, calls) = (simulator.delivered().await - already, simulator.calls().await);
    let core = host.cost().processor_seconds - before.processor_seconds;
    let seconds = |seconds: Option<f64>| seconds.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.1}"));
    let thousands = there as f64 / 1_000.0;
    let rate = whole.zip(first).map_or(f64::NAN, |(whole, first)| there as f64 / (whole - first));
    for (row, figure) in [
        ("s until the first is there", seconds(first)),
        ("s until all are there", seconds(whole)),
        ("conversations a second from the first on", format!("{rate:.0}")),
        ("Salesforce calls per 1,000", format!("{:.1}", calls as f64 / thousands)),
        ("s of a core per 1,000", format!("{:.2}", core / thousands)),
        ("not delivered", (came + acks.count()).saturating_sub(there).to_string()),
    ] {
        table.put(&format!("Salesforce is well: {row}"), figure);
    }
    put_intake(table, "busy", &acks);
}

/// Until so many are in Salesforce; `None` when it does not come to that.
pub(crate) async fn until_delivered(host: &Host, simulator: &Simulator, wanted: u64) -> Option<()> {
    let (mut moved, mut last) = (Stopwatch::start(), 0);
    loop {
        let delivered = simulator.delivered().await;
        if delivered >= wanted {
            return Some(());
        }
        if delivered > last {
            (moved, last) = (Stopwatch::start(), delivered);
        }
        let patience = if host.standing().await.idle() { IDLE } else { STUCK };
        if moved.elapsed() > patience {
            return None;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn put_intake(table: &mut Table, lane: &str, acks: &Acks) {
    let row = format!("intake, one each 100 ms, {lane} lane: p50 / p99 / max ms");
    table.put(&row, format!("{} ({})", acks.milliseconds(), acks.count()));
}

fn put_acks(table: &mut Table, title: &str, acks: &Acks) {
    let row = |what: &str| format!("acknowledged {title}, {CONNECTIONS} connections: {what}");
    table.put(&row("a second"), format!("{:.0}", acks.a_second()));
    table.put(&row("p50 / p99 / max ms"), acks.milliseconds());
    table.put(&row("refused"), acks.refused.to_string());
}
