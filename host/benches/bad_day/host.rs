//! The host as a process of its own: its folder, its start, what it says of itself and what the system says of it.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use switchyard::clock::Stopwatch;

use crate::TIMEOUT_MS;
use crate::notification::SECRET;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_switchyard");
pub(crate) const TOKEN: &str = "a-long-enough-secret";
const ROUTE: &str = "fn route(conversation) { queue(\"Finance\") }\nfn search(conversation) { [] }\n\
                     fn choose(conversation, found) { none() }\nfn judge(error) { as_usual() }\n";
/// Tokens of those who listen to events: one alone may have a part of the seats.
pub(crate) const LISTENING: usize = 5;
/// The kernel counts processor time in hundredths of a second for whoever asks.
const TICKS: f64 = 100.0;
/// How long a start may take.
const START: Duration = Duration::from_secs(600);
/// Lines of the log that are shown where it does not start.
const SHOWN: usize = 20;

/// One of the tokens of those who listen.
pub(crate) fn listening_token(number: usize) -> String {
    format!("listens-and-reads-{number}")
}

/// A folder with a configuration and a store, and the binary that uses it.
pub(crate) struct Site {
    binary: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
}

impl Site {
    /// Organizations whose policy searches no contact; the port is the same at each start. The first one has the accounts `main/12`
    /// and `shop/*`, each other one those of the source that is called like it.
    pub(crate) fn new(binary: &Path, folder: &Path, salesforce: &str, orgs: &[String]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        let mut config = format!(
            "[http]\nlisten = '{address}'\nlimits = {{ requests_per_second = 1000000, requests_at_once = 10000 }}\n[[http.tokens]]\nname = 'ops'\nsecret = '{TOKEN}'\n\
             scopes = ['read', 'intake', 'errors']\n\
             [policies]\nfolder = 'policies'\n[store]\npath = 'data'\n\
             [alcmeon.main]\nbase_url = 'http://127.0.0.1:9'\ninstance_id = 'main'\nsecret = '{SECRET}'\nteam_field = 1\n\
             poll = false\nkeep_webhook_on = false\n\
             [secrets]\nkeys = ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f']\n"
        );
        for (number, org) in orgs.iter().enumerate() {
            let accounts = if number == 0 { "'main/12', 'shop/*'".to_owned() } else { format!("'{org}/*'") };
            config += &format!(
                "[[orgs]]\nid = '{org}'\naccounts = [{accounts}]\npolicy = 'acme'\n\
                 [orgs.salesforce]\nlogin_url = '{salesforce}'\nclient_id = 'app'\nclient_secret = 'shh'\n\
                 refresh_token = '{org}-refresh'\ntimeout_ms = {TIMEOUT_MS}\n"
            );
        }
        for number in 0..LISTENING {
            let token = listening_token(number);
            config += &format!("[[http.tokens]]\nname = '{token}'\nsecret = '{token}'\nscopes = ['read']\n");
        }
        fs::create_dir_all(folder.join("policies")).expect("a folder");
        for (file, text) in [
            ("switchyard.toml", config.as_str()),
            ("policies/acme.toml", "plugin = \"script\"\nscript = \"acme.rhai\"\n"),
            ("policies/acme.rhai", ROUTE),
        ] {
            fs::write(folder.join(file), text).expect("a file");
        }
        let binary = fs::canonicalize(binary).unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        Self { binary, folder: folder.to_owned(), address }
    }

    /// Where its store is.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Bytes of the store's files, without the plugins that are kept compiled beside them.
    pub(crate) fn store_bytes(&self) -> u64 {
        fn sum(folder: &Path) -> u64 {
            let Ok(entries) = fs::read_dir(folder) else { return 0 };
            let bytes = |entry: fs::DirEntry| match entry.metadata() {
                Ok(found) if found.is_dir() && entry.file_name() != "compiled" => sum(&entry.path()),
                Ok(found) if found.is_file() => found.len(),
                _ => 0,
            };
            entries.filter_map(Result::ok).map(bytes).sum()
        }
        sum(&self.data())
    }

    /// Starts the host; how long it took until it was ready.
    pub(crate) async fn start(&self) -> (Host, Duration) {
        let (host, _, ready) = self.start_in_steps().await;
        (host, ready)
    }

    /// The same, and before that until the port answered.
    pub(crate) async fn start_in_steps(&self) -> (Host, Duration, Duration) {
        let watch = Stopwatch::start();
        let mut process = Command::new(&self.binary)
            .args(["serve", "--config", "switchyard.toml"])
            .current_dir(&self.folder)
            .env_remove("SWITCHYARD_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let said = Arc::new(Said::default());
        let (told, log) = (Arc::clone(&said), process.stderr.take().expect("a log"));
        std::thread::spawn(move || BufReader::new(log).lines().map_while(Result::ok).for_each(|line| told.add(line)));
        let mut host = Host { process, said, base: format!("http://{}", self.address), http: reqwest::Client::new() };
        let (readyz, mut port) = (format!("{}/readyz", host.base), None);
        loop {
            if let Ok(answer) = host.http.get(&readyz).send().await {
                let open = *port.get_or_insert_with(|| watch.elapsed());
                if answer.status().is_success() {
                    return (host, open, watch.elapsed());
                }
            }
            let ended = host.process.try_wait().expect("its state");
            assert!(ended.is_none() && watch.elapsed() < START, "it did not start ({ended:?}):\n{}", host.said.last());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// What it wrote to its log.
#[derive(Default)]
struct Said {
    lines: AtomicU64,
    last: Mutex<VecDeque<String>>,
}

impl Said {
    fn add(&self, line: String) {
        self.lines.fetch_add(1, Ordering::Relaxed);
        let mut last = self.last.lock().expect("no thread panics with it");
        if last.len() == SHOWN {
            last.pop_front();
        }
        last.push_back(line);
    }

    fn last(&self) -> String {
        self.last.lock().expect("no thread panics with it").iter().map(|line| format!("{line}\n")).collect()
    }
}

/// A running host, killed when dropped.
pub(crate) struct Host {
    process: Child,
    said: Arc<Said>,
    pub(crate) base: String,
    http: reqwest::Client,
}

/// What it has taken since its start.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) processor_seconds: f64,
    pub(crate) written_bytes: u64,
    pub(crate) log_lines: u64,
}

/// How its organization stands; counts that the binary does not know yet are absent.
pub(crate) struct Standing {
    pub(crate) unmerged: u64,
    /// On their way, or tried again by themselves.
    pub(crate) moving: u64,
    pub(crate) waiting: u64,
    pub(crate) parked: Option<u64>,
    pub(crate) pending: u64,
    /// Calls to Salesforce since the start.
    pub(crate) calls: u64,
}

impl Standing {
    /// What is known to the lane and not yet in Salesforce.
    pub(crate) fn held(&self) -> u64 {
        self.parked.unwrap_or(self.waiting) + self.moving + self.pending
    }

    /// Whether nothing is left that goes on by itself.
    pub(crate) fn idle(&self) -> bool {
        self.unmerged + self.moving + self.waiting + self.parked.unwrap_or(0) == 0
    }
}

impl Host {
    pub(crate) async fn standing(&self) -> Standing {
        let answer = self.http.get(format!("{}/v1/orgs/acme", self.base)).bearer_auth(TOKEN).send().await;
        let org: Value = answer.expect("an answer").json().await.expect("JSON");
        let count = |what: &str| org[what].as_u64();
        Standing {
            unmerged: count("unmerged").expect("a count"),
            moving: count("sending").unwrap_or(0) + count("scheduled").unwrap_or(0),
            waiting: count("waiting").unwrap_or(0),
            parked: count("parked"),
            pending: org["sync_errors"]["pending"].as_u64().unwrap_or(0),
            calls: org["salesforce"]["calls"].as_u64().unwrap_or(0),
        }
    }

    pub(crate) fn cost(&self) -> Cost {
        let stat = self.proc("stat");
        // The name, in parentheses, may hold blanks: the fields are counted from behind it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN);
        Cost {
            processor_seconds: (ticks(11) + ticks(12)) / TICKS,
            written_bytes: number(&self.proc("io"), "write_bytes:"),
            log_lines: self.said.lines.load(Ordering::Relaxed),
        }
    }

    /// Resident memory in megabytes, and the most that it ever was.
    pub(crate) fn resident_mb(&self) -> (f64, f64) {
        let status = self.proc("status");
        let mb = |name| number(&status, name) as f64 / 1_024.0;
        (mb("VmRSS:"), mb("VmHWM:"))
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap_or_default()
    }

    /// As a power cut would: no signal handler of its own runs.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("a kill");
        self.process.wait().expect("an end");
    }
}

/// The number behind a name, in a file of `name number` lines.
fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
