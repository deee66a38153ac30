//! The handshake: checks a request before it is upgraded, by its origin, its user and the connect permissions.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use http::request::Parts;
use http::{StatusCode, header};

use super::endpoint::Endpoint;
use super::presented_ticket::PresentedTicket;
use super::rejection::Rejection;
use crate::connection::{ConnectionSettings, Limits, run};
use crate::consumer::Consumer;
use crate::context::{ConnectContext, ConnectionId, PeerAddress, Scope};
use crate::dispatch::{panic_error, refusal_log, report};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated, fault_id};
use crate::observe::connection_span;
use crate::panic::{ContainedSpan, catch_unwind, catch_unwind_future, contain_future, in_span, log_entry};
use crate::session::{SendQueue, Session, SessionGuard};
use crate::time::deadline;
use crate::transport::Transport;

/// The outcome of a successful handshake: a request that may become a connection.
pub(crate) struct Accepted<C: Consumer> {
    session: Arc<Session<C>>,
    /// Counts the connection as open already: a drain waits for its upgrade.
    session_guard: SessionGuard<C>,
    scope: Box<Scope<C::User>>,
    limits: Arc<Limits>,
    settings: ConnectionSettings,
    /// The change counter of the registry when the checks began, see [`SessionRegistry::change_count`].
    changes_at_start: u64,
}

impl<C: Consumer> Accepted<C> {
    /// Returns the subprotocol to answer with.
    #[cfg(feature = "axum")]
    pub(super) fn subprotocol(&self) -> Option<&str> {
        self.scope.subprotocol()
    }

    /// Serves the connection until it ends.
    pub(crate) fn serve<T: Transport>(self, transport: T) -> impl Future<Output = ()> + Send {
        let Accepted { session, session_guard, scope, limits, settings, changes_at_start } = self;
        run(transport, &session, session_guard, changes_at_start, scope, &limits, settings)
    }
}

impl<C: Consumer> Endpoint<C> {
    /// Performs the handshake for a request, and counts it. A `known_user` is not authenticated. The handshake calls
    /// application code, also for log entries: if that panics, it is rejected.
    pub(crate) async fn accept(
        &self,
        parts: Box<Parts>,
        known_user: Option<C::User>,
    ) -> Result<Accepted<C>, Rejection> {
        let telemetry = &self.registry.telemetry;
        let handshake = telemetry.begin_handshake();
        let outcome = catch_unwind_future(self.check(parts, known_user)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Rejection::unreadable(StatusCode::INTERNAL_SERVER_ERROR)));
        handshake.end();
        if let Err(rejection) = &outcome {
            telemetry.record_rejection(rejection.status);
        }
        outcome
    }

    /// Checks a request in the order that [`Endpoint`] documents.
    async fn check(&self, mut parts: Box<Parts>, known_user: Option<C::User>) -> Result<Accepted<C>, Rejection> {
        if self.registry.drain.is_closing() {
            return Err(Rejection::drained());
        }
        // Before anything else reads the request, so that nothing else sees the ticket.
        let ticket = self.take_ticket(&mut parts)?;
        if self.is_missing_grants() {
            log_entry!(
                ERROR,
                consumer = C::NAME,
                "handshake rejected: the consumer uses codenames, but the endpoint has no source of grants"
            );
            return Err(Rejection::unreadable(StatusCode::INTERNAL_SERVER_ERROR));
        }
        if self.hides_an_action() {
            log_entry!(
                ERROR,
                consumer = C::NAME,
                "handshake rejected: `Endpoint::allow_cancel` would hide the consumer's action `cancel`"
            );
            return Err(Rejection::unreadable(StatusCode::INTERNAL_SERVER_ERROR));
        }
        if let Err(error) = self.check_origin(&parts, "handshake rejected") {
            return Err(Rejection::unreadable(error.status()));
        }
        let needs_subprotocol = ticket.as_ref().is_some_and(|ticket| ticket.is_subprotocol);
        let subprotocol = match self.subprotocols.negotiate(&parts.headers) {
            Ok(subprotocol) if subprotocol.is_some() || !needs_subprotocol => subprotocol,
            // What the client offers is not logged: it may be a ticket of another endpoint.
            _ => {
                if refusal_log::admit_handshake(peer_address(&parts)) {
                    log_entry!(INFO, "handshake rejected: the client offers no subprotocol of the endpoint");
                }
                return Err(Rejection::unreadable(StatusCode::BAD_REQUEST));
            }
        };
        let outcome = self.authorize(parts, known_user, ticket, subprotocol.clone()).await;
        outcome.map_err(|rejection| rejection.with_subprotocol(subprotocol))
    }

    /// Authenticates a request whose origin is allowed, and evaluates the connect permissions.
    async fn authorize(
        &self,
        parts: Box<Parts>,
        known_user: Option<C::User>,
        ticket: Option<PresentedTicket>,
        subprotocol: Option<Arc<str>>,
    ) -> Result<Accepted<C>, Rejection> {
        let _pending = self.handshake_limiter.begin(parts.extensions.get().copied())?;
        if let Some(grants) = &self.grants {
            grants.limit_loads(self.limits.max_concurrent_loads);
            grants.limit_age(self.limits.max_age());
        }
        let changes_at_start = self.registry.change_count();
        // After the number of changes is known: if the machine is cut off from now on, that is a change.
        if self.registry.node.get().is_some_and(|node| node.refuses_connections()) {
            return Err(Rejection::busy());
        }
        let head = ConnectContext::<C::User>::head();
        let address = peer_address(&parts);
        let scope = match self.with_timeout(self.build_scope(parts, known_user, ticket)).await {
            Ok(scope) => scope.with_subprotocol(subprotocol),
            Err(error) => {
                let status = error.status().as_u16();
                let cause = Cause::new(&error);
                if error.is_fault() {
                    log_entry!(ERROR, id = %fault_id(), status, ?cause, "authentication failed");
                } else if refusal_log::admit_handshake(address) {
                    log_entry!(INFO, status, ?cause, "handshake rejected by authentication");
                }
                return Err((&error).into());
            }
        };
        let user = || scope.user().and_then(|_| catch_unwind(|| scope.user_id().into_owned()).ok());
        let span = connection_span(C::NAME, scope.connection_id(), address, user);
        let connect = ConnectContext::new(&scope, &head);
        let authorization = self.with_timeout(self.consumer.authorize_connect(&connect));
        if let Err(error) = in_span(span.as_ref().and_then(ContainedSpan::try_clone), authorization).await {
            // To log in may help, unlike after a 403.
            let is_anonymous_refused = scope.user().is_none() && error.status() == StatusCode::FORBIDDEN;
            let error = match error.leaf() {
                _ if !is_anonymous_refused => error,
                Some(leaf) => Error::unauthenticated().with_leaf(leaf),
                None => Error::unauthenticated(),
            };
            let _entered = span.as_ref().map(ContainedSpan::enter);
            report(connect.call(), &error);
            return Err((&error).into());
        }
        let session = self.new_session(scope.connection_id(), span);
        Ok(Accepted {
            session_guard: SessionGuard::admit(session.clone()).ok_or_else(Rejection::drained)?,
            session,
            scope: Box::new(scope),
            limits: self.limits.clone(),
            settings: ConnectionSettings {
                authenticate_within: self.authenticate_within,
                allows_cancel: self.allows_cancel,
            },
            changes_at_start,
        })
    }

    /// Removes the ticket from a request, if the endpoint has tickets.
    fn take_ticket(&self, parts: &mut Parts) -> Result<Option<PresentedTicket>, Rejection> {
        if self.tickets.is_none() {
            return Ok(None);
        }
        PresentedTicket::take(parts).map_err(|_| {
            if refusal_log::admit_handshake(peer_address(parts)) {
                log_entry!(INFO, "handshake rejected: the rest of a request with a ticket is malformed");
            }
            Rejection::unreadable(StatusCode::BAD_REQUEST)
        })
    }

    /// Checks host and origin of a request. A refusal is logged as this event.
    ///
    /// # Errors
    ///
    /// 403 `permission_denied`.
    pub(super) fn check_origin(&self, parts: &Parts, event: &str) -> Result<()> {
        self.origins.check(parts).map_err(|reason| {
            let text_of = |name| parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
            let (host, origin) = (text_of(header::HOST), text_of(header::ORIGIN));
            let (host, origin) = (host.as_deref().map(Truncated::new), origin.as_deref().map(Truncated::new));
            if refusal_log::admit_handshake(peer_address(parts)) {
                log_entry!(INFO, ?host, ?origin, "{event}: {reason}");
            }
            Error::denied()
        })
    }

    fn new_session(&self, id: ConnectionId, span: Option<ContainedSpan>) -> Arc<Session<C>> {
        let Limits { max_queued_events, max_queued_bytes, .. } = *self.limits;
        let telemetry = self.registry.telemetry.clone();
        let send_queue = SendQueue::new(max_queued_events, max_queued_bytes, self.overflow_policy, telemetry);
        Session::new(
            &self.registry,
            id,
            self.consumer.clone(),
            send_queue,
            self.limits.session_limits(),
            span.map(Box::new),
        )
    }

    /// Authenticates a request and creates the scope of its connection. Fails with 401 if the credentials have expired.
    async fn build_scope(
        &self,
        mut parts: Box<Parts>,
        known_user: Option<C::User>,
        ticket: Option<PresentedTicket>,
    ) -> Result<Scope<C::User>> {
        let user = known_user.or_else(|| parts.extensions.remove().filter(|_| ticket.is_none()));
        let (user, expires_at) = match (user, ticket, &self.tickets, &self.authenticate) {
            (None, Some(ticket), Some(tickets), _) => {
                let (user, expires_at) = tickets.redeem(C::NAME, ticket.ticket).await?;
                (Some(user), expires_at)
            }
            (None, Some(_), None, _) => {
                return Err(Error::internal("bug: a ticket was taken by an endpoint without tickets"));
            }
            (None, None, _, Some(authenticate)) => (authenticate.authenticate_boxed(&parts).await?, None),
            (user, ..) => (user, None),
        };
        let id = ConnectionId::random()?;
        let scope = Scope::with_kept_headers(user, *parts, Some(self.kept_headers.clone()));
        self.check_request_size(&scope)?;
        if let Some(user) = scope.user() {
            self.handshake_limiter.check_user(user)?;
        }
        scope.with_connection_id(id).with_grants(self.grants.as_ref()).with_expiry()?.expire_at(expires_at)
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

/// Returns the address of the client, if it is known.
fn peer_address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get().map(|PeerAddress(address)| *address)
}
