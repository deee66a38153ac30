//! What an endpoint does with what it receives from other machines.

use std::sync::Arc;

use crate::broker::{ChangeMessage, ClusterEndpoint, EventMessage, Undeliverable};
use crate::consumer::Consumer;
use crate::session::session::SessionRegistry;

impl<C: Consumer> ClusterEndpoint for SessionRegistry<C> {
    fn deliver(&self, message: &EventMessage<'_>) -> Result<(), Undeliverable> {
        self.deliver_remote(message)
    }

    fn apply(self: Arc<Self>, change: &ChangeMessage<'_>, done: Box<dyn FnOnce() + Send>) {
        self.apply_remote(change, done);
    }

    fn link_changed(&self, is_connected: bool) {
        self.telemetry.record_link(is_connected);
    }

    fn missed(&self) {
        self.telemetry.record_gap();
    }
}
