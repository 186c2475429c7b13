//! A host that is told to stop waits for nobody who does not answer.

use std::time::Duration;

use switchyard_tests::TestHost;
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn an_alcmeon_that_does_not_answer_does_not_keep_the_host_from_stopping() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let host = TestHost::start()
        .await
        .restart_with(|config| {
            config
                .alcmeon
                .values_mut()
                .for_each(|environment| environment.base_url = format!("http://{address}").try_into().unwrap());
        })
        .await;
    let _asked = silent.accept().await.unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(20), host.stop()).await;
    assert!(stopped.is_ok(), "the host still waits for Alcmeon");
}
