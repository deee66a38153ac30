//! A subscriber that observes which actions are marked as started.

use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Calls a function with the route of each action when the action is marked as started (the trace `action started`).
pub struct StartObserver(pub fn(&str));

/// Calls a function with the field `route`.
struct Route(fn(&str));

impl Visit for Route {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "route" {
            (self.0)(format!("{value:?}").trim_matches('"'));
        }
    }
}

impl Subscriber for StartObserver {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("portcullis") && *metadata.level() == Level::TRACE
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Route(self.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Returns the number that a route consists of after `prefix`, as in `docs/7/`.
pub fn number_of(route: &str, prefix: &str) -> Option<usize> {
    route.strip_prefix(prefix)?.strip_suffix('/')?.parse().ok()
}
