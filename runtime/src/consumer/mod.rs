//! What the attributes generate for a type: its rows of actions and routes, and the calls into it.

mod audit;
mod const_check;
mod descriptor;
mod registry;
mod traversal;

use std::future::Future;

pub use audit::{Audit, AuditEntry, audit};
pub use const_check::{check_connect_captures, check_consumer_captures, check_descriptor, check_mount, check_mounts};
pub use descriptor::{
    ActionDescriptor, CaptureUse, EventDescriptor, HandlerDescriptor, Pattern, Regex, RouteDescriptor, Segment,
};
#[cfg(feature = "registry")]
pub use inventory;
#[cfg(feature = "registry")]
pub use registry::CodenameGroupRow;
pub(crate) use registry::mounted;
pub use registry::{Registration, RegistryError, codenames};
pub use traversal::{ActionFn, ConsumerBlock, Dispatch, HandlerBlock, Mountable, Traversal};

use crate::context::{Authorized, Call, ConnectContext, Scope};
use crate::error::Result;
use crate::permission::Expression;

/// The type behind one WebSocket endpoint. Implemented by `#[consumer]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "not a consumer",
    note = "put `#[consumer]` on an `impl {Self}` block; a type with `#[handler]` is reached through a consumer's `#[route]`"
)]
pub trait Consumer: Dispatch {
    /// What the registry and the audit call it.
    const NAME: &'static str;

    /// What `connect = ".."` asks at the door.
    #[doc(hidden)]
    const CONNECT_PERMISSION: Option<&'static Expression> = None;

    /// What may leave its sockets.
    #[doc(hidden)]
    const EVENTS: &'static [EventDescriptor] = &[];

    /// That every mount below provides what stands under it.
    #[doc(hidden)]
    const CHECK: () = check_mounts(Self::DESCRIPTOR);

    /// Whether it has an `#[authenticate]`.
    #[doc(hidden)]
    const AUTHENTICATES: bool = false;

    /// Runs `#[authenticate]`: who the credentials in this message are.
    #[doc(hidden)]
    fn authenticate(
        &self,
        call: &Call<'_, Self::User>,
        admitted: Authorized,
    ) -> impl Future<Output = Result<Option<Self::User>>> + Send {
        let _ = (call, admitted);
        async { Ok(None) }
    }

    /// Asks the expressions of the door.
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
    fn on_disconnect(&self, scope: &Scope<Self::User>) -> impl Future<Output = ()> + Send {
        let _ = scope;
        async {}
    }
}
