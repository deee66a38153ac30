//! A consumer with all that its door needs to know.

use std::fmt;
use std::sync::Arc;

use super::authenticate::{Authenticate, Authenticator, boxed};
use super::origin::{Origin, Origins};
use crate::connection::Limits;
use crate::consumer::{Consumer, mounted};
use crate::grants::{GrantCache, GrantSource};
use crate::pubsub::Publisher;
use crate::session::{Connections, OverflowPolicy, SessionRegistry};

/// A consumer, ready to be mounted.
///
/// It is an axum service, and composes with tower layers as every service does.
pub struct Endpoint<C: Consumer> {
    pub(super) consumer: Arc<C>,
    pub(super) authenticate: Option<Arc<Authenticator<C::User>>>,
    pub(super) origins: Arc<Origins>,
    pub(super) limits: Arc<Limits>,
    pub(super) grants: Option<GrantCache<C::User>>,
    pub(super) hub: Arc<SessionRegistry<C>>,
    pub(super) overflow_policy: OverflowPolicy,
}

/// Makes an endpoint of a consumer: `Router::new().route("/ws", websocket(Chat::new()).into_route())`.
///
/// The user comes from [`authenticate`](Endpoint::authenticate), or from the request's extensions, where a tower layer
/// has put a value of the consumer's user type. Pages of the same origin may connect, all [`Limits`] are on.
///
/// # Panics
///
/// When another consumer of the program has the same name, or two codenames have one. That is a mistake in the program,
/// and shows at start-up.
#[must_use = "an endpoint does nothing until it is mounted"]
pub fn websocket<C: Consumer>(consumer: C) -> Endpoint<C> {
    if let Err(error) = mounted::<C>() {
        panic!("{error}");
    }
    Endpoint {
        consumer: Arc::new(consumer),
        authenticate: None,
        origins: Arc::default(),
        limits: Arc::default(),
        grants: None,
        hub: Arc::new(SessionRegistry::new()),
        overflow_policy: OverflowPolicy::default(),
    }
}

impl<C: Consumer> Endpoint<C> {
    /// Asks this function who is behind a request. A user in the request's extensions comes first.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, consumer, Result, User};
    /// # struct Member;
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
    /// # struct Chat;
    /// # #[consumer(user = Member)]
    /// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// async fn session_user(parts: &http::request::Parts) -> Result<Option<Member>> {
    ///     Ok(parts.headers.contains_key("cookie").then_some(Member))
    /// }
    ///
    /// let endpoint = portcullis::websocket(Chat).authenticate(session_user);
    /// ```
    #[must_use]
    pub fn authenticate<F>(mut self, authenticate: F) -> Self
    where
        F: for<'a> Authenticate<'a, C::User> + Send + Sync + 'static,
    {
        self.authenticate = Some(Arc::new(boxed(authenticate)));
        self
    }

    /// Lets pages of these origins connect too, written `https://app.example` or `http://localhost:3000`.
    ///
    /// # Panics
    ///
    /// When one is no such origin: a mistake in the program, or in its configuration, that shows at start-up.
    #[must_use]
    pub fn allow_origins(mut self, origins: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        for origin in origins {
            let origin = origin.as_ref();
            let place = Origin::of_origin(origin);
            let place = place.unwrap_or_else(|| panic!("`{origin}` is no origin; write `https://app.example`"));
            Arc::make_mut(&mut self.origins).listed.push(place);
        }
        self
    }

    /// Lets pages of any origin connect. Sound only where no cookie, client certificate or network address says who
    /// somebody is: a browser sends these along for every page.
    #[must_use]
    pub fn allow_any_origin(mut self) -> Self {
        Arc::make_mut(&mut self.origins).any = true;
        self
    }

    /// Asks codenames of this source. Endpoints that are given clones of one [`GrantCache`] share what it has loaded.
    ///
    /// Without one, an endpoint whose consumer asks for codenames lets nobody in; [`into_route`](Endpoint::into_route) says
    /// so at start-up.
    #[must_use]
    pub fn grants(mut self, grants: impl GrantSource<C::User>) -> Self {
        let cache = grants.into_cache();
        self.hub.grant_from(cache.clone());
        self.grants = Some(cache);
        self
    }

    /// Does this with a connection for which too many events wait. Default: [`OverflowPolicy::Close`].
    #[must_use]
    pub fn overflow_policy(mut self, policy: OverflowPolicy) -> Self {
        self.overflow_policy = policy;
        self
    }

    /// Publishes to the groups of this endpoint, and of its clones, from outside a connection.
    pub fn publisher(&self) -> Publisher<C> {
        Publisher::new(self.hub.clone())
    }

    /// Tells the connections of this endpoint, and of its clones, that somebody may do more or less than before.
    pub fn connections(&self) -> Connections<C> {
        Connections::new(self.hub.clone())
    }

    /// Whether codenames are asked that nobody grants.
    pub(super) fn lacks_grants(&self) -> bool {
        let asks = || {
            C::DESCRIPTOR.asks_codenames()
                || C::EVENTS.iter().any(|event| event.permission.has_codenames)
                || C::CONNECT_PERMISSION.is_some_and(|expression| expression.has_codenames)
        };
        self.grants.is_none() && asks()
    }

    /// The endpoint, once nothing is missing.
    pub(crate) fn complete(self) -> Self {
        assert!(
            !self.lacks_grants(),
            "`{}` asks for codenames, but its endpoint has no grants; say where they come from with `.grants(..)`",
            C::NAME
        );
        self
    }

    /// Bounds its connections otherwise than by [`Limits::default`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Arc::new(limits);
        self
    }
}

impl<C: Consumer> Clone for Endpoint<C> {
    fn clone(&self) -> Self {
        Endpoint {
            consumer: self.consumer.clone(),
            authenticate: self.authenticate.clone(),
            origins: self.origins.clone(),
            limits: self.limits.clone(),
            grants: self.grants.clone(),
            hub: self.hub.clone(),
            overflow_policy: self.overflow_policy,
        }
    }
}

impl<C: Consumer> fmt::Debug for Endpoint<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("consumer", &C::NAME).field("limits", &self.limits).finish_non_exhaustive()
    }
}
