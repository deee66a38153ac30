//! One ticket, presented many times at once.

use futures_util::future::join_all;
use portcullis::testing::Rejected;
use portcullis::{MemoryTicketStore, TicketStore};

use super::redis::redis_store;
use super::{desk, issue, open, tickets};

const ATTEMPTS: usize = 1000;

/// Presents one ticket from many tasks at the same time. Exactly one may open a connection.
async fn assert_redeemed_once(store: impl TicketStore) {
    let desk = desk(&tickets(store));
    let ticket = issue(&desk, 7, "a").await;
    let attempts = (0..ATTEMPTS).map(|_| {
        let (desk, ticket) = (desk.clone(), ticket.clone());
        tokio::spawn(async move { open(&desk, &ticket).await.map(drop).map_err(Rejected::status) })
    });
    let outcomes: Vec<_> = join_all(attempts).await.into_iter().map(|outcome| outcome.unwrap()).collect();
    let refused = outcomes.iter().filter(|outcome| **outcome == Err(401)).count();
    assert_eq!((outcomes.iter().filter(|outcome| outcome.is_ok()).count(), refused), (1, ATTEMPTS - 1), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ticket_in_memory_is_redeemed_once_by_1000_concurrent_handshakes() {
    assert_redeemed_once(MemoryTicketStore::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ticket_in_redis_is_redeemed_once_by_1000_concurrent_handshakes() {
    if let Some((store, _)) = redis_store().await {
        assert_redeemed_once(store).await;
    }
}
