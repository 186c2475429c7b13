//! A host that takes long to open its store answers all the same: it is alive, and not ready.

use std::sync::Arc;

use reqwest::{Client, StatusCode};
use switchyard::store::{Fault, Point};
use switchyard_tests::{ADMIN, TestHost};
use tokio::sync::{Semaphore, oneshot};

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_opened_the_host_is_alive_takes_nothing_and_then_goes_on_at_the_same_address() {
    let host = TestHost::start().await;
    let (address, gate) = (host.app.address, Arc::new(Semaphore::new(0)));
    let (store, opens) = (Arc::clone(&host.store), Arc::clone(&gate));
    let (stopped, gone) = oneshot::channel();
    let starting = tokio::spawn(async move {
        let slowly = async || {
            store.plan([Fault::at(Point::Read).waiting_for(opens)]);
            stopped.send(()).unwrap();
        };
        host.restart_at(address, slowly).await
    });
    gone.await.unwrap();
    let http = Client::new();
    let ask = async |path: &str| http.get(format!("http://{address}{path}")).bearer_auth(ADMIN).send().await;
    // Until it listens again.
    let ready = loop {
        match ask("/readyz").await {
            Ok(answer) => break answer,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask("/healthz").await.unwrap().status(), StatusCode::OK);
    let large = http.post(format!("http://{address}/alcmeon/main/notify")).body(vec![b' '; 1 << 20]);
    let refused = large.send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"), "{refused:?}");
    let problem: serde_json::Value = refused.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("starting"), "{problem}");
    gate.add_permits(1_000_000);
    let host = starting.await.unwrap();
    assert_eq!(host.app.address, address);
    assert_eq!(ask("/readyz").await.unwrap().status(), StatusCode::OK);
    host.store.plan([]);
    host.stop().await;
}
