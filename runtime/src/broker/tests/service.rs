//! The broker that a conformance test uses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::super::{Broker, BrokerLink, LinkReceiver, MemoryBroker};
use super::recorder::{Reports, recorder};
use crate::ConnectionId;

/// Defines each test for each broker.
macro_rules! conformance_tests {
    ($($test:ident)*) => {
        conformance_tests!(memory, $($test)*);
        #[cfg(feature = "redis")]
        conformance_tests!(redis, $($test)*);
        #[cfg(feature = "nats")]
        conformance_tests!(nats, $($test)*);
    };
    ($service:ident, $($test:ident)*) => {
        mod $service {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    if let Some(service) = super::Service::$service() {
                        super::$test(&service).await;
                        service.remove_logs().await;
                    }
                }
            )*
        }
    };
}

pub(super) use conformance_tests;

/// A broker, seen as a service with links of several prefixes.
pub(super) struct Service {
    kind: Kind,
    /// Separates the tests that use the same server.
    test_id: String,
}

enum Kind {
    Memory(Mutex<HashMap<String, MemoryBroker>>),
    #[cfg(feature = "redis")]
    Redis(String),
    #[cfg(feature = "nats")]
    Nats(String),
}

impl Service {
    fn new(kind: Kind) -> Service {
        Service { kind, test_id: ConnectionId::random().unwrap().to_string() }
    }

    #[expect(clippy::unnecessary_wraps, reason = "as for the brokers that need a server")]
    pub(super) fn memory() -> Option<Service> {
        Some(Service::new(Kind::Memory(Mutex::default())))
    }

    #[cfg(feature = "redis")]
    pub(super) fn redis() -> Option<Service> {
        server_url("REDIS_URL", "redis://127.0.0.1:6379").map(|url| Service::new(Kind::Redis(url)))
    }

    #[cfg(feature = "nats")]
    pub(super) fn nats() -> Option<Service> {
        server_url("NATS_URL", "nats://127.0.0.1:4222").map(|url| Service::new(Kind::Nats(url)))
    }

    /// The broker of a prefix.
    pub(super) fn broker(&self, prefix: &str) -> Box<dyn Broker> {
        let prefix = format!("{}{prefix}", self.test_id);
        match &self.kind {
            Kind::Memory(brokers) => Box::new(brokers.lock().unwrap().entry(prefix).or_default().clone()),
            #[cfg(feature = "redis")]
            Kind::Redis(url) => Box::new(crate::RedisBroker::new(url, &prefix).unwrap()),
            #[cfg(feature = "nats")]
            Kind::Nats(url) => Box::new(crate::NatsBroker::new(url, &prefix).unwrap()),
        }
    }

    /// Removes what remains on the server after a test.
    #[expect(clippy::unused_async, reason = "TODO")]
    pub(super) async fn remove_logs(&self) {}

    /// Opens a link of the namespace `chat`.
    pub(super) fn link(&self) -> (Arc<dyn BrokerLink>, Reports) {
        let (receiver, reports) = recorder();
        (self.link_with(receiver), reports)
    }

    pub(super) fn link_with(&self, receiver: Arc<dyn LinkReceiver>) -> Arc<dyn BrokerLink> {
        self.broker("").open("chat", receiver)
    }
}

/// The URL of a server, unless none answers there.
#[cfg(any(feature = "nats", feature = "redis"))]
fn server_url(variable: &str, default: &str) -> Option<String> {
    let url = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    let address = url.split_once("://").map_or(&*url, |(_, address)| address);
    let address = address.rsplit_once('@').map_or(address, |(_, address)| address).trim_end_matches('/');
    if std::net::TcpStream::connect(address).is_ok() {
        return Some(url);
    }
    assert!(std::env::var_os("CI").is_none(), "no server answers at {address}, see {variable}");
    eprintln!("*** SKIPPED: no server answers at {address}, see {variable} ***");
    None
}
