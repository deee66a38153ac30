//! Portcullis is a framework for WebSocket actions on [axum] and tokio, with a permission on every action.
//!
//! You annotate an impl block with `#[consumer]` or `#[handler]`, and its methods with `#[action]` and `#[route]`. The macros
//! generate the routing table, the whitelist and the permission checks. A missing or misspelled permission does not compile,
//! and a message reaches an action only if every permission on its path holds.
//!
//! ```standalone_crate
//! use portcullis::{AllowAny, Context, IsAuthenticated, Result, User, consumer};
//!
//! struct Member { name: String }
//!
//! impl User for Member {
//!     fn id(&self) -> std::borrow::Cow<'_, str> { self.name.as_str().into() }
//! }
//!
//! struct Echo;
//!
//! #[consumer(user = Member)]
//! impl Echo {
//!     #[action(permission = AllowAny)]
//!     async fn ping(&self) -> &'static str { "pong" }
//!
//!     #[action(permission = IsAuthenticated)]
//!     async fn shout(&self, cx: &Context<'_, Member>, text: &str) -> Result<String> {
//!         Ok(format!("{}: {}", cx.require_user()?.name, text.to_uppercase()))
//!     }
//! }
//!
//! let app: axum::Router = axum::Router::new().route("/ws", portcullis::websocket(Echo).into_route());
//! ```
//!
//! # Contents
//!
//! - [`consumer`], [`handler`], [`action`], [`route`], [`connect`], [`disconnect`], [`gap`]: the attributes.
//! - [`Permission`]: who may do what; [`AllowAny`], [`DenyAll`], [`IsAuthenticated`] are built in. A [`Rule`] serves
//!   actions, groups and events alike, [`Blocking`] runs a permission in the blocking pool, [`http_permission!`] makes a
//!   permission from a rule for HTTP requests.
//! - [`ObjectPermission`], [`Load`], [`Object`]: who may do what with which object.
//! - [`permissions!`], [`Codename`], [`GrantSource`], [`GrantSet`]: what a role table grants.
//! - [`Context`], [`Scope`], [`ConnectContext`], [`Disconnect`], [`Gap`]: what permissions, actions and hooks know about the
//!   message, the connection and lost events.
//! - [`FromContext`], [`IntoReply`], [`Streamed`], [`Error`], [`ResultExt`]: the inputs and results of an action.
//! - [`Group`], [`derive@Event`], [`event`], [`Publisher`], [`Connections`]: publishing to connections, and changing rights of
//!   connected users.
//! - [`KeepsHistory`], [`Position`], [`Resumed`]: groups from which a connection that was lost receives what it has missed.
//! - [`Presence`], [`MemberPermission`], [`PresentUser`]: who is in a group, as far as each viewer may know.
//! - [`authenticate`], [`User`]: the user of a connection, and when its credentials expire.
//! - [`Tickets`], [`TicketStore`], [`LoginId`]: secrets that open one connection each, for pages that cannot send credentials.
//! - [`websocket`], [`Endpoint`], [`Limits`]: mounting a consumer and limiting its connections.
//! - [`DrainHandle`], [`Drain`]: closing the connections before the server is stopped.
//! - [`Snapshot`], [`Observer`]: what an endpoint does, for a health route and for metrics.
//! - [`audit`]: who may do what, as a table.
#![cfg_attr(
    feature = "testing",
    doc = "- [`testing`]: an in-process client, see the chapter on [testing](guide::testing)."
)]
//!
//! The [guide] has chapters on [permissions](guide::permissions), on [events and groups](guide::events), on
//! [authentication](guide::authentication), on the [wire protocol](guide::wire_protocol), on [security](guide::security), on
//! [limits](guide::limits), on [operations](guide::operations), on [observability](guide::observability) and
//! [for Django users](guide::from_django), and a [glossary](guide::glossary).
//!
//! # Features
//!
//! - `anyhow`: actions may return [`anyhow::Error`](https://docs.rs/anyhow).
//! - `axum` (default): [`Endpoint`] is an axum service.
//! - `http2`: WebSocket connections over HTTP/2 too.
//! - `metrics`: counters, gauges and histograms of the [`metrics`](https://docs.rs/metrics) facade, see the chapter on
//!   [observability](guide::observability).
//! - `nats`: `NatsBroker`, which connects the machines of a service.
//! - `redis`: `RedisBroker`, which connects the machines of a service, and `RedisTicketStore`, which they share.
//! - `registry` (default): every consumer of the program is registered at start-up.
//! - `testing`: the in-process client.
//! - `validate`: `#[action(validate)]` validates arguments with [`garde`](https://docs.rs/garde).
//!
//! [axum]: https://docs.rs/axum

#![cfg_attr(not(feature = "axum"), allow(dead_code, reason = "parts that only the WebSocket transport uses"))]
// Not a workspace lint, because tests may panic.
#![warn(clippy::unwrap_used)]

#[doc(hidden)]
pub mod __private;
mod action;
mod broker;
mod connection;
mod consumer;
mod context;
mod dialect;
mod dispatch;
mod error;
#[cfg(test)]
mod fuzz_outcomes;
mod grants;
pub mod guide;
mod log;
mod message;
mod observe;
mod panic;
mod permission;
mod pubsub;
mod random;
mod rate;
mod result_ext;
mod server;
mod session;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod tickets;
mod time;
mod transport;

pub use action::{Created, FromContext, IntoReply, Load, NoContent, NoReply, Object, Str, Streamed};
#[cfg(feature = "nats")]
pub use broker::NatsBroker;
#[cfg(feature = "redis")]
pub use broker::RedisBroker;
pub use broker::{Broker, MachineId, MemoryBroker, Propagation};
pub use connection::Limits;
pub use consumer::{Audit, AuditEntry, Consumer, RegistryError, audit, codenames};
pub use context::{
    CloseCode, ConnectContext, ConnectionId, Context, Disconnect, DisconnectReason, Gap, GrantKey, Handler,
    PermissionContext, Scope, User,
};
pub use error::{Error, Result};
#[cfg(feature = "validate")]
pub use garde;
pub use grants::{Codename, GrantCache, GrantSet, GrantSource, ObjectId, ObjectKey, Overwrites, UserGrants};
pub use http;
pub use http::StatusCode;
pub use message::{Reply, RequestId};
#[cfg(feature = "metrics")]
pub use observe::{ACTION_DURATION_BUCKETS, CONNECTION_DURATION_BUCKETS};
pub use observe::{
    ActionCounts, ActionFinished, ActionOutcome, ActionStarted, ClusterCounts, ConnectionClosed, ConnectionCounts,
    ConnectionOpened, EndpointState, EventCounters, EventPublished, GrantLoads, GroupCounts, HandshakeCounts,
    HandshakeRejected, MessageCounts, Observer, ObserverCounts, QueueOverflowed, RecorderCounts, Snapshot,
};
pub use permission::{
    AllowAny, Blocking, BlockingPermission, DenyAll, HttpRequest, IsAuthenticated, ObjectPermission, Permission, Rule,
};
pub use pubsub::{
    Carries, DistributedEvent, Event, EventPermission, Group, GroupPermission, KeepsHistory, MemberPermission,
    Position, Presence, PresentUser, PublishPermit, Publisher, Resumed,
};
pub use rate::Rate;
pub use result_ext::ResultExt;
pub use server::{Authenticate, Endpoint, websocket};
pub use session::{Connections, Drain, DrainHandle, DrainReport, OverflowPolicy, Refresh, SnapshotHandle};
#[cfg(feature = "redis")]
pub use tickets::RedisTicketStore;
pub use tickets::{LoginId, MemoryTicketStore, Ticket, TicketClaims, TicketKey, TicketStore, Tickets};

#[doc = include_str!("docs/consumer.md")]
pub use portcullis_macros::consumer;

#[doc = include_str!("docs/handler.md")]
pub use portcullis_macros::handler;

#[doc = include_str!("docs/action.md")]
#[cfg_attr(feature = "validate", doc = include_str!("docs/validate.md"))]
pub use portcullis_macros::action;

#[doc = include_str!("docs/route.md")]
pub use portcullis_macros::route;

#[doc = include_str!("docs/codenames.md")]
pub use portcullis_macros::permissions;

#[doc = include_str!("docs/group.md")]
pub use portcullis_macros::Group;

#[doc = include_str!("docs/event_type.md")]
pub use portcullis_macros::Event;

#[doc = include_str!("docs/event.md")]
pub use portcullis_macros::event;

/// Marks the method of a `#[consumer]` block that runs once per connection, after its handshake was accepted.
///
/// The method is `async fn(&self)` or `async fn(&self, cx: &ConnectContext<'_, User>)`, and returns nothing or a
/// `Result<(), E>`. Messages wait until it has returned.
///
/// # Errors
///
/// An error closes the connection: with 4401 if its status is 401, with 4403 if it is another 4xx, with 4500 for a fault, a
/// panic, or if the method takes longer than [`Limits::action_timeout`].
///
/// # Cancel safety
///
/// If the client disconnects while the method runs, the method still runs to completion, at most for
/// [`Limits::action_timeout`]. Then messages that the client sent before are dispatched, the memberships end, and
/// `#[disconnect]` runs.
pub use portcullis_macros::connect;

/// Marks the method of a `#[consumer]` block that runs once when a connection has ended, for whatever reason.
///
/// The method is `async fn(&self)` or `async fn(&self, cx: &Disconnect<'_, User>)`, see [`Disconnect`]. It runs only if
/// `#[connect]` succeeded. A consumer without `#[connect]` counts as one whose `#[connect]` succeeds.
///
/// It runs after the last action of the connection has ended, and does not wait for the client's close frame. See [the end of
/// a connection](crate::action#end-of-the-connection-and-cancellation).
pub use portcullis_macros::disconnect;

/// Marks the method of a `#[consumer]` block that runs after events of other machines may have been lost, so that the
/// application can have its clients load again what they show. See [`Gap`] for an example, and
/// [scaling out](guide::scaling_out#gaps) for when that happens.
///
/// The method is `async fn(&self)` or `async fn(&self, cx: &Gap<'_, Self>)`. It runs when the loss is noticed, or when all
/// subscriptions are back after the broker was away, on each machine that has lost something and has connections. By then new
/// events are received again, so a client that loads its data when it gets an event from this method has missed nothing.
///
/// One call runs at a time, and a second passes after it. That pause doubles with each call, up to a minute, until there was no
/// gap for a minute. Gaps that occur meanwhile are handled together.
///
/// # Panics
///
/// A panic is logged, and so is a call that takes longer than [`Limits::action_timeout`] and is dropped at its next `.await`.
/// The gap counts as handled.
pub use portcullis_macros::gap;

#[doc = include_str!("docs/authenticate.md")]
pub use portcullis_macros::authenticate;
