//! The limits of an endpoint and of its connections.

use std::time::Duration;

use crate::message::RequestLimits;
use crate::rate::Rate;
use crate::session::SessionLimits;

/// The limits of an endpoint and of its connections. The chapter on [limits](crate::guide::limits) lists what a hostile client
/// can cost.
///
/// ```
/// use std::time::Duration;
/// use portcullis::Limits;
///
/// let limits = Limits { max_frame_bytes: 16 * 1024, action_timeout: Duration::from_secs(5), ..Limits::default() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "written with `..Limits::default()`; new limits come with a new version")]
pub struct Limits {
    /// Maximum rate of handshakes per client address. A handshake above it is rejected with 429. An IPv6 client counts by its
    /// /64 network, and its /48 site has 16 times the rate. Above 100,000 addresses, further ones are counted per /16 (IPv6:
    /// /32), at 64 times the rate. The address is known if axum is served with
    /// `into_make_service_with_connect_info::<SocketAddr>()`, and behind a proxy by
    /// [`Endpoint::behind_proxies`](crate::Endpoint::behind_proxies); a request without one is rejected with 500. Default:
    /// `None`, without limit, because without that setting all clients of a proxy have one address.
    pub handshakes_per_address: Option<Rate>,
    /// Maximum rate of handshakes per user, by [`User::id`](crate::User::id). A handshake above it is rejected with 429. A user
    /// who logs in by [`#[authenticate]`](macro@crate::authenticate) is not counted. Default: `None`, without limit.
    pub handshakes_per_user: Option<Rate>,
    /// Maximum number of handshakes of an endpoint that are in progress at the same time, authentication and connect
    /// permissions included, which each end within [`action_timeout`](Limits::action_timeout). A further one is rejected with
    /// 503 and `Retry-After`. As many connections may be refused by a
    /// [close frame](crate::Endpoint::refuse_with_close) at the same time. Default: 1024.
    pub max_pending_handshakes: usize,
    /// Maximum rate of the messages of one connection: text and binary frames and pings, counted when they are read, whatever
    /// they say. A message above it is answered with 429 and `retry_after` in its place among the other replies, and neither
    /// its action nor a permission runs. Refusals have an allowance of the same rate and burst; when it is used up, the
    /// connection closes with 4429 and the reason `retry after` with the seconds to wait. Messages before it are answered
    /// first, unless an [`in_order`](macro@crate::action#streams) stream is being sent: then the connection closes at once.
    /// Pongs do not count, and a fragmented message counts once.
    ///
    /// A message to [`authenticate`](macro@crate::authenticate) counts, and is not refused, because it has a limit of its
    /// own. A message to `cancel` counts as any other, and also cancels a message that waits to be refused.
    ///
    /// Guarantee, for a rate of `r` per second and a burst of `b`: in the first `t` seconds of a connection, at most
    /// `b + r * t` messages are admitted; in any window of `t` seconds, at most `2 * b + r * (t + d)`, where `d` is how long
    /// the server had read nothing before, for example because the [read-ahead](Limits::max_read_ahead) was full. A client
    /// that keeps the rate is not refused, even if its messages are read late because others of it are processed. The server
    /// cannot know how long messages have waited while it did not run at all, or in the network: choose a burst that covers
    /// such pauses. Default: `None`, no limit.
    ///
    /// ```
    /// use portcullis::{Limits, Rate};
    ///
    /// let messages = Rate::per_second(20).burst(100);
    /// let limits = Limits { messages_per_connection: Some(messages), ..Limits::default() };
    /// ```
    pub messages_per_connection: Option<Rate>,
    /// Maximum size of a frame and of a message, in bytes. A larger one closes the connection with 1009. Default: 64 KiB.
    pub max_frame_bytes: usize,
    /// Maximum nesting depth of a message, its own object included. A deeper message is answered with 400. Default: 32.
    pub max_nesting: usize,
    /// Maximum length of a `request_id`, in bytes of JSON. A longer one is answered with 400. Default: 256.
    pub max_request_id_bytes: usize,
    /// Time limit of an action, including its permission checks. When it expires, the caller gets 408, or 500 if a check was
    /// still running. It also bounds authentication, the connect expression and `#[connect]`. An action may have its own limit,
    /// `#[action(timeout = "5s")]`. Default: 30 s.
    pub action_timeout: Duration,
    /// Interval between pings to the client. Default: 25 s.
    pub ping_interval: Duration,
    /// Idle timeout: the connection closes with 4508 if nothing, not even a pong, arrives within this time. Default: 60 s.
    pub idle_timeout: Duration,
    /// Time limit for the client to take what is sent to it. When it expires, the connection is dropped without a close
    /// frame. Default: 60 s.
    pub send_timeout: Duration,
    /// Maximum size of what a connection keeps of the request that opened it, in bytes: path, query and the headers
    /// that permissions [declare](crate::Permission::HEADERS) or
    /// [`Endpoint::keep_headers`](crate::Endpoint::keep_headers) names. A larger request is rejected with 431. Default:
    /// 16 KiB.
    pub max_request_bytes: usize,
    /// Maximum number of messages that are read ahead while an action runs. When it is reached, nothing is read until the
    /// action ends. A stream that runs for longer than [`idle_timeout`](Limits::idle_timeout) after that ends with its
    /// connection, because the client can no longer be heard. Default: 32.
    pub max_read_ahead: usize,
    /// Maximum size of the messages that are read ahead, in bytes. When it is reached, nothing is read until the action ends,
    /// so that one message may exceed it. Default: 128 KiB.
    pub max_read_ahead_bytes: usize,
    /// Maximum number of groups per connection, where each subscription counts. Joining more fails with 409. Default: 256.
    pub max_groups: usize,
    /// Maximum number of present users of a group that is [listed](crate::Context::present_users), visible or not. With more,
    /// the list fails with 409 `too_many_users`. It evaluates the group's `presence` expression for each. Default: 1000.
    pub max_present_users: usize,
    /// Capacity of a connection's send queue, in events. [`Endpoint::overflow_policy`](crate::Endpoint::overflow_policy)
    /// sets what happens when it is full. The capacity is four times as large while the connection's task has not run since
    /// the events were queued, for events that wait for grants, and for those that wait for the permission of one group.
    /// Default: 256.
    pub max_queued_events: usize,
    /// Capacity of a connection's send queue, in bytes of events; four times as large under the same condition as
    /// [`max_queued_events`](Limits::max_queued_events). A larger event is delivered if no other one is queued.
    /// Default: 1 MiB.
    pub max_queued_bytes: usize,
    /// Maximum size of an event, in bytes of its frame without the group's name and request ids. Publishing a larger one
    /// from an action fails with 413. One that is published without a result, as by a [`Publisher`](crate::Publisher), or
    /// whose frame is built per subscriber, is not sent, logged and counted in
    /// [`EventCounters::too_large`](crate::EventCounters::too_large). With a [broker](crate::Endpoint::broker), all fields
    /// of a distributed event as JSON have at most 900 KiB: beyond that, publishing fails with 413, or, without a result,
    /// reaches this machine only. Default: 1 MiB.
    pub max_event_bytes: usize,
    /// Maximum number of detached actions (`#[action(detached)]`) per connection that run, or wait for their reply to be sent,
    /// at the same time. A further one is answered with 429 `too_many_actions`. Default: 8.
    pub max_detached_actions: usize,
    /// Maximum number of streams ([`Streamed`](crate::Streamed)) per connection whose action runs or whose last value is not
    /// sent. A further one is answered with 429 `too_many_streams`. Default: 16.
    pub max_streams: usize,
    /// Maximum number of attempts to authenticate (`#[authenticate]`) per minute and connection, on average; so many are
    /// allowed in a row. A further one is answered with 429. Default: 10.
    pub max_authenticate_per_minute: u32,
    /// Maximum number of connections per endpoint whose client has ended them and of which messages that were read before are
    /// still to begin. Beyond that, and beyond 8 per user or address, the oldest begins nothing more; actions that have begun
    /// run on. The address of an anonymous client is known only if axum is served with
    /// `into_make_service_with_connect_info::<SocketAddr>()`, and behind a proxy by
    /// [`Endpoint::behind_proxies`](crate::Endpoint::behind_proxies). Default: 1024.
    pub max_lingering: usize,
    /// Maximum number of objects that one parameter of a message may name. More are answered with 400. Default: 100.
    pub max_objects: usize,
    /// Maximum age of a connection's rights: within this time its grants are loaded again, and its connect and group
    /// permissions evaluated again, without a call of [`Connections`](crate::Connections). If nothing has changed, clients
    /// notice nothing. The load takes place at a random time between 60 and 90 percent of the age; if it fails until the age
    /// is over, no action starts and nothing is delivered before it succeeds. The overwrites of objects are loaded again
    /// too: by the connections that use them, and by a further one if they are older than 5 percent of the age. Less than a
    /// second counts as one second. `None` keeps rights until they are refreshed. Default: 5 minutes.
    pub grants_max_age: Option<Duration>,
    /// Maximum number of calls of [`GrantSource::load`](crate::GrantSource::load) at the same time, for all connections
    /// whose endpoints share a [`GrantCache`](crate::GrantCache). If the endpoints differ, the smallest value applies.
    /// Further loads wait; the users that wait take turns. Default: 32.
    pub max_concurrent_loads: usize,
}

/// The shortest maximum age of rights. With shorter ones, renewals would keep a thread busy.
const MIN_GRANTS_MAX_AGE: Duration = Duration::from_secs(1);

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            handshakes_per_address: None,
            handshakes_per_user: None,
            max_pending_handshakes: 1024,
            messages_per_connection: None,
            max_frame_bytes: 64 * 1024,
            max_nesting: 32,
            max_request_id_bytes: 256,
            action_timeout: Duration::from_secs(30),
            ping_interval: Duration::from_secs(25),
            idle_timeout: Duration::from_mins(1),
            send_timeout: Duration::from_mins(1),
            max_request_bytes: 16 * 1024,
            max_read_ahead: 32,
            max_read_ahead_bytes: 128 * 1024,
            max_groups: 256,
            max_present_users: 1000,
            max_queued_events: 256,
            max_queued_bytes: 1024 * 1024,
            max_event_bytes: 1024 * 1024,
            max_detached_actions: 8,
            max_streams: 16,
            max_authenticate_per_minute: 10,
            max_lingering: 1024,
            max_objects: 100,
            grants_max_age: Some(Duration::from_mins(5)),
            max_concurrent_loads: 32,
        }
    }
}

impl Limits {
    pub(crate) fn request_limits(&self) -> RequestLimits {
        RequestLimits {
            max_nesting: self.max_nesting,
            max_request_id_bytes: self.max_request_id_bytes,
            max_objects: self.max_objects,
        }
    }

    /// Returns the maximum age of rights, or `None` if they have none.
    pub(crate) fn max_age(&self) -> Option<Duration> {
        self.grants_max_age.map(|max_age| max_age.max(MIN_GRANTS_MAX_AGE))
    }

    pub(crate) fn session_limits(&self) -> SessionLimits {
        SessionLimits {
            max_groups: self.max_groups,
            max_present_users: self.max_present_users,
            max_event_bytes: self.max_event_bytes,
            check_timeout: self.action_timeout,
            max_age: self.max_age(),
        }
    }
}
