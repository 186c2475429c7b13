//! An OCI registry as far as a pull needs one: manifests and blobs by the distribution API, with or without tokens.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// `user:password`, as a header.
const BASIC: &str = "Basic dXNlcjpwYXNzd29yZA==";
const BEARER: &str = "Bearer a-token-of-the-registry";

/// The manifest of `endless:1` never ends.
const ENDLESS: &str = "endless/manifests/1";

/// What the registry holds.
#[derive(Default)]
struct Shelf {
    /// By repository and tag or digest.
    manifests: HashMap<String, Vec<u8>>,
    blobs: HashMap<String, Vec<u8>>,
    /// The paths that were asked for.
    asked: Vec<String>,
}

/// A registry on a port of its own.
pub struct Registry {
    /// Where it answers, also while it is stopped.
    pub address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
    locked: bool,
    /// Where it sends for tokens; to itself where not given.
    realm: Option<String>,
    task: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Served {
    shelf: Arc<Mutex<Shelf>>,
    /// Where tokens are given; nothing is asked for without.
    realm: Option<String>,
}

impl Registry {
    /// One that everybody may pull from.
    pub async fn start() -> Self {
        Self::serve(false, None).await
    }

    /// One that wants a token, which `user` gets for `password`.
    pub async fn locked() -> Self {
        Self::serve(true, None).await
    }

    /// One that sends for tokens to this address.
    pub async fn locked_by(realm: &str) -> Self {
        Self::serve(true, Some(realm.to_owned())).await
    }

    async fn serve(locked: bool, realm: Option<String>) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut registry = Self { address, shelf: Arc::default(), locked, realm, task: None };
        registry.resume().await;
        registry
    }

    /// Answers again.
    pub async fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("a port");
        self.address = listener.local_addr().expect("an address");
        let own = || format!("http://{}/token", self.address);
        let realm = self.locked.then(|| self.realm.clone().unwrap_or_else(own));
        let served = Served { shelf: Arc::clone(&self.shelf), realm };
        let router = Router::new()
            .route("/v2/", get(greet))
            .route("/token", get(token))
            .route("/v2/{*path}", get(fetch))
            .with_state(served);
        self.task = Some(tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        }));
    }

    /// Answers no more, until it is resumed.
    pub async fn pause(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// A reference to what is pushed as this repository and tag.
    #[must_use]
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Puts a component there as a tool does, with its signature in an annotation; answers the manifest's digest.
    pub fn push(&self, name: &str, kind: &str, component: &[u8], signature: Option<&str>) -> String {
        let layer = json!({ "mediaType": kind, "digest": digest(component), "size": component.len() });
        let annotations = signature.map(|text| json!({ "minisign.signature": text }));
        let pushed = self.push_manifest(name, json!([layer]), annotations);
        self.put_blob(&digest(component), component);
        pushed
    }

    /// Puts a manifest there that says what it likes.
    pub fn push_manifest(&self, name: &str, layers: Value, annotations: Option<Value>) -> String {
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": { "mediaType": "application/vnd.wasm.config.v0+json", "digest": digest(b"{}"), "size": 2 },
            "layers": layers,
        });
        if let Some(annotations) = annotations {
            manifest["annotations"] = annotations;
        }
        let text = manifest.to_string().into_bytes();
        let pushed = digest(&text);
        let (repository, tag) = name.split_once(':').expect("a tag");
        let mut shelf = self.shelf();
        for reference in [tag, &pushed] {
            shelf.manifests.insert(format!("{repository}/manifests/{reference}"), text.clone());
        }
        pushed
    }

    /// Puts bytes there under a digest, whatever their own is.
    pub fn put_blob(&self, digest: &str, bytes: &[u8]) {
        self.shelf().blobs.insert(digest.to_owned(), bytes.to_vec());
    }

    /// How often something of this kind (`manifests`, `blobs`) was asked for.
    #[must_use]
    pub fn asked(&self, kind: &str) -> usize {
        self.shelf().asked.iter().filter(|path| path.contains(&format!("/{kind}/"))).count()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("nobody panics with it")
    }
}

/// The digest of bytes as a registry writes it.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn refused(served: &Served, headers: &HeaderMap) -> Option<Response> {
    let realm = served.realm.as_ref()?;
    if headers.get(header::AUTHORIZATION).is_some_and(|given| given == BEARER) {
        return None;
    }
    let challenge = format!("Bearer realm=\"{realm}\",service=\"a registry\"");
    Some((StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response())
}

async fn greet(State(served): State<Served>, headers: HeaderMap) -> Response {
    refused(&served, &headers).unwrap_or_else(|| StatusCode::OK.into_response())
}

async fn token(headers: HeaderMap) -> Response {
    if headers.get(header::AUTHORIZATION).is_some_and(|given| given == BASIC) {
        return Json(json!({ "token": BEARER.trim_start_matches("Bearer ") })).into_response();
    }
    (StatusCode::UNAUTHORIZED, "who are you?").into_response()
}

async fn fetch(State(served): State<Served>, headers: HeaderMap, Path(path): Path<String>) -> Response {
    if let Some(refused) = refused(&served, &headers) {
        return refused;
    }
    let mut shelf = served.shelf.lock().expect("nobody panics with it");
    shelf.asked.push(path.clone());
    if path == ENDLESS {
        let pieces = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
        return Body::from_stream(pieces).into_response();
    }
    let manifest = shelf.manifests.get(&path).cloned();
    let blob = path.rsplit_once("/blobs/").and_then(|(_, digest)| shelf.blobs.get(digest).cloned());
    match (manifest, blob) {
        (Some(manifest), _) => {
            let kind = [(header::CONTENT_TYPE, "application/vnd.oci.image.manifest.v1+json")];
            (kind, manifest).into_response()
        }
        (None, Some(blob)) => blob.into_response(),
        (None, None) => {
            let errors = json!({ "errors": [{ "code": "MANIFEST_UNKNOWN", "message": "there is no such manifest" }] });
            (StatusCode::NOT_FOUND, Json(errors)).into_response()
        }
    }
}
