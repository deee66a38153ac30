//! What messages, handshakes, events and drains log, and where an entry comes from.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{Drain, Error};
use tokio::time::timeout;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{self, SubscriberExt};

use super::{Filed, Fixture, LogEntry, Outcome, Room, Torn, run};
use crate::common::log_capture::keep_enabled;

#[test]
fn entry_about_a_message_or_a_handshake_breaks_no_connection() {
    run(&["failed", "refused", "action rejected", "handshake rejected by authentication"], async || {
        let fixture = Fixture::new();
        let endpoint = fixture.endpoint.clone().authenticate(async |_: &_| Err(Error::unauthenticated()));
        assert_eq!(connect(&endpoint).open().await.unwrap_err().status(), 401);
        let mut client = fixture.open().await;
        for (action, status) in
            [("ping", 200), ("fails", 500), ("panics", 500), ("fails_detached", 500), ("nothing", 405), ("ping", 200)]
        {
            assert_eq!(client.call(action).await.status(), status, "{action}");
        }
        fixture.state.loads.set(Outcome::Refuse);
        fixture.refresh().await;
        assert_eq!(client.call("read").await.status(), 403);
        drop(client);
        fixture.disconnected().await;
    });
}

#[test]
fn event_that_waits_for_grants_is_delivered_and_one_whose_permission_panics_is_not() {
    run(&["event delayed: grants could not be loaded", "event refused: permission panicked"], async || {
        let fixture = Fixture::new();
        let mut client = fixture.open_member().await;
        fixture.state.loads.set(Outcome::FailOnce);
        fixture.refresh().await;
        fixture.endpoint.publisher().publish(&Room, Torn);
        fixture.endpoint.publisher().publish(&Room, Filed(1));
        fixture.say(2);
        assert_eq!(client.event().await.value()["data"], 1);
        assert_eq!(client.event().await.value()["data"], 2);
    });
}

#[test]
fn drain_closes_all_connections_and_finishes() {
    let entries = ["drain started", "actions or `#[connect]` dropped", "drain finished"];
    run(&entries, async || {
        let fixture = Fixture::new();
        let (mut idle, mut busy) = (fixture.open().await, fixture.open().await);
        busy.send(r#"{"action":"wait"}"#);
        busy.expect_silence().await;
        let drain = fixture.endpoint.drain_handle();
        drain.start(Drain::NOW);
        for client in [&mut idle, &mut busy] {
            assert_eq!(client.closed().await, 1012);
        }
        let report = timeout(Duration::from_secs(5), drain.finished()).await.expect("the drain finishes");
        assert_eq!((report.closed, report.cut), (2, 1));
        for _ in 0..2 {
            fixture.disconnected().await;
        }
    });
}

/// The entries of the library.
#[derive(Clone, Default)]
struct Entries(Arc<Mutex<Vec<&'static Metadata<'static>>>>);

impl<S: Subscriber> Layer<S> for Entries {
    fn on_event(&self, entry: &LogEntry<'_>, _: layer::Context<'_, S>) {
        self.0.lock().unwrap().push(entry.metadata());
    }
}

#[tokio::test]
async fn entry_has_the_level_the_target_and_the_file_of_its_call_site() {
    keep_enabled();
    let entries = Entries::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(entries.clone()));
    let fixture = Fixture::new();
    assert_eq!(fixture.open().await.call("fails").await.status(), 500);
    let entries = entries.0.lock().unwrap();
    let failed = entries.iter().find(|entry| *entry.level() == Level::ERROR).unwrap();
    assert_eq!(failed.target(), "portcullis::dispatch::report");
    assert!(Path::new(failed.file().unwrap()).ends_with("runtime/src/dispatch/report.rs"), "{failed:?}");
    let fields: Vec<_> = failed.fields().iter().map(|field| field.name()).collect();
    assert_eq!(fields, ["message", "id", "user", "action", "route", "leaf", "status", "cause"]);
}
