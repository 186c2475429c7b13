//! How many requests a second the API answers with few and with many connections, and what compression, keys and traces add.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::json;
use switchyard::clock::Stopwatch;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::host::{Host, Site, TOKEN};
use crate::questions::{ask, milliseconds};
use crate::tell;

/// Connections that ask at the same time, each the next thing as soon as it has its answer.
const CONNECTIONS: [usize; 3] = [1, 50, 1_000];
/// How long each figure is measured.
const WINDOW: Duration = Duration::from_secs(5);
/// Sync errors that are looked at and acted upon.
const ERRORS: usize = 500;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    CompressedList,
    One,
    Action,
    ActionWithKey,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::List => "a page of 50",
            Self::CompressedList => "a page of 50, compressed",
            Self::One => "one sync error",
            Self::Action => "an action",
            Self::ActionWithKey => "an action with a key",
        }
    }
}

/// The address of the host, and sync errors that are acted upon.
struct Asked {
    base: String,
    http: Client,
    ids: Vec<String>,
    keys: AtomicU64,
}

impl Asked {
    async fn of(host: &Host) -> Self {
        let http = Client::builder().pool_max_idle_per_host(usize::MAX).build().expect("a client");
        let (page, _) = ask(&http, host, &format!("/v1/sync-errors?org=org03&state=pending&limit={ERRORS}")).await;
        let ids = page["sync_errors"].as_array().expect("a list").iter();
        let ids = ids.map(|error| error["id"].as_str().expect("an id").to_owned()).collect();
        Self { base: host.base.clone(), http, ids, keys: AtomicU64::new(0) }
    }

    /// What is asked the so many-th time.
    fn request(&self, kind: Kind, number: u64) -> RequestBuilder {
        let place = usize::try_from(number).expect("a number") % self.ids.len();
        let id = &self.ids[place];
        let get = |path: &str| self.http.get(format!("{}{path}", self.base));
        let request = match kind {
            Kind::List => get("/v1/sync-errors?org=org02&state=pending"),
            Kind::CompressedList => get("/v1/sync-errors?org=org02&state=pending").header("Accept-Encoding", "gzip"),
            Kind::One => get(&format!("/v1/sync-errors/{id}")),
            Kind::Action | Kind::ActionWithKey => {
                // What was asked for twice is refused the second time: that is an answer as well.
                let is_first = (number / self.ids.len() as u64).is_multiple_of(2);
                let (verb, body) =
                    if is_first { ("ignore", json!({ "reason": "a figure" })) } else { ("reopen", json!({})) };
                let url = format!("{}/v1/sync-errors/{id}/{verb}", self.base);
                let request = self.http.request(Method::POST, url).json(&body);
                match kind {
                    Kind::ActionWithKey => request.header("Idempotency-Key", format!("a-figure-{number}")),
                    _ => request,
                }
            }
        };
        request.bearer_auth(TOKEN)
    }

    /// Asks by so many connections at once for a while; tells how many answers came in a second, and how long each took.
    async fn measure(self: &Arc<Self>, kind: Kind, connections: usize, beside: &str) {
        let (stop, mut all, watch) = (Arc::new(AtomicBool::new(false)), JoinSet::new(), Stopwatch::start());
        for _ in 0..connections {
            let (asked, stop) = (Arc::clone(self), Arc::clone(&stop));
            all.spawn(async move {
                let mut took = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let number = asked.keys.fetch_add(1, Ordering::Relaxed);
                    let watch = Stopwatch::start();
                    let answer = asked.request(kind, number).send().await.expect("an answer");
                    let status = answer.status();
                    answer.bytes().await.expect("a body");
                    assert!(status.is_success() || status.as_u16() == 409, "{kind:?}: {status}");
                    took.push(watch.elapsed());
                }
                took
            });
        }
        tokio::time::sleep(WINDOW).await;
        stop.store(true, Ordering::Relaxed);
        let took: Vec<_> = all.join_all().await.into_iter().flatten().collect();
        let a_second = took.len() as f64 / watch.elapsed().as_secs_f64();
        let what = format!("  {}, {connections} connections{beside}", kind.name());
        tell(&what, format!("{a_second:.0}: {}", milliseconds(took)));
    }
}

/// Everything, on a host without traces.
pub(crate) async fn measure(host: &Host) {
    println!("answers a second: milliseconds p50 / p99 / max, by connections that ask without a pause");
    let asked = Arc::new(Asked::of(host).await);
    for connections in CONNECTIONS {
        for kind in [Kind::List, Kind::CompressedList, Kind::One, Kind::Action, Kind::ActionWithKey] {
            asked.measure(kind, connections, "").await;
        }
    }
}

/// What is asked by 50 of a host that is started again, without traces and with them: then each is recorded, and a collector takes all.
pub(crate) async fn traced(site: &Site) {
    restarted(site, ", without traces").await;
    let collector = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = collector.local_addr().expect("an address");
    let collecting = tokio::spawn(async move {
        while let Ok((mut connection, _)) = collector.accept().await {
            tokio::spawn(async move {
                let (mut seen, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
                while let Ok(read @ 1..) = connection.read(&mut piece).await {
                    seen.extend_from_slice(&piece[..read]);
                    while let Some(whole) = request_length(&seen).filter(|whole| seen.len() >= *whole) {
                        seen.drain(..whole);
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                        if connection.write_all(answer).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    let path = site.data().with_file_name("switchyard.toml");
    let config = std::fs::read_to_string(&path).expect("a file");
    std::fs::write(&path, format!("{config}\n[traces]\nendpoint = 'http://{address}'\n")).expect("a file");
    restarted(site, ", with traces").await;
    collecting.abort();
}

async fn restarted(site: &Site, beside: &str) {
    let (host, _) = site.start().await;
    let asked = Arc::new(Asked::of(&host).await);
    for kind in [Kind::List, Kind::One, Kind::Action] {
        asked.measure(kind, 50, beside).await;
    }
}

/// The bytes of the request that begins here, as soon as its head is there.
fn request_length(seen: &[u8]) -> Option<usize> {
    let head = seen.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&seen[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    Some(head + length.trim().parse::<usize>().ok()?)
}
