//! The part of [`Endpoint`] that connects it to other machines.

use std::sync::{Arc, Weak};

use super::endpoint::Endpoint;
use crate::broker::{Broker, ClusterKey, Node};
use crate::consumer::Consumer;
use crate::session::SessionRegistry;

impl<C: Consumer> Endpoint<C> {
    /// Sets the secret by which the machines that share a [broker](Endpoint::broker) authenticate their messages: the same
    /// random bytes on all of them, at least 32. Call it before `broker`.
    ///
    /// Without it, whoever can publish at the broker can publish events as the application does, and delay its revocations.
    /// The messages are not encrypted. To change the secret, stop all machines: those with another one do not hear each
    /// other.
    ///
    /// # Panics
    ///
    /// Panics if the secret is shorter than 32 bytes, or if the endpoint has a broker already.
    #[must_use]
    pub fn cluster_key(mut self, secret: impl AsRef<[u8]>) -> Self {
        assert!(self.registry.node.get().is_none(), "`cluster_key` must be called before `broker`");
        let key = ClusterKey::new(secret.as_ref());
        assert!(key.is_some(), "a cluster key has at least {} bytes", ClusterKey::MIN_LEN);
        self.cluster_key = key;
        self
    }

    /// Connects the endpoint to those of the same consumer in other processes: events reach the members of groups and the
    /// users on all of them, and so do changes of rights. [The chapter](crate::guide::scaling_out) says what holds then.
    ///
    /// The permissions of events are evaluated where the subscriber is connected; the broker carries events, never rights.
    ///
    /// # Panics
    ///
    /// Panics if the broker is not on this computer and there is no [`cluster_key`](Endpoint::cluster_key), if the endpoint has
    /// a broker already, outside of a tokio runtime, or if the operating system has no random numbers.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a broker is a handle, and `&` is easily forgotten")]
    pub fn broker(self, broker: impl Broker) -> Self {
        let endpoint: Weak<SessionRegistry<C>> = Arc::downgrade(&self.registry);
        assert!(
            broker.is_loopback() || self.cluster_key.is_some(),
            "the broker of `{}` can be reached from other computers: call `cluster_key` before `broker`",
            C::NAME
        );
        let node =
            Node::start(&broker, C::NAME, self.cluster_key.clone(), endpoint).unwrap_or_else(|error| panic!("{error}"));
        assert!(self.registry.node.set(node).is_ok(), "the endpoint of `{}` has a broker already", C::NAME);
        self
    }
}
