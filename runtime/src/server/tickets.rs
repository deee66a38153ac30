//! The tickets of an endpoint: the setting, and issuing a ticket by its origin rules.

use http::request::Parts;

use super::endpoint::Endpoint;
use crate::consumer::Consumer;
use crate::error::{Error, Result};
use crate::log::{Cause, fault_id};
use crate::panic::log_entry;
use crate::tickets::{LoginId, Ticket, Tickets};

impl<C: Consumer> Endpoint<C> {
    /// Sets the tickets by which clients may authenticate. Default: none.
    ///
    /// A client presents a ticket in one of two ways:
    ///
    /// - as a subprotocol: `new WebSocket(url, ["chat.v1", "ticket." + ticket])`. The endpoint needs the setting
    ///   [`subprotocols`](Endpoint::subprotocols), because a browser requires one to be answered; the ticket itself
    ///   never is. A client that offers a ticket and none of the endpoint's subprotocols is rejected with 400, and
    ///   its ticket stays valid.
    /// - in the query: `wss://chat.example/ws?ticket=..`. Proxies, servers and tower layers write URLs to their
    ///   logs, so prefer the subprotocol if the client can set one.
    ///
    /// A request that presents a ticket is authenticated by it alone: the user of a tower layer and the function of
    /// [`authenticate`](Endpoint::authenticate) are not considered, even if the ticket is invalid. A ticket that was
    /// used, has expired, is void, malformed or unknown, or was issued for another consumer, is rejected with 401,
    /// and so are several tickets in one request. The response does not say which. Requests without a ticket are
    /// authenticated as without this setting.
    ///
    /// The ticket is removed from the request before anything else reads it: neither
    /// [`Scope::query`](crate::Scope::query), nor a header, nor the log contains it.
    ///
    /// The [authentication chapter](crate::guide::authentication#tickets) has an example.
    ///
    /// # Panics
    ///
    /// Panics if the store [is local](crate::TicketStore::IS_LOCAL), as a [`MemoryTicketStore`](crate::MemoryTicketStore) is,
    /// and the endpoint has a [broker](Endpoint::broker) that connects it to other processes.
    #[must_use]
    pub fn tickets(mut self, tickets: Tickets<C::User>) -> Self {
        self.tickets = Some(tickets);
        self.check_tickets(self.registry.node.get().is_some_and(|node| node.connects_processes()));
        self
    }

    /// Checks that the tickets are known wherever a client may connect.
    pub(super) fn check_tickets(&self, connects_processes: bool) {
        let is_local = self.tickets.as_ref().is_some_and(Tickets::is_local);
        assert!(
            !(is_local && connects_processes),
            "`{}` has a broker that connects processes, but its tickets are known to this process only; use a store that the \
             processes share, such as `RedisTicketStore`",
            C::NAME
        );
    }

    /// Issues a ticket that opens one connection to this endpoint, or to another one of the same consumer that shares
    /// the [`TicketStore`](crate::TicketStore).
    ///
    /// Call it in an HTTP handler that knows the user, on a clone of the endpoint that has all its settings.
    /// `request` is the request that the handler answers: its `Host` and `Origin` headers are checked by the same
    /// rules as a handshake, because a browser sends the cookies of the user with the requests of every page. `login`
    /// names the login session of the user, for [`Tickets::void_login`]. Return the ticket in the body of the response, and
    /// do not put it into a URL, a cookie or the log. Mount the handler for `POST`, whose requests always have
    /// an `Origin` header if a browser sends them.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, LoginId, MemoryTicketStore, TicketClaims, Tickets, User, consumer, websocket};
    /// # struct Member(String);
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.0.as_str().into() } }
    /// # struct Chat;
    /// # #[consumer(user = Member)]
    /// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// # fn login_session(_: &http::request::Parts) -> Option<(Member, String)> { None }
    /// use axum::extract::State;
    /// use axum::routing::post;
    /// use http::request::Parts;
    /// use portcullis::{Endpoint, Error, Result};
    ///
    /// /// An error is a response with its status and, for 429, `Retry-After`.
    /// async fn issue(State(chat): State<Endpoint<Chat>>, request: Parts) -> Result<String> {
    ///     let (member, key) = login_session(&request).ok_or_else(Error::unauthenticated)?;
    ///     Ok(chat.issue_ticket(&request, &member, &LoginId::new(key)).await?.into())
    /// }
    ///
    /// let tickets = Tickets::new(MemoryTicketStore::new(), |claims: TicketClaims| async move {
    ///     Ok(Some(Member(claims.user_id)))
    /// });
    /// let chat = websocket(Chat).subprotocols(["chat.v1"]).tickets(tickets);
    /// let app: axum::Router = axum::Router::new()
    ///     .route("/ticket", post(issue))
    ///     .with_state(chat.clone())
    ///     .route("/ws", chat.into_route());
    /// ```
    ///
    /// # Errors
    ///
    /// 403 `permission_denied` if the host or the origin of the request is not allowed, 401 `unauthenticated` if the
    /// credentials of the user have [expired](crate::User::expires_at), 429 `too_many_requests` if the user gets more than
    /// [`Tickets::max_issued_per_minute`], and a fault (500) if the endpoint has no
    /// [`tickets`](Endpoint::tickets), or if the store fails, panics or does not answer within 5 seconds. The log has
    /// the reason of a 403 and of a fault.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, a ticket may have been stored that no client receives. It expires after
    /// [`Ticket::LIFETIME`].
    pub async fn issue_ticket(&self, request: &Parts, user: &C::User, login: &LoginId) -> Result<Ticket> {
        self.check_origin(request, "ticket not issued")?;
        let issued = match &self.tickets {
            Some(tickets) => tickets.issue(C::NAME, user, login).await,
            None => Err(Error::internal("the endpoint has no tickets; add `.tickets(..)`")),
        };
        issued.map_err(|error| {
            if !error.is_fault() {
                return error;
            }
            let id = fault_id();
            log_entry!(ERROR, %id, consumer = C::NAME, cause = ?Cause::new(&error), "ticket not issued");
            error.with_log_id(id)
        })
    }
}
