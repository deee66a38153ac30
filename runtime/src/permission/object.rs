//! Permissions that depend on an object.

use std::future::Future;

use super::{AllowAny, DenyAll};
use crate::context::{Handler, PermissionContext};
use crate::error::Result;

/// Decides whether a message may act on an object `T`: `permission = Author(note)`, where `note` is an
/// [`Object`](crate::Object) parameter of the action.
///
/// The object is loaded by [`Load`](crate::Load) first, and only if the leaves without objects leave the decision open.
///
/// ```
/// use portcullis::{Context, Load, NoContent, Object, ObjectPermission, PermissionContext, Result, User, handler};
/// # struct Member { id: u32 }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.to_string().into() } }
///
/// struct Notes { all: Vec<Note> }
/// #[derive(Clone)]
/// struct Note { id: u32, author: u32 }
///
/// impl Load<Notes> for Note {
///     type Key = u32;
///     const CAPTURES: &'static [&'static str] = &[];
///
///     async fn load(notes: &Notes, _cx: &Context<'_, Member>, key: &u32) -> Result<Option<Note>> {
///         Ok(notes.all.iter().find(|note| note.id == *key).cloned())
///     }
/// }
///
/// /// Grants the author of the note.
/// struct Author;
///
/// impl ObjectPermission<Note, Notes> for Author {
///     async fn has_object_permission(&self, _notes: &Notes, cx: &PermissionContext<'_, Member>, note: &Note) -> Result<bool> {
///         Ok(cx.user().is_some_and(|member| member.id == note.author))
///     }
/// }
///
/// #[handler(user = Member)]
/// impl Notes {
///     #[action(permission = Author(note))]
///     async fn delete(&self, note: Object<Note>) -> NoContent { NoContent }
/// }
/// ```
///
/// # Errors
///
/// Errors refuse as in [`Permission`](crate::Permission#errors), with two exceptions that keep the existence of the object
/// secret: a 404, and an error of [`Context`](crate::Context) about a missing or malformed part of the message, are treated
/// as a missing object. Any other error of the implementation reveals to the client that the object exists.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an object permission for `{T}` in handler `{H}`",
    label = "not a permission for `{T}`",
    note = "implement `ObjectPermission<{T}, {H}>` for `{Self}`, or write `impl<H: Handler<User = ..>> ObjectPermission<{T}, H> for {Self}` to support every handler of that user type"
)]
pub trait ObjectPermission<T, H: Handler>: Send + Sync + 'static {
    /// Whether the permission is evaluated again for the same message after a change of rights, as in
    /// [`Permission::REEVALUATE`](crate::Permission::REEVALUATE). If `false`, the object of a kept answer is not loaded
    /// again. Default: `true`.
    const REEVALUATE: bool = true;

    /// The headers of the request that opened the connection which the permission reads, as in
    /// [`Permission::HEADERS`](crate::Permission::HEADERS). Default: none.
    const HEADERS: &'static [&'static str] = &[];

    /// The decision for every object, if it does not depend on the object. Default: `None`.
    #[doc(hidden)]
    const ALWAYS: Option<bool> = None;

    /// Returns whether this message may act on this object.
    ///
    /// For a list of objects it is called per object, up to the first that is not permitted.
    ///
    /// # Errors
    ///
    /// Refuses the message; see the [trait documentation](ObjectPermission#errors).
    ///
    /// # Cancel safety
    ///
    /// The future is dropped at an await if the message is cancelled, for example when the action timeout expires.
    fn has_object_permission(
        &self,
        handler: &H,
        cx: &PermissionContext<'_, H::User>,
        object: &T,
    ) -> impl Future<Output = Result<bool>> + Send;
}

/// Permits every existing object: `AllowAny(message)`.
impl<T: Sync, H: Handler> ObjectPermission<T, H> for AllowAny {
    const ALWAYS: Option<bool> = Some(true);

    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, _: &T) -> Result<bool> {
        Ok(true)
    }
}

/// Denies every object. The macros reject it as a leaf about an object, also under another name: `DenyAll` takes no object.
impl<T: Sync, H: Handler> ObjectPermission<T, H> for DenyAll {
    const ALWAYS: Option<bool> = Some(false);

    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, _: &T) -> Result<bool> {
        Ok(false)
    }
}
