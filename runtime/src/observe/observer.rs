//! The trait of applications that observe an endpoint: [`Observer`].

use std::time::Duration;

use http::StatusCode;

use super::ActionOutcome;
use crate::context::{ConnectionId, DisconnectReason};

/// Receives what happens at an endpoint, for example to feed a metrics library. Set by
/// [`Endpoint::observe`](crate::Endpoint::observe).
///
/// Each method has a default that does nothing. Its argument has names, route patterns, numbers and durations: no user, no
/// text of a client and no argument of an action.
///
/// An observer cannot delay or change what it observes. Its methods are called on a thread of its own, named
/// `portcullis-observer`; observations of one connection arrive in order. The queue in front of it holds 8192 observations.
/// When it is full, further ones are dropped, and [`ObserverCounts`](crate::ObserverCounts) counts them. A panic is caught,
/// counted and logged, and the next observation is delivered.
///
/// The thread ends when the endpoint and all its handles are dropped. An observer that owns such a handle, for example a
/// [`SnapshotHandle`](crate::SnapshotHandle), would keep its own thread alive: put the handle into an `Arc` that something
/// else owns, and give the observer a [`Weak`](std::sync::Weak).
///
/// # Examples
///
/// ```standalone_crate
/// use portcullis::{ActionFinished, AllowAny, Observer, consumer, websocket};
///
/// struct SlowActions;
///
/// impl Observer for SlowActions {
///     fn action_finished(&mut self, observation: &ActionFinished) {
///         let ActionFinished { action, route, status, duration, .. } = observation;
///         if duration.as_secs() >= 1 {
///             println!("{action} at `{route}`: {status} after {duration:?}");
///         }
///     }
/// }
///
/// struct Echo;
///
/// #[consumer]
/// impl Echo {
///     #[action(permission = AllowAny)]
///     async fn echo(&self, text: String) -> String { text }
/// }
///
/// let endpoint = websocket(Echo).observe(SlowActions);
/// ```
pub trait Observer: Send + 'static {
    /// Called when a handshake was accepted.
    fn connection_opened(&mut self, observation: &ConnectionOpened) {
        let _ = observation;
    }

    /// Called when a handshake was rejected.
    fn handshake_rejected(&mut self, observation: &HandshakeRejected) {
        let _ = observation;
    }

    /// Called when the action waits for the first time, for example for its permissions or in its body. For one that never waits,
    /// called together with [`action_finished`](Observer::action_finished).
    fn action_started(&mut self, observation: &ActionStarted) {
        let _ = observation;
    }

    /// Called when the reply of an action, or the last reply of its stream, is written, or the action has ended without one.
    fn action_finished(&mut self, observation: &ActionFinished) {
        let _ = observation;
    }

    /// Called when an event was published, or the presence of a user was announced.
    fn event_published(&mut self, observation: &EventPublished) {
        let _ = observation;
    }

    /// Called when the send queue of a connection has overflowed.
    fn queue_overflowed(&mut self, observation: &QueueOverflowed) {
        let _ = observation;
    }

    /// Called when a connection has ended, after `#[disconnect]`.
    fn connection_closed(&mut self, observation: &ConnectionClosed) {
        let _ = observation;
    }
}

/// A handshake was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionOpened {
    /// The name of the consumer.
    pub consumer: &'static str,
    /// The connection.
    pub connection: ConnectionId,
}

/// A handshake was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandshakeRejected {
    /// The name of the consumer.
    pub consumer: &'static str,
    /// The status of the response.
    pub status: StatusCode,
}

/// The evaluation of a message has begun. Reported when it waits for the first time, at the latest with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActionStarted {
    /// The name of the consumer.
    pub consumer: &'static str,
    /// The name of the action, or `_OTHER` if it does not exist.
    pub action: &'static str,
    /// The patterns of its route, joined by `/`. Empty for an action of the consumer itself, `_OTHER` if none matches.
    pub route: &'static str,
}

/// An action has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActionFinished {
    /// The name of the consumer.
    pub consumer: &'static str,
    /// As in [`ActionStarted`].
    pub action: &'static str,
    /// As in [`ActionStarted`].
    pub route: &'static str,
    /// The status of its own reply; 499 if it was cancelled or its connection has ended before. It does not change if the
    /// reply is withheld because rights have changed.
    pub status: StatusCode,
    /// What the status stands for.
    pub outcome: ActionOutcome,
    /// The time since [`ActionStarted`].
    pub duration: Duration,
}

/// An event was published, or the presence of a user was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventPublished {
    /// The name of the consumer.
    pub consumer: &'static str,
    /// The name of the event; `presence` for an announcement.
    pub event: &'static str,
    /// The number of connections that it was addressed to.
    pub receivers: usize,
    /// The number of those whose permission has refused it at once. For others it may wait until their grants are loaded.
    pub refused: usize,
}

/// The send queue of a connection has overflowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueOverflowed {
    /// The name of the consumer.
    pub consumer: &'static str,
    /// The number of events that were dropped by the [overflow policy](crate::OverflowPolicy).
    pub dropped: usize,
    /// Whether the connection is closed with 1013 instead.
    pub is_closed: bool,
}

/// A connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionClosed {
    /// The name of the consumer.
    pub consumer: &'static str,
    /// The connection.
    pub connection: ConnectionId,
    /// Why it has ended. `None` if it has ended with its runtime, or before the HTTP server had upgraded it.
    pub reason: Option<DisconnectReason>,
    /// The time since the handshake was accepted.
    pub duration: Duration,
}
