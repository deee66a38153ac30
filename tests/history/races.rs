//! Connections that come and go while events are published: each receives every event once and in order.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::common::rng::Rng;

const PUBLISHERS: usize = 3;

#[derive(Debug, Serialize, Deserialize)]
struct Numbered {
    publisher: usize,
    number: u64,
}

fn publish(endpoint: &Endpoint<Service>, event: &Numbered) {
    let text = serde_json::to_string(event).unwrap();
    endpoint.publisher().publish(&Archive(5), Said { text, is_secret: false });
}

/// Follows the events over many connections.
struct Follower {
    position: Value,
    next: [Option<u64>; PUBLISHERS],
    received: u64,
}

impl Follower {
    fn receive(&mut self, event: &Reply) {
        let Numbered { publisher, number } = serde_json::from_str(event.data().as_str().unwrap()).unwrap();
        if let Some(expected) = self.next[publisher] {
            assert_eq!(number, expected, "of publisher {publisher}");
        }
        self.next[publisher] = Some(number + 1);
        self.position = position_of(event);
        self.received += 1;
    }
}

async fn read(client: &mut Client, position: &Value) -> Value {
    let reply = client.call("read").with("archive", 5).with("position", position).await;
    assert_eq!(reply.status(), 200, "{reply:?}");
    reply.data().clone()
}

/// Connects and disconnects until the end, and then receives the rest.
async fn follow(endpoints: Vec<Endpoint<Service>>, seed: u64, is_over: Arc<AtomicBool>, total: u64) -> u64 {
    let (mut rng, mut connections) = (Rng(seed + 1), 0);
    let mut follower = Follower { position: Value::Null, next: [None; PUBLISHERS], received: 0 };
    loop {
        let was_over = is_over.load(Ordering::SeqCst);
        let endpoint = &endpoints[rng.below(endpoints.len())];
        let mut client = open(endpoint, 1).await;
        let resumed = read(&mut client, &follower.position).await;
        if connections > 0 {
            assert_eq!(resumed["recovered"], true, "connection {connections}");
        } else {
            follower.position = resumed["position"].clone();
        }
        connections += 1;
        if was_over {
            // All events are published, so the client receives those that it has not had.
            while follower.next.iter().map(|next| next.unwrap_or_default()).sum::<u64>() < total {
                let event = client.event().await;
                follower.receive(&event);
            }
            client.expect_silence().await;
            return follower.received;
        }
        for _ in 0..rng.below(20_u64) {
            tokio::select! {
                biased;
                event = client.event() => follower.receive(&event),
                () = tokio::task::yield_now() => break,
            }
        }
        // Half of the connections close, the others are lost.
        if rng.below(2_u64) == 0 {
            for event in client.close().await.0.iter().filter(|frame| frame.event_name().is_some()) {
                follower.receive(event);
            }
        }
    }
}

/// Publishes from several tasks while several followers come and go.
async fn run(endpoints: Vec<Endpoint<Service>>, events: u64) {
    let is_over = Arc::new(AtomicBool::new(false));
    let total = events * PUBLISHERS as u64;
    // The first event is received after each follower has a position.
    let followers: Vec<_> =
        (0..4).map(|seed| tokio::spawn(follow(endpoints.clone(), seed, is_over.clone(), total))).collect();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| {
            let endpoint = endpoints[publisher % endpoints.len()].clone();
            tokio::spawn(async move {
                for number in 0..events {
                    publish(&endpoint, &Numbered { publisher, number });
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for publisher in publishers {
        publisher.await.unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    for follower in followers {
        let received = follower.await.unwrap();
        assert!(received > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_event_is_received_once_over_many_connections() {
    run(vec![endpoint()], 1500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_event_is_received_once_over_connections_to_two_machines() {
    let database: Arc<Database> = Arc::default();
    brokers::with_each(async |brokers| {
        let machines = [(); 2].map(|()| machines::machine(&brokers, &database));
        machines::wait_until_known(&machines[0], 1).await;
        run(machines.to_vec(), 400).await;
    })
    .await;
}
