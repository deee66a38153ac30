//! Permissions whose work would hold up others: it runs in the blocking pool.

use std::future::Future;

use tokio::task::AbortHandle;

use super::Permission;
use crate::context::{Context, Handler};
use crate::error::{Error, Result};

/// A permission that computes for long, or waits without `await`: written `Blocking(InLedger)`.
///
/// ```
/// use std::sync::Arc;
/// use portcullis::{Blocking, BlockingPermission, Context, Result, User, handler};
/// # struct Member { id: u32 }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() } }
///
/// struct Archive { ledger: Arc<Vec<u32>> }
///
/// /// Whoever has paid.
/// struct InLedger;
///
/// impl BlockingPermission<Archive> for InLedger {
///     fn check(&self, archive: &Archive, cx: &Context<'_, Member>) -> Result<impl FnOnce() -> Result<bool> + Send + 'static> {
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

/// The work of a [`Blocking`] permission.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a blocking permission for `{H}`",
    label = "not a blocking permission for `{H}`",
    note = "implement `BlockingPermission<{H}>` for `{Self}`; one that implements `Permission` stands without `Blocking`"
)]
pub trait BlockingPermission<H: Handler>: Send + Sync + 'static {
    /// The captures that [`check`](BlockingPermission::check) reads, as for a
    /// [`Permission`](crate::Permission::CAPTURES). Default: none.
    const CAPTURES: &'static [&'static str] = &[];

    /// Gives the work, with all that it needs: it runs on another thread and borrows nothing.
    ///
    /// What holds of the answers and errors of a [`Permission`](crate::Permission) holds of its outcome, and of an error
    /// here. Once begun it runs to its end, even where the action's time is over; its answer then counts for nothing.
    fn check(&self, handler: &H, cx: &Context<'_, H::User>) -> Result<impl FnOnce() -> Result<bool> + Send + 'static>;
}

impl<P: BlockingPermission<H>, H: Handler> Permission<H> for Blocking<P> {
    const CAPTURES: &'static [&'static str] = P::CAPTURES;

    fn has_permission(&self, handler: &H, cx: &Context<'_, H::User>) -> impl Future<Output = Result<bool>> + Send {
        let (work, may_block) = (self.0.check(handler, cx), cx.may_block());
        async move {
            let work = work?;
            if may_block {
                // This is one of the pool's threads already; waiting for another could wait for ever.
                return work();
            }
            let task = tokio::task::spawn_blocking(work);
            let _abort_guard = AbortOnDrop(task.abort_handle());
            task.await.map_err(Error::internal)?
        }
    }
}

/// What has not begun never does, once nobody waits for it.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
