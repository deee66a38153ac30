//! The handshake: checks a request before it is upgraded, by its origin, its user and the connect permissions.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::request::Parts;
use http::{StatusCode, header};

use super::endpoint::Endpoint;
use crate::connection::{Limits, run};
use crate::consumer::Consumer;
use crate::context::{ConnectContext, ConnectionId, Scope};
use crate::dispatch::{fault_id, panic_error, report};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::panic::contain_future;
use crate::session::{OverflowPolicy, SendQueue, Session, SessionRegistry};
use crate::time::deadline;
use crate::transport::Transport;

/// The outcome of a successful handshake: a request that may become a connection.
pub(crate) struct Accepted<C: Consumer> {
    consumer: Arc<C>,
    scope: Box<Scope<C::User>>,
    limits: Arc<Limits>,
    registry: Arc<SessionRegistry<C>>,
    overflow_policy: OverflowPolicy,
    authenticate_within: Option<Duration>,
    allows_cancel: bool,
    /// The change counter of the registry when the checks began, see [`SessionRegistry::change_count`].
    changes_at_start: u64,
}

impl<C: Consumer> Accepted<C> {
    /// Returns the maximum size of a frame that the transport may accept, in bytes.
    #[cfg(feature = "testing")]
    pub(crate) fn max_frame_bytes(&self) -> usize {
        self.limits.max_frame_bytes
    }

    /// Serves the connection until it ends.
    pub(crate) fn serve<T: Transport>(self, transport: T) -> impl Future<Output = ()> + Send {
        let Limits { max_queued_events, max_queued_bytes, .. } = *self.limits;
        let send_queue =
            SendQueue::new(max_queued_events, max_queued_bytes, self.overflow_policy, self.registry.counters().clone());
        let id = self.scope.connection_id();
        let session = Session::new(&self.registry, id, self.consumer, send_queue, self.limits.session_limits());
        let Accepted { changes_at_start, scope, limits, authenticate_within, allows_cancel, .. } = self;
        run(transport, session, changes_at_start, scope, &limits, authenticate_within, allows_cancel)
    }
}

/// The outcome of a failed handshake: the status of the HTTP response, which has no body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rejection(pub(crate) StatusCode);

impl<C: Consumer> Endpoint<C> {
    /// Performs the handshake for a request. A `known_user` is not authenticated.
    pub(crate) async fn accept(
        &self,
        parts: Box<Parts>,
        known_user: Option<C::User>,
    ) -> Result<Accepted<C>, Rejection> {
        if self.is_missing_grants() {
            tracing::error!(
                consumer = C::NAME,
                "handshake rejected: the consumer uses codenames, but the endpoint has no source of grants"
            );
            return Err(Rejection(StatusCode::INTERNAL_SERVER_ERROR));
        }
        if self.hides_an_action() {
            tracing::error!(
                consumer = C::NAME,
                "handshake rejected: `Endpoint::allow_cancel` would hide the consumer's action `cancel`"
            );
            return Err(Rejection(StatusCode::INTERNAL_SERVER_ERROR));
        }
        if let Err(reason) = self.origins.check(&parts) {
            let text_of = |name| parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
            let (host, origin) = (text_of(header::HOST), text_of(header::ORIGIN));
            let (host, origin) = (host.as_deref().map(Truncated::new), origin.as_deref().map(Truncated::new));
            tracing::info!(?host, ?origin, "handshake rejected: {reason}");
            return Err(Rejection(StatusCode::FORBIDDEN));
        }
        if let Some(grants) = &self.grants {
            grants.limit_loads(self.limits.max_concurrent_loads);
            grants.limit_age(self.limits.grants_max_age);
        }
        let changes_at_start = self.registry.change_count();
        let head = ConnectContext::<C::User>::head();
        let scope = match self.with_timeout(self.build_scope(parts, known_user)).await {
            Ok(scope) => scope,
            Err(error) => {
                let status = error.status().as_u16();
                let cause = Cause::new(&error);
                if error.is_fault() {
                    tracing::error!(id = %fault_id(), status, ?cause, "authentication failed");
                } else {
                    tracing::info!(status, ?cause, "handshake rejected by authentication");
                }
                return Err(Rejection(error.status()));
            }
        };
        let connect = ConnectContext::new(&scope, &head);
        if let Err(error) = self.with_timeout(self.consumer.authorize_connect(&connect)).await {
            report(connect.call(), &error);
            return Err(Rejection(error.status()));
        }
        Ok(Accepted {
            consumer: self.consumer.clone(),
            scope: Box::new(scope),
            limits: self.limits.clone(),
            registry: self.registry.clone(),
            overflow_policy: self.overflow_policy,
            authenticate_within: self.authenticate_within,
            allows_cancel: self.allows_cancel,
            changes_at_start,
        })
    }

    /// Authenticates a request and creates the scope of its connection. Fails with 401 if the credentials have expired.
    async fn build_scope(&self, mut parts: Box<Parts>, known_user: Option<C::User>) -> Result<Scope<C::User>> {
        let user = match (known_user.or_else(|| parts.extensions.remove()), &self.authenticate) {
            (Some(user), _) => Some(user),
            (None, Some(authenticate)) => authenticate.authenticate_boxed(&parts).await?,
            (None, None) => None,
        };
        let id = ConnectionId::random()?;
        let scope = Scope::with_kept_headers(user, *parts, Some(self.kept_headers.clone()));
        self.check_request_size(&scope)?;
        scope.with_connection_id(id).with_grants(self.grants.as_ref()).with_expiry()
    }

    /// Fails with 431 if the connection would keep more of its request than the limit.
    fn check_request_size(&self, scope: &Scope<C::User>) -> Result<()> {
        if scope.request_bytes() <= self.limits.max_request_bytes {
            return Ok(());
        }
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Err(Error::new(status, "request_too_large", "The path, the query and the kept headers are too large."))
    }

    /// Applies the time limit of an action to a check. A panic and a timeout become faults.
    fn with_timeout<T>(&self, check: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
        deadline(self.limits.action_timeout, contain_future(check)).map(|outcome| match outcome {
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => Err(panic_error(&panic)),
            None => Err(Error::internal("handshake timed out")),
        })
    }
}
