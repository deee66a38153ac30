//! The brokers that each test runs with. Without a server of its kind, a test skips that broker, except that it fails where
//! the variable `CI` is set.

use std::future::Future;
use std::io::Write as _;

use portcullis::{Consumer, Endpoint, MemoryBroker, NatsBroker, RedisBroker};
use tokio::net::TcpStream;

/// The broker of one service.
pub(crate) enum Brokers {
    Memory(MemoryBroker),
    Redis(RedisBroker),
    Nats(NatsBroker),
}

impl Brokers {
    /// Connects an endpoint.
    pub(crate) fn attach<C: Consumer>(&self, endpoint: Endpoint<C>) -> Endpoint<C> {
        match self {
            Brokers::Memory(broker) => endpoint.broker(broker.clone()),
            Brokers::Redis(broker) => endpoint.broker(broker.clone()),
            Brokers::Nats(broker) => endpoint.broker(broker.clone()),
        }
    }
}

/// Runs a test with each broker.
pub(crate) async fn with_each<F: Future<Output = ()>>(test: impl Fn(Brokers) -> F) {
    test(Brokers::Memory(MemoryBroker::new())).await;
    // Another service for each test: the servers are shared.
    let prefix = format!("portcullis-test-{:032x}", random());
    for url in servers().await {
        test(if url.starts_with("redis") {
            Brokers::Redis(RedisBroker::new(&url, &prefix).unwrap())
        } else {
            Brokers::Nats(NatsBroker::new(&url, &prefix).unwrap())
        })
        .await;
    }
}

pub(crate) fn random() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    u128::from_be_bytes(bytes)
}

/// Returns the URLs of the servers that are there.
pub(crate) async fn servers() -> Vec<String> {
    let redis = server("Redis", "REDIS_URL", "redis://127.0.0.1:6379").await;
    redis.into_iter().chain(server("NATS", "NATS_URL", "nats://127.0.0.1:4222").await).collect()
}

/// Returns the URL of a server, if it is there.
async fn server(name: &str, variable: &str, default: &str) -> Option<String> {
    let url = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    let address = url.rsplit_once('/').map_or(&*url, |(_, address)| address);
    if let Err(error) = TcpStream::connect(address).await {
        assert!(std::env::var_os("CI").is_none(), "there is no {name} at {url}: {error}");
        // Not by `eprintln!`, which the test harness hides, and in one write.
        let text = format!("\n*** SKIPPED: there is no {name} at {url}: {error} ***\n");
        let _ = std::io::stderr().write_all(text.as_bytes());
        return None;
    }
    Some(url)
}
