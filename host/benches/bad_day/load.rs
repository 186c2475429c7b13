//! What comes in: signed notifications over many connections, and one conversation after another at the intake.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use switchyard::clock::Stopwatch;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::host::{Host, TOKEN};
use crate::notification::{PATH, notification, signature};

/// Between two conversations of the intake.
const EVERY: Duration = Duration::from_millis(100);
/// Before what was refused is sent again.
const AGAIN: Duration = Duration::from_millis(20);

/// How acknowledgements went.
#[derive(Default)]
pub(crate) struct Acks {
    /// From the request to its answer, of each that was acknowledged.
    took: Vec<Duration>,
    /// Answers that acknowledged nothing; each was sent again.
    pub(crate) refused: u64,
    elapsed: Duration,
}

impl Acks {
    fn add(&mut self, more: Self) {
        self.took.extend(more.took);
        self.refused += more.refused;
    }

    pub(crate) fn count(&self) -> u64 {
        self.took.len() as u64
    }

    pub(crate) fn a_second(&self) -> f64 {
        self.took.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// `p50 / p99 / max` in milliseconds.
    pub(crate) fn milliseconds(&self) -> String {
        let mut took = self.took.clone();
        took.sort_unstable();
        let Some(last) = took.len().checked_sub(1) else { return "-".to_owned() };
        let at = |share: usize| took[last * share / 100].as_secs_f64() * 1_000.0;
        format!("{:.1} / {:.1} / {:.1}", at(50), at(99), at(100))
    }
}

/// Notifies over so many connections as long as `still` says of the next number; what is refused is sent again.
pub(crate) async fn notify(
    host: &Host,
    connections: usize,
    numbers: &Arc<AtomicU64>,
    still: impl Fn(u64) -> bool + Copy + Send + 'static,
) -> Acks {
    let watch = Stopwatch::start();
    let url = format!("{}{PATH}", host.base);
    let mut running: JoinSet<_> =
        (0..connections).map(|_| connection(url.clone(), Arc::clone(numbers), still)).collect();
    let mut all = Acks::default();
    while let Some(acks) = running.join_next().await {
        all.add(acks.expect("a task that ends"));
    }
    all.elapsed = watch.elapsed();
    all
}

/// The same with so many more numbers.
pub(crate) async fn notify_so_many(host: &Host, connections: usize, numbers: &Arc<AtomicU64>, count: u64) -> Acks {
    let end = numbers.load(Ordering::Relaxed) + count;
    notify(host, connections, numbers, move |number| number < end).await
}

async fn connection(url: String, numbers: Arc<AtomicU64>, still: impl Fn(u64) -> bool) -> Acks {
    let (http, mut acks) = (reqwest::Client::new(), Acks::default());
    loop {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        if !still(number) {
            return acks;
        }
        let body = notification(number);
        let request = http.post(&url).header("x-alcmeon-webhook-signature", signature(&body)).body(body);
        acknowledged(request, &mut acks).await;
    }
}

/// Sends until it is acknowledged.
async fn acknowledged(request: reqwest::RequestBuilder, acks: &mut Acks) {
    loop {
        let watch = Stopwatch::start();
        let once = request.try_clone().expect("a body that can be sent again");
        if once.send().await.is_ok_and(|answer| answer.status().is_success()) {
            return acks.took.push(watch.elapsed());
        }
        acks.refused += 1;
        tokio::time::sleep(AGAIN).await;
    }
}

/// One conversation each 100 ms at the intake, each on its way by itself: a slow answer delays no other.
pub(crate) struct Intake {
    stop: watch::Sender<bool>,
    task: JoinHandle<Acks>,
}

impl Intake {
    /// The conversations are named after `name` and numbered.
    pub(crate) fn start(host: &Host, name: &'static str) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let (http, url) = (reqwest::Client::new(), format!("{}/v1/intake/shop", host.base));
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut running = JoinSet::new();
            for number in 0_u64.. {
                tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => break,
                    _ = ticks.tick() => {}
                }
                let request = http.post(&url).bearer_auth(TOKEN).json(&conversation(&format!("{name}{number}")));
                running.spawn(async move {
                    let mut acks = Acks::default();
                    acknowledged(request, &mut acks).await;
                    acks
                });
            }
            let mut all = Acks::default();
            while let Some(acks) = running.join_next().await {
                all.add(acks.expect("a task that ends"));
            }
            all
        });
        Self { stop, task }
    }

    pub(crate) async fn stop(self) -> Acks {
        self.stop.send_replace(true);
        self.task.await.expect("a task that ends")
    }
}

fn conversation(id: &str) -> serde_json::Value {
    json!({
        "id": id, "account": "web", "channel": "chat", "team": "care", "customer": { "name": "Jane Doe" },
        "messages": [{ "id": "1", "body": "Hello, where is my order 1234?", "sent_at": "2026-09-21T10:00:00Z" }],
    })
}
