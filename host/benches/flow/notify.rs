//! Alcmeon's side: notifications over many connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use switchyard::clock::Stopwatch;

use crate::notification::{PATH, notification, signature};

/// Notifies over so many connections as long as `still` says of the next number; how long each waited for its answer.
pub(crate) async fn all(
    address: &str,
    connections: usize,
    numbers: &Arc<AtomicU64>,
    still: impl Fn(u64) -> bool + Copy + Send + 'static,
) -> Vec<Duration> {
    let url = format!("http://{address}{PATH}");
    let one = |_| tokio::spawn(connection(url.clone(), Arc::clone(numbers), still));
    let running: Vec<_> = (0..connections).map(one).collect();
    let mut took = Vec::new();
    for running in running {
        took.extend(running.await.expect("a task that ends"));
    }
    took
}

async fn connection(url: String, numbers: Arc<AtomicU64>, still: impl Fn(u64) -> bool) -> Vec<Duration> {
    let (http, mut took) = (reqwest::Client::new(), Vec::new());
    loop {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        if !still(number) {
            return took;
        }
        let body = notification(number);
        let request = http.post(&url).header("x-alcmeon-webhook-signature", signature(&body)).body(body);
        let watch = Stopwatch::start();
        let answer = request.send().await.expect("an answer");
        took.push(watch.elapsed());
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}
