//! The context of connect permissions and of `#[connect]`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Mutex;

use http::Extensions;

use super::{Call, CallSession, PermissionContext, Scope, SideEffects};
use crate::message::Envelope;
use crate::panic::Contained;
use crate::sync::ignore_poison;

/// The action name of the context of a connect permission.
const ACTION: &str = "connect";

/// A connection that is being established, as connect permissions and `#[connect]` receive it.
///
/// Connect permissions are evaluated during the handshake, `#[connect]` runs once the socket is open. Neither has a message,
/// so there are no arguments and no route captures.
///
/// ```standalone_crate
/// use portcullis::{AllowAny, ConnectContext, Context, Error, Result, consumer};
///
/// /// The device that the client names when it connects.
/// #[derive(Clone)]
/// struct Device(String);
///
/// struct Chat;
///
/// #[consumer]
/// impl Chat {
///     #[connect]
///     async fn on_connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
///         let device = cx.scope().header("x-device")?;
///         cx.insert(Device(device.ok_or_else(Error::denied)?.to_owned()));
///         Ok(())
///     }
///
///     #[action(permission = AllowAny)]
///     async fn device(&self, cx: &Context<'_, ()>) -> Option<String> {
///         cx.scope().extension::<Device>().map(|device| device.0.clone())
///     }
/// }
///
/// let endpoint = portcullis::websocket(Chat).keep_headers(["x-device"]);
/// ```
pub struct ConnectContext<'a, U> {
    call: Call<'a, U>,
    inserted: Contained<Mutex<Extensions>>,
}

impl<'a, U> ConnectContext<'a, U> {
    pub(crate) fn new(scope: &'a Scope<U>, head: &'a Envelope<'a>) -> ConnectContext<'a, U> {
        ConnectContext { call: Call::new(scope, head, &[], &[], &[]), inserted: Contained::new(Mutex::default()) }
    }

    /// Sets the session, which joins need. Connect permissions run without one.
    pub(crate) fn with_session(mut self, session: &'a (dyn CallSession + 'static)) -> Self {
        self.call = self.call.with_session(session);
        self
    }

    /// Returns the envelope of a connect call. Its action is `connect`, and it has no route.
    pub(crate) fn head() -> Envelope<'static> {
        Envelope { action: Cow::Borrowed(ACTION), ..Envelope::default() }
    }

    /// Returns the scope of the connection: its user and the HTTP request that opens it.
    pub fn scope(&self) -> &'a Scope<U> {
        self.call.scope()
    }

    /// Returns the user, or `None` if the client is anonymous.
    pub fn user(&self) -> Option<&'a U> {
        self.scope().user()
    }

    /// Stores a value for the lifetime of the connection, in place of an earlier one of the same type. Once `#[connect]` has
    /// succeeded, [`Scope::extension`] returns it.
    ///
    /// Intended for `#[connect]`, see the [example](ConnectContext). A value that a permission inserts is dropped.
    pub fn insert<T: Clone + Send + Sync + 'static>(&self, value: T) {
        ignore_poison(self.inserted.lock()).insert(value);
    }

    /// Returns the inserted values and the side effects of a `#[connect]` that succeeded.
    pub(crate) fn into_outcome(mut self) -> (Extensions, Option<Box<SideEffects>>) {
        (ignore_poison(self.inserted.into_inner().into_inner()), self.call.take_side_effects())
    }

    pub(crate) fn call(&self) -> &Call<'a, U> {
        &self.call
    }

    /// Returns the context for evaluating [`Permission::has_permission`](crate::Permission::has_permission) of a client that
    /// connects. Its action is `connect`, its route is empty, and it has no captures and no arguments.
    ///
    /// The expression of `connect = ..` uses it for a leaf whose [`can_connect`](crate::Permission::can_connect) returns
    /// `None`.
    pub fn as_context(&self) -> PermissionContext<'_, U> {
        self.call.permission_context()
    }
}

impl<U> fmt::Debug for ConnectContext<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectContext")
    }
}
