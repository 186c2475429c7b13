//! The start with what waits: the host is killed while it waits, and starts while Salesforce hangs, and again when it is well.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use switchyard::clock::Stopwatch;

use crate::day::{all_wait, begin_well, until_delivered};
use crate::host::Site;
use crate::simulator::Simulator;
use crate::table::Table;
use crate::{CONNECTIONS, Options, load};

pub(crate) async fn measure(site: &Site, simulator: &Simulator, options: &Options, table: &mut Table) {
    let waiting = options.waiting;
    let numbers = Arc::new(AtomicU64::new(1));
    let (host, empty) = site.start().await;
    table.put("first start: s until it is ready", format!("{:.2}", empty.as_secs_f64()));
    begin_well(&host, simulator, &numbers).await;
    simulator.hang().await;
    load::notify_so_many(&host, CONNECTIONS, &numbers, waiting).await;
    all_wait(&host, waiting).await;
    host.kill();

    let (host, open) = site.start().await;
    let watch = Stopwatch::start();
    all_wait(&host, waiting).await;
    table.put("start while they wait: s until it is ready", format!("{:.2}", open.as_secs_f64()));
    table.put(
        "start while they wait: s from then until all wait again",
        format!("{:.2}", watch.elapsed().as_secs_f64()),
    );
    table.put("start while they wait: s of a core until then", format!("{:.2}", host.cost().processor_seconds));
    table.put("start while they wait: memory (MB)", format!("{:.0}", host.resident_mb().0));
    host.kill();

    simulator.be_well().await;
    let before = simulator.delivered().await;
    let watch = Stopwatch::start();
    let (host, open) = site.start().await;
    let first = until_delivered(&host, simulator, before + 1).await.map(|()| watch.elapsed().as_secs_f64());
    table.put("start when Salesforce is well: s until it is ready", format!("{:.2}", open.as_secs_f64()));
    table.put(
        "start when Salesforce is well: s until the first is there",
        first.map_or("never".to_owned(), |first| format!("{first:.2}")),
    );
    host.kill();
}
