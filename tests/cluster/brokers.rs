//! The brokers that each test runs with. Without a server of its kind, a test is skipped, except that it fails where the
//! variable `CI` is set.

use std::future::Future;

use portcullis::{Endpoint, MemoryBroker};

use crate::Service;

/// The broker of one service.
pub(crate) enum Brokers {
    Memory(MemoryBroker),
}

impl Brokers {
    /// Connects an endpoint.
    pub(crate) fn attach(&self, endpoint: Endpoint<Service>) -> Endpoint<Service> {
        match self {
            Brokers::Memory(broker) => endpoint.broker(broker.clone()),
        }
    }
}

/// Runs a test with each broker.
pub(crate) async fn with_each<F: Future<Output = ()>>(test: impl Fn(Brokers) -> F) {
    test(Brokers::Memory(MemoryBroker::new())).await;
}
