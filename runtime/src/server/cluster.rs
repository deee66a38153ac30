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
    /// Without it, a program that can publish at the broker can publish events as the application does, close connections, and
    /// delay revocations. The messages are not encrypted. To change the secret, stop all machines: those with another one do
    /// not hear each other.
    ///
    /// # Panics
    ///
    /// Panics if the secret is shorter than 32 bytes, or if the endpoint has a broker already.
    #[must_use]
    pub fn cluster_key(mut self, secret: impl AsRef<[u8]>) -> Self {
        assert!(self.registry.node.get().is_none(), "`cluster_key` must be called before `broker`");
        let key = ClusterKey::new(secret.as_ref());
        assert!(
            key.is_some(),
            "the secret of `cluster_key` has {} bytes; use at least {} random bytes",
            secret.as_ref().len(),
            ClusterKey::MIN_LEN
        );
        self.cluster_key = key;
        self
    }

    /// Closes all connections with 1013 when this machine is cut off from the [broker](Endpoint::broker), so that a
    /// `disconnect_*` call of [`Connections`](crate::Connections) holds on all machines after a known time: it returns
    /// [`Incomplete`](crate::Propagation::Incomplete) with `safe_after` then. Call it on all machines, before `broker`: if one
    /// of those that this machine has heard of does without, `safe_after` is `None`.
    ///
    /// Connections are closed six seconds after the link has stalled, or when it is back after it was lost, because a call
    /// may have been missed meanwhile. While the link is down, handshakes are rejected with 503. So the service needs the broker: if
    /// that restarts, all clients connect again. Default: connections stay, and their rights are
    /// [evaluated anew](crate::guide::scaling_out#a-machine-that-is-cut-off).
    ///
    /// # Panics
    ///
    /// Panics if the endpoint has a broker already.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Endpoint, MemoryBroker, consumer, websocket};
    /// # struct Chat;
    /// # #[consumer]
    /// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let chat: Endpoint<Chat> = websocket(Chat).close_when_cut_off().broker(MemoryBroker::new());
    /// # }
    /// ```
    #[must_use]
    pub fn close_when_cut_off(mut self) -> Self {
        assert!(self.registry.node.get().is_none(), "`close_when_cut_off` must be called before `broker`");
        self.closes_when_cut_off = true;
        self
    }

    /// Connects the endpoint to those of the same consumer in other processes: events reach the members of groups and the
    /// users on all of them, and so do changes of rights. [The chapter](crate::guide::scaling_out) says what holds then.
    ///
    /// The permissions of events are evaluated where the subscriber is connected; the broker carries events, never rights.
    ///
    /// Default: none; events and changes of rights stay on this machine. Call it last: [`cluster_key`](Endpoint::cluster_key),
    /// [`close_when_cut_off`](Endpoint::close_when_cut_off) and [`present_user_loader`](Endpoint::present_user_loader) come
    /// before it. It connects in the background; [`Snapshot::cluster`](crate::Snapshot::cluster) shows whether the link is up.
    /// `RedisBroker` (feature `redis`) and `NatsBroker` (feature `nats`) connect processes:
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Endpoint, MemoryBroker, consumer, websocket};
    /// # struct Chat;
    /// # #[consumer]
    /// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let secret = [7; 32];
    /// let chat: Endpoint<Chat> = websocket(Chat).cluster_key(secret).broker(MemoryBroker::new());
    /// assert_eq!(chat.snapshot().cluster.unwrap().other_machines, 0);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the broker is not on this computer and there is no [`cluster_key`](Endpoint::cluster_key), if the endpoint
    /// has a broker already, outside of a tokio runtime, if the operating system has no random numbers, or if the broker connects
    /// processes and the [tickets](Endpoint::tickets) are kept in [one of them](crate::TicketStore::IS_LOCAL).
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a broker is a handle, and `&` is easily forgotten")]
    pub fn broker(self, broker: impl Broker) -> Self {
        self.check_tickets(broker.connects_processes());
        let endpoint: Weak<SessionRegistry<C>> = Arc::downgrade(&self.registry);
        assert!(
            broker.is_loopback() || self.cluster_key.is_some(),
            "the broker of `{}` can be reached from other computers: call `cluster_key` before `broker`",
            C::NAME
        );
        self.share_present_users();
        let node = Node::start(&broker, C::NAME, self.cluster_key.clone(), self.closes_when_cut_off, endpoint)
            .unwrap_or_else(|error| panic!("the broker of `{}` cannot be used: {error}", C::NAME));
        assert!(
            self.registry.node.set(node).is_ok(),
            "`broker` was called twice for the endpoint of `{}`; call it once",
            C::NAME
        );
        self
    }
}
