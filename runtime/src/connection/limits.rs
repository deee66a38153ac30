//! What bounds a connection. All on by default.

use std::time::Duration;

use crate::message::RequestLimits;

/// The limits of a connection.
///
/// ```
/// use std::time::Duration;
/// use portcullis::Limits;
///
/// let limits = Limits { frame: 16 * 1024, action: Duration::from_secs(5), ..Limits::default() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "written with `..Limits::default()`; new limits come with a new version")]
pub struct Limits {
    /// The largest frame and message, in bytes. A larger one closes with 1009. Default: 64 KiB.
    pub frame: usize,
    /// How deep a message may nest, its own object counted. Deeper: 400. Default: 32.
    pub nesting: usize,
    /// The longest `request_id`, in bytes of JSON. Longer: 400. Default: 256.
    pub request_id: usize,
    /// How long an action may take, with its checks. Longer: 408, or 500 where a check was being asked. The same
    /// bounds authentication, the connect expression and `#[connect]` at the door. Default: 30 s.
    pub action: Duration,
    /// How often the client is pinged. Default: 25 s.
    pub ping: Duration,
    /// How long nothing may come from the client, not even the answer to a ping: then the connection closes with 4508.
    /// And how long a client may take for what is sent to it: then the connection is dropped. Default: 60 s.
    pub idle: Duration,
    /// How many messages are read ahead while an action runs. Then reading stops until it is done; a stream that goes
    /// on for longer than [`idle`](Limits::idle) after that ends with its connection, as nothing can be heard. Default: 32.
    pub read_ahead: usize,
    /// How many groups a connection may be in, each of its subscriptions counted. More: 409. Default: 256.
    pub groups: usize,
    /// Capacity of a connection's send queue, in events. [`Endpoint::slow_receivers`](crate::Endpoint::slow_receivers) sets
    /// what happens when it is full. The capacity is four times as large while the connection's task has not run since the
    /// events were queued, but not for events that wait for grants. Default: 256.
    pub queue: usize,
    /// Capacity of a connection's send queue, in bytes of events; four times as large under the same condition as
    /// [`queue`](Limits::queue). Default: 1 MiB.
    pub queue_bytes: usize,
    /// How many actions may run beside the queue (`#[action(detached)]`). One more runs in the queue. Default: 8.
    pub detached: usize,
    /// How often a client may show fresh credentials (`#[authenticate]`) in a row, and a minute on average. More: 429.
    /// Default: 10.
    pub authenticate: u32,
    /// How many objects one parameter of a message may name. More: 400. Default: 100.
    pub objects: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            frame: 64 * 1024,
            nesting: 32,
            request_id: 256,
            action: Duration::from_secs(30),
            ping: Duration::from_secs(25),
            idle: Duration::from_mins(1),
            read_ahead: 32,
            groups: 256,
            queue: 256,
            queue_bytes: 1024 * 1024,
            detached: 8,
            authenticate: 10,
            objects: 100,
        }
    }
}

impl Limits {
    pub(crate) fn bounds(&self) -> RequestLimits {
        RequestLimits { nesting: self.nesting, request_id: self.request_id, objects: self.objects }
    }
}
