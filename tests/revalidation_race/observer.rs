//! The counter that orders what happens, and a subscriber that reads it when an action is marked as started.

use std::fmt::Debug;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::USERS;

static CLOCK: AtomicU64 = AtomicU64::new(1);

/// When the actions of each user were marked as started.
static STARTS: [Mutex<Vec<u64>>; USERS] = [const { Mutex::new(Vec::new()) }; USERS];

/// Returns the time, and advances the clock.
pub(super) fn now() -> u64 {
    CLOCK.fetch_add(1, Ordering::SeqCst)
}

/// Installs the subscriber.
pub(super) fn observe() {
    tracing::subscriber::set_global_default(Starts).unwrap();
}

/// Takes the times at which actions of a user were marked as started.
pub(super) fn starts_of(user: usize) -> Vec<u64> {
    std::mem::take(&mut STARTS[user].lock().unwrap())
}

/// Records when actions are marked as started.
struct Starts;

/// The user that the route of an action names.
struct Route(Option<usize>);

impl Visit for Route {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "route" {
            let text = format!("{value:?}");
            self.0 =
                text.trim_matches('"').strip_prefix("desks/").and_then(|rest| rest.strip_suffix('/')?.parse().ok());
        }
    }
}

impl Subscriber for Starts {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("portcullis") && *metadata.level() == Level::TRACE
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut route = Route(None);
        event.record(&mut route);
        if let Some(starts) = route.0.and_then(|user| STARTS.get(user)) {
            starts.lock().unwrap().push(now());
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
