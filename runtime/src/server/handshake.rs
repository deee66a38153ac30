//! Decides on a request before it is upgraded: its origin, its user, the expressions of the door.

use std::sync::Arc;

use futures_util::FutureExt;
use http::request::Parts;
use http::{StatusCode, header};

use super::endpoint::Endpoint;
use crate::connection::{Limits, run};
use crate::consumer::Consumer;
use crate::context::{ConnectContext, Scope};
use crate::dispatch::{fault_id, panicked, report};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::panic::contain_future;
use crate::session::{OverflowPolicy, SendQueue, Session, SessionRegistry};
use crate::time::deadline;
use crate::transport::Transport;

/// A request that may become a connection.
pub(crate) struct Accepted<C: Consumer> {
    consumer: Arc<C>,
    scope: Box<Scope<C::User>>,
    limits: Arc<Limits>,
    hub: Arc<SessionRegistry<C>>,
    overflow_policy: OverflowPolicy,
    asked_at: u64,
}

impl<C: Consumer> Accepted<C> {
    /// The largest frame that a transport should let through, in bytes.
    #[cfg(feature = "testing")]
    pub(crate) fn largest_frame(&self) -> usize {
        self.limits.max_frame_bytes
    }

    /// Serves the connection until it ends.
    pub(crate) fn serve<T: Transport>(self, transport: T) -> impl Future<Output = ()> + Send {
        let Limits {
            max_queued_events: queue,
            max_queued_bytes: queue_bytes,
            max_groups: groups,
            action_timeout: action,
            ..
        } = *self.limits;
        let mailbox = SendQueue::new(queue, queue_bytes, self.overflow_policy, self.hub.counts().clone());
        let seat = Session::new(&self.hub, self.consumer, mailbox, groups, action);
        run(transport, seat, self.asked_at, self.scope, &self.limits)
    }
}

/// The status that refuses a request. Nothing else is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rejection(pub(crate) StatusCode);

impl<C: Consumer> Endpoint<C> {
    /// Lets a request in, or turns it away. A user who is known already need not be authenticated.
    pub(crate) async fn admit(&self, parts: Box<Parts>, known: Option<C::User>) -> Result<Accepted<C>, Rejection> {
        if self.lacks_grants() {
            tracing::error!(
                consumer = C::NAME,
                "codenames are asked that nobody grants: the endpoint has no `.grants(..)`"
            );
            return Err(Rejection(StatusCode::INTERNAL_SERVER_ERROR));
        }
        if !self.origins.allow(&parts) {
            let origin = parts.headers.get(header::ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()));
            tracing::info!(origin = ?origin.as_deref().map(Truncated::words), "refused: the origin is not allowed");
            return Err(Rejection(StatusCode::FORBIDDEN));
        }
        let asked_at = self.hub.changes();
        let head = ConnectContext::<C::User>::head();
        let scope = match self.within(self.scope(parts, known)).await {
            Ok(scope) => scope,
            Err(error) => {
                let status = error.status().as_u16();
                let cause = Cause::new(&error);
                if error.is_fault() {
                    tracing::error!(id = %fault_id(), status, ?cause, "authentication failed");
                } else {
                    tracing::info!(status, ?cause, "refused by authentication");
                }
                return Err(Rejection(error.status()));
            }
        };
        let connect = ConnectContext::new(&scope, &head);
        if let Err(error) = self.within(self.consumer.authorize_connect(&connect)).await {
            report(connect.call(), &error);
            return Err(Rejection(error.status()));
        }
        Ok(Accepted {
            consumer: self.consumer.clone(),
            scope: Box::new(scope),
            limits: self.limits.clone(),
            hub: self.hub.clone(),
            overflow_policy: self.overflow_policy,
            asked_at,
        })
    }

    async fn scope(&self, mut parts: Box<Parts>, known: Option<C::User>) -> Result<Scope<C::User>> {
        let user = match (known.or_else(|| parts.extensions.remove()), &self.authenticate) {
            (Some(user), _) => Some(user),
            (None, Some(authenticate)) => authenticate(&parts).await?,
            (None, None) => None,
        };
        Scope::new(user, *parts).with_grants(self.grants.as_ref()).with_expiry()
    }

    /// What the door waits for has the time of an action, and its panic is a fault.
    fn within<T>(&self, asking: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
        deadline(self.limits.action_timeout, contain_future(asking)).map(|outcome| match outcome {
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => Err(panicked(&panic)),
            None => Err(Error::internal("the door took too long")),
        })
    }
}
