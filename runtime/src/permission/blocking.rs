//! Permissions that run on the blocking pool.

use std::future::Future;

use tokio_util::task::AbortOnDropHandle;

use super::Permission;
use crate::context::{Handler, PermissionContext};
use crate::error::{Error, Result};

/// Runs a [`BlockingPermission`] on tokio's blocking pool: `permission = Blocking(InLedger)`.
///
/// Use it for a check that computes for long or blocks the thread, for example on a synchronous database driver.
///
/// ```
/// use std::sync::Arc;
/// use portcullis::{Blocking, BlockingPermission, PermissionContext, Result, User, handler};
/// # struct Member { id: u32 }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() } }
///
/// struct Archive { ledger: Arc<Vec<u32>> }
///
/// /// Grants users who have paid.
/// struct InLedger;
///
/// impl BlockingPermission<Archive> for InLedger {
///     fn check(&self, archive: &Archive, cx: &PermissionContext<'_, Member>) -> Result<impl FnOnce() -> Result<bool> + Send + 'static> {
///         let (ledger, id) = (archive.ledger.clone(), cx.require_user()?.id);
///         Ok(move || Ok(ledger.contains(&id)))
///     }
/// }
///
/// #[handler(user = Member)]
/// impl Archive {
///     #[action(permission = Blocking(InLedger))]
///     async fn read(&self) {}
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Blocking<P>(pub P);

/// A permission whose check blocks the thread. Use it as [`Blocking(..)`](Blocking), which has an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a blocking permission for `{H}`",
    label = "not a blocking permission for `{H}`",
    note = "implement `BlockingPermission<{H}>` for `{Self}`; if it implements `Permission`, write it without `Blocking`"
)]
pub trait BlockingPermission<H: Handler>: Send + Sync + 'static {
    /// Whether the permission is evaluated again for the same message after a change of rights, as in
    /// [`Permission::REEVALUATE`](crate::Permission::REEVALUATE). Default: `true`.
    const REEVALUATE: bool = true;

    /// The headers of the request that opened the connection which the permission reads, as in
    /// [`Permission::HEADERS`](crate::Permission::HEADERS). Default: none.
    const HEADERS: &'static [&'static str] = &[];

    /// Returns the check as a closure that owns what it needs: it runs on another thread.
    ///
    /// # Errors
    ///
    /// An error of this method, and the result of the closure, have the same effect as the result of
    /// [`has_permission`](Permission::has_permission).
    ///
    /// # Cancel safety
    ///
    /// A closure that has not started is not started after the evaluation is cancelled. A closure that has started runs to
    /// completion, even after the action timeout; its result is then ignored.
    fn check(
        &self,
        handler: &H,
        cx: &PermissionContext<'_, H::User>,
    ) -> Result<impl FnOnce() -> Result<bool> + Send + 'static>;
}

impl<P: BlockingPermission<H>, H: Handler> Permission<H> for Blocking<P> {
    const REEVALUATE: bool = P::REEVALUATE;
    const HEADERS: &'static [&'static str] = P::HEADERS;

    fn has_permission(
        &self,
        handler: &H,
        cx: &PermissionContext<'_, H::User>,
    ) -> impl Future<Output = Result<bool>> + Send {
        let (work, is_blocking_thread) = (self.0.check(handler, cx), cx.is_blocking_thread());
        async move {
            let work = work?;
            if is_blocking_thread {
                // This thread belongs to the blocking pool. Waiting here for another thread of the pool could deadlock.
                return work();
            }
            AbortOnDropHandle::new(tokio::task::spawn_blocking(work)).await.map_err(Error::internal)?
        }
    }
}
