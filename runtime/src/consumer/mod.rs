//! Traits and descriptors that the attributes implement for handlers and consumers, the registry and the audit.

mod audit;
mod const_check;
mod descriptor;
mod mount;
mod registry;
mod traversal;

use std::future::Future;

pub use audit::{Audit, AuditEntry, audit};
pub use const_check::{check_consumer_captures, check_descriptor, check_mount, check_mounts};
pub use descriptor::{
    ActionDescriptor, CaptureUse, EventDescriptor, HandlerDescriptor, LeafHeaders, Pattern, PublishRule, ReceiveEvent,
    Regex, RouteDescriptor, Segment,
};
#[cfg(feature = "registry")]
pub use inventory;
pub use mount::{Mount, Mountable, UnknownMount};
#[cfg(feature = "registry")]
pub use registry::GroupRegistration;
#[cfg(feature = "registry")]
pub(crate) use registry::{HistoryRule, PresenceRule};
pub use registry::{Registration, RegistryError, codenames};
pub(crate) use registry::{group_headers, groups_of, register_mounted};
pub use traversal::{
    ActionBox, ActionFn, ActionFuture, ConsumerBlock, Dispatch, HandlerBlock, Traversal, UnsharedAction,
};

use crate::context::{Authorized, Call, ConnectContext, Disconnect, Gap};
use crate::error::Result;
use crate::permission::Expression;

/// The type that serves the connections of one WebSocket endpoint. Implemented by [`#[consumer]`](macro@crate::consumer).
///
/// Pass a value to [`websocket`](crate::websocket) to mount it. All other items of the trait are private to the macros.
///
/// ```
/// use portcullis::{AllowAny, Consumer, consumer};
///
/// struct Echo;
///
/// #[consumer]
/// impl Echo {
///     #[action(permission = AllowAny)]
///     async fn ping(&self) -> &'static str { "pong" }
/// }
///
/// assert_eq!(Echo::NAME, "Echo");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "not a consumer",
    note = "put `#[consumer]` on an `impl {Self}` block; mount a type with `#[handler]` by `#[route]` in a consumer"
)]
pub trait Consumer: Dispatch {
    /// Name of the consumer in the registry and the audit. Unique in a program.
    const NAME: &'static str;

    /// Expression of `connect = ..`.
    #[doc(hidden)]
    const CONNECT_PERMISSION: Option<&'static Expression> = None;

    /// The headers that the leaves of that expression read.
    #[doc(hidden)]
    const CONNECT_HEADERS: LeafHeaders = &[];

    /// Events that the consumer sends.
    #[doc(hidden)]
    const EVENTS: &'static [EventDescriptor] = &[];

    /// Compile-time check of the whole handler tree.
    #[doc(hidden)]
    const CHECK: () = check_mounts(Self::DESCRIPTOR);

    /// Whether the block has an `#[authenticate]` method.
    #[doc(hidden)]
    const AUTHENTICATES: bool = false;

    /// Runs `#[authenticate]`: returns the user of the credentials in this message.
    #[doc(hidden)]
    fn authenticate(
        &self,
        call: &Call<'_, Self::User>,
        admitted: Authorized,
    ) -> impl Future<Output = Result<Option<Self::User>>> + Send {
        let _ = (call, admitted);
        async { Ok(None) }
    }

    /// Evaluates the expressions of the connect phase.
    #[doc(hidden)]
    fn authorize_connect(&self, cx: &ConnectContext<'_, Self::User>) -> impl Future<Output = Result<()>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// Runs `#[connect]`.
    #[doc(hidden)]
    fn on_connect(&self, cx: &ConnectContext<'_, Self::User>) -> impl Future<Output = Result<()>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// Runs `#[disconnect]`.
    #[doc(hidden)]
    fn on_disconnect(&self, cx: &Disconnect<'_, Self::User>) -> impl Future<Output = ()> + Send {
        let _ = cx;
        async {}
    }

    /// Whether the block has a `#[gap]` method.
    #[doc(hidden)]
    const HANDLES_GAPS: bool = false;

    /// Runs `#[gap]`.
    #[doc(hidden)]
    fn on_gap(&self, cx: &Gap<'_, Self>) -> impl Future<Output = ()> + Send {
        let _ = cx;
        async {}
    }
}
