//! The trait of an application's user type.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

/// The user of a connection. Implemented by a type of the application.
///
/// A value is created per connection: by [`Endpoint::authenticate`](crate::Endpoint::authenticate), by a tower layer that
/// puts it into the request extensions, by the function of [`Tickets`](crate::Tickets), or by the consumer's
/// `#[authenticate]`. It may therefore hold state of the connection, and is dropped with it. The type needs no value for anonymous clients: their connections have no user
/// ([`Scope::user`](crate::Scope::user) returns `None`).
///
/// A consumer without users has the user type `()`.
///
/// ```
/// use std::borrow::Cow;
/// use std::time::SystemTime;
/// use portcullis::User;
///
/// struct Member { id: u64, token_expires_at: SystemTime }
///
/// impl User for Member {
///     fn id(&self) -> Cow<'_, str> { self.id.to_string().into() }
///
///     fn expires_at(&self) -> Option<SystemTime> { Some(self.token_expires_at) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user type",
    label = "not a user type",
    note = "implement `portcullis::User` for `{Self}`; its one required method says who the user is"
)]
pub trait User: Send + Sync + 'static {
    /// Returns the id of the user: equal for all connections of the user, and never reused for another user.
    ///
    /// The id must not be a secret, because it is logged. Do not use a name that users can change: another user could take
    /// it later.
    ///
    /// Portcullis compares the id in `#[authenticate]`, where fresh credentials must belong to the same user. It selects
    /// connections by it in [`Connections`](crate::Connections) and [`Publisher`](crate::Publisher), and the entries of
    /// [`Overwrites`](crate::Overwrites) for a single user.
    fn id(&self) -> Cow<'_, str>;

    /// Returns when the credentials of this user expire, or `None` if they do not. Default: `None`.
    ///
    /// The connection closes with 4401 at that time, even while an action runs, unless the client re-authenticates first by
    /// the consumer's `#[authenticate]`. If the time has already passed, the handshake is rejected with 401, and
    /// `#[authenticate]` refuses with 403.
    ///
    /// Called once per value, when the connection or the re-authentication begins.
    fn expires_at(&self) -> Option<SystemTime> {
        None
    }
}

/// A shared user: a consumer may have `user = Arc<Member>`.
impl<U: User> User for Arc<U> {
    fn id(&self) -> Cow<'_, str> {
        U::id(self)
    }

    fn expires_at(&self) -> Option<SystemTime> {
        U::expires_at(self)
    }
}

/// The user type of consumers without users: all their connections are anonymous.
impl User for () {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
}
