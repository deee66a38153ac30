//! What Portcullis must know of an application's user type.

use std::borrow::Cow;
use std::time::SystemTime;

/// The application's type for who is connected, made anew for each connection.
///
/// Anonymous connections have no user at all ([`Scope::user`](crate::Scope::user) is `None`), so the type need not
/// know them. State of one connection may live in it; it is dropped with the connection.
///
/// ```
/// struct Member { id: u64 }
///
/// impl portcullis::User for Member {
///     fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user type",
    label = "not a user type",
    note = "implement `portcullis::User` for `{Self}`; its one required method says who the user is"
)]
pub trait User: Send + Sync + 'static {
    /// Who this is: the same for all connections of one user, of no other user ever, and no secret.
    ///
    /// It is the identity that fresh credentials must share (`#[authenticate]`), by which [`Connections`](crate::Connections) and
    /// [`Publisher`](crate::Publisher) find connections and objects overwrite grants, and what the log says. A name that
    /// people choose themselves is none.
    fn id(&self) -> Cow<'_, str>;

    /// Until when the credentials are good that this came of. Then the connection is closed with 4401, whatever runs on it,
    /// unless the client has shown fresh ones by the consumer's `#[authenticate]`. Asked once, when the value is made. Default:
    /// they do not run out.
    fn expires_at(&self) -> Option<SystemTime> {
        None
    }
}

/// For consumers that know no users: everybody is anonymous.
impl User for () {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
}
