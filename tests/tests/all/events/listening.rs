//! A client that listens to events.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::Value;
use switchyard_tests::{ADMIN, TestHost};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a stream between two empty lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub(crate) id: String,
    /// `None` where it only says how far everything was told.
    pub(crate) event: Option<Value>,
}

impl Block {
    fn read(text: &str) -> Self {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let event = field("data: ").map(|data| serde_json::from_str::<Value>(&data).expect("JSON"));
        let id = field("id: ").expect("an id");
        if let Some(event) = &event {
            assert_eq!(
                (event["id"].as_str(), event["type"].as_str()),
                (Some(&*id), field("event: ").as_deref()),
                "{text}"
            );
        }
        Self { id, event }
    }

    pub(crate) fn number(&self) -> u64 {
        self.id.split_once('-').expect("a name and a number").1.parse().expect("a number")
    }
}

/// Somebody who listens.
pub(crate) struct Listening {
    answer: Response,
    rest: String,
}

/// Asks to listen, as the administrator; answers what the host answers.
pub(crate) async fn asked(host: &TestHost, query: &str, after: Option<&str>) -> Response {
    let request = host.http.get(format!("http://{}/v1/events{query}", host.app.address)).bearer_auth(ADMIN);
    let request = after.into_iter().fold(request, |request, id| request.header("Last-Event-ID", id));
    request.header("Accept-Encoding", "gzip").send().await.expect("an answer")
}

impl Listening {
    /// Listens from now on, or behind an id.
    pub(crate) async fn to(host: &TestHost, query: &str, after: Option<&str>) -> Self {
        Self::of(asked(host, query, after).await)
    }

    pub(crate) fn of(answer: Response) -> Self {
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert!(!answer.headers().contains_key("content-encoding"), "an event is not to wait for more");
        Self { answer, rest: String::new() }
    }

    /// What comes next; `None` where the host has ended the stream, and has said so.
    pub(crate) async fn block(&mut self) -> Option<Block> {
        loop {
            if let Some((block, rest)) = self.rest.split_once("\n\n") {
                let block = Block::read(block);
                self.rest = rest.to_owned();
                return Some(block);
            }
            let piece = tokio::time::timeout(PATIENCE, self.answer.chunk()).await.expect("nothing came");
            let piece = piece.expect("the stream was cut off")?;
            self.rest += str::from_utf8(&piece).expect("whole texts");
        }
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> Block {
        let next = async {
            loop {
                let block = self.block().await.expect("the stream goes on");
                if block.event.is_some() {
                    return block;
                }
            }
        };
        // How far everything was told comes every 15 seconds, whatever happens.
        tokio::time::timeout(PATIENCE, next).await.expect("no event came")
    }

    /// The types of the next events.
    pub(crate) async fn types(&mut self, count: usize) -> Vec<String> {
        let mut types = Vec::new();
        for _ in 0..count {
            let Block { event, .. } = self.event().await;
            types.extend(event.and_then(|event| event["type"].as_str().map(str::to_owned)));
        }
        types
    }

    /// The next events up to one of this type.
    pub(crate) async fn until(&mut self, what: &str) -> Vec<Block> {
        let mut blocks = Vec::new();
        loop {
            let block = self.event().await;
            let last = block.event.as_ref().is_some_and(|event| event["type"] == what);
            blocks.push(block);
            if last {
                return blocks;
            }
        }
    }
}
