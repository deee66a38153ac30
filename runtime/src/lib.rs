//! Portcullis is a WebSocket action framework for [axum] and tokio that knows who may do what.
//!
//! You write an impl block; `#[consumer]`, `#[handler]`, `#[action]` and `#[route]` turn it into a routing table, a
//! whitelist and permission checks when it is compiled. A permission that was forgotten or misspelled does not compile,
//! and nothing reaches an action but through its checks.
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
//! # The parts
//!
//! - [`consumer`], [`handler`], [`action`], [`route`], [`connect`], [`disconnect`]: the attributes.
//! - [`Permission`]: who may do what; [`AllowAny`], [`DenyAll`], [`IsAuthenticated`] are built in. [`Blocking`] runs one in
//!   the blocking pool, [`http_permission!`] makes one of a rule for HTTP.
//! - [`ObjectPermission`], [`Load`], [`Object`]: who may do what with which object.
//! - [`permissions!`], [`Codename`], [`GrantSource`], [`GrantSet`]: what a role table grants.
//! - [`Context`], [`Scope`], [`ConnectContext`]: what a permission and an action see.
//! - [`FromContext`], [`IntoReply`], [`Streamed`], [`Error`]: what goes into an action and what comes out.
//! - [`Group`], [`event`], [`Publisher`], [`Connections`]: what may leave a socket, who may see it, and what a change of rights
//!   does.
//! - [`websocket`], [`Endpoint`], [`Limits`]: the door.
//! - [`audit`]: who may do what, as a table.
#![cfg_attr(feature = "testing", doc = "- [`testing`]: an in-process client.")]
//!
//! Three chapters say more: [permissions](guide::permissions), [events and groups](guide::events), and how it all looks to
//! somebody who comes [from Django](guide::from_django).
//!
//! # Features
//!
//! `axum` (default): [`Endpoint`] is an axum service. `registry` (default): every consumer of the program is found at
//! start-up. `testing`: the in-process client.
//!
//! [axum]: https://docs.rs/axum

#![cfg_attr(not(feature = "axum"), allow(dead_code, reason = "what only a WebSocket needs has no user without one"))]
// Not for the whole workspace: a test is right to panic.
#![warn(clippy::unwrap_used)]

#[doc(hidden)]
pub mod __private;
mod action;
mod connection;
mod consumer;
mod context;
mod dialect;
mod dispatch;
mod error;
mod grants;
pub mod guide;
mod log;
mod message;
mod panic;
mod permission;
mod pubsub;
mod server;
mod session;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod transport;

pub use action::{Created, FromContext, IntoReply, Load, NoContent, NoReply, Object, Str, Streamed};
pub use connection::Limits;
pub use consumer::{Audit, AuditEntry, Consumer, RegistryError, audit, codenames};
pub use context::{ConnectContext, Context, GrantKey, Handler, Scope, User};
pub use error::{Error, Result};
pub use grants::{Codename, GrantCache, GrantSet, GrantSource, ObjectId, ObjectKey, Overwrites, UserGrants};
pub use http;
pub use http::StatusCode;
pub use message::{Reply, RequestId};
pub use permission::{AllowAny, Blocking, BlockingPermission, DenyAll, IsAuthenticated, ObjectPermission, Permission};
pub use pubsub::{Carries, EventPermission, Group, GroupPermission, Publisher};
pub use server::{Authenticate, Endpoint, websocket};
pub use session::{Connections, EventCounters, OverflowPolicy};

#[doc = include_str!("docs/consumer.md")]
pub use portcullis_macros::consumer;

#[doc = include_str!("docs/handler.md")]
pub use portcullis_macros::handler;

#[doc = include_str!("docs/action.md")]
pub use portcullis_macros::action;

#[doc = include_str!("docs/route.md")]
pub use portcullis_macros::route;

#[doc = include_str!("docs/codenames.md")]
pub use portcullis_macros::permissions;

#[doc = include_str!("docs/group.md")]
pub use portcullis_macros::Group;

#[doc = include_str!("docs/event.md")]
pub use portcullis_macros::event;

/// Marks the method of a `#[consumer]` block that runs once for each connection, after the door has let it in.
///
/// `async fn(&self)` or `async fn(&self, cx: &ConnectContext<'_, User>)`, returning nothing or a `Result<(), E>`. Messages wait
/// for it. Its error closes the connection: with 4403 where its status is a 4xx, with 4500 for a fault, a panic, or
/// when it takes longer than [`Limits::action_timeout`].
///
/// If the client disconnects while the method runs, the method still runs to completion, at most for [`Limits::action_timeout`].
/// Then messages that the client sent before are dispatched, the memberships end, and `#[disconnect]` runs.
pub use portcullis_macros::connect;

/// Marks the method of a `#[consumer]` block that runs once when a connection has ended, on whatever way.
///
/// `async fn(&self)` or `async fn(&self, scope: &Scope<User>)`. It runs only where `#[connect]` had let the connection in.
pub use portcullis_macros::disconnect;

#[doc = include_str!("docs/authenticate.md")]
pub use portcullis_macros::authenticate;
