//! An in-process client for the tests of an application: without port and network, and with a clock that may be paused.
//!
//! The chapter on [testing](crate::guide::testing) describes how to test permissions, events, revocation, streams and time.
//!
//! A test connection uses the same handshake and the same event loop as a WebSocket. A paused clock does not advance while
//! an action marked `blocking` runs, so nothing that has to finish before such an action may wait for the clock. The
//! client answers pings, even while the clock is advanced, unless [`ConnectBuilder::answer_pings`] is set to `false`.
//!
//! ```standalone_crate
//! use portcullis::testing::connect;
//! use portcullis::{AllowAny, IsAuthenticated, User, consumer};
//!
//! struct Member(u32);
//! impl User for Member {
//!     fn id(&self) -> std::borrow::Cow<'_, str> { self.0.to_string().into() }
//! }
//!
//! struct Chat;
//!
//! #[consumer(user = Member)]
//! impl Chat {
//!     #[action(permission = AllowAny)]
//!     async fn ping(&self) -> &'static str { "pong" }
//!
//!     #[action(permission = IsAuthenticated)]
//!     async fn add(&self, a: i32, b: i32) -> i32 { a + b }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let chat = portcullis::websocket(Chat);
//!
//! let mut guest = connect(&chat).open().await.unwrap();
//! assert_eq!(guest.call("ping").await.data(), "pong");
//! assert_eq!(guest.call("add").with("a", 1).with("b", 2).await.status(), 403);
//!
//! let mut member = connect(&chat).user(Member(7)).open().await.unwrap();
//! assert_eq!(member.call("add").with("a", 1).with("b", 2).await.data(), 3);
//! # }
//! ```
//!
//! # Testing that no event leaks
//!
//! Each frame is returned once. A call keeps the frames that arrive before its reply, and [`Client::expect_silence`] panics
//! if there are any:
//!
//! ```standalone_crate
//! use portcullis::testing::connect;
//! use portcullis::{AllowAny, Context, Event, Group, Result, consumer};
//!
//! #[derive(Clone, PartialEq, Eq, Hash, Group)]
//! #[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
//! struct Lobby;
//!
//! #[derive(Event)]
//! struct Said(String);
//!
//! struct Chat;
//!
//! #[consumer]
//! impl Chat {
//!     #[action(permission = AllowAny)]
//!     async fn enter(&self, cx: &Context<'_, ()>) -> Result<()> { cx.join(Lobby).await }
//!
//!     #[action(permission = AllowAny)]
//!     async fn ping(&self) -> &'static str { "pong" }
//!
//!     // It should have been `permission = DenyAll`.
//!     #[event(permission = AllowAny)]
//!     fn said(event: &Said) -> &str { &event.0 }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let chat = portcullis::websocket(Chat);
//! let mut eve = connect(&chat).open().await.unwrap();
//! eve.call("enter").await;
//! chat.publisher().publish(&Lobby, Said("a secret".to_owned()));
//! assert_eq!(eve.call("ping").await.data(), "pong");
//!
//! // The event arrived before the reply and was kept.
//! let test = tokio::spawn(async move { eve.expect_silence().await });
//! assert!(test.await.unwrap_err().is_panic());
//! # }
//! ```

mod audit_snapshot;
mod call;
mod client;
mod cluster;
mod connect;
mod reply;

pub use crate::broker::ClusterBroker;
#[doc(hidden)]
pub use audit_snapshot::compare_audit;
pub use call::{ClientCall, ClientStream};
pub use client::Client;
pub use cluster::Cluster;
pub use connect::{ConnectBuilder, connect};
pub use reply::{Rejected, Reply};
