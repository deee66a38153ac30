//! Who may do what with one object.

use std::future::Future;

use super::AllowAny;
use crate::context::{Context, Handler};
use crate::error::Result;

/// A type that says yes or no to what a message wants with an object: written `Author(message)`, where `message` is a
/// parameter of the action.
///
/// ```
/// use portcullis::{Context, Load, NoContent, Object, ObjectPermission, Result, User, handler};
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
/// /// Whoever wrote it.
/// struct Author;
///
/// impl ObjectPermission<Note, Notes> for Author {
///     async fn has_object_permission(&self, _notes: &Notes, cx: &Context<'_, Member>, note: &Note) -> Result<bool> {
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
/// It is asked only while the rest of the expression leaves the answer open. What holds of the errors of a
/// [`Permission`](crate::Permission) holds here too, but for a 404, and for what [`Context`](crate::Context) says of a
/// message that lacks something: that is as if the object were missing. Another error of its own tells the client that the
/// object is there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` says nothing about a `{T}` of `{H}`",
    label = "not a permission for `{T}`",
    note = "implement `ObjectPermission<{T}, {H}>` for `{Self}`, or `impl<H: Handler<User = ..>> ObjectPermission<{T}, H>` for one that fits every handler of that user type"
)]
pub trait ObjectPermission<T, H: Handler>: Send + Sync + 'static {
    /// The captures that it reads, as for a [`Permission`](crate::Permission::CAPTURES). Default: none.
    const CAPTURES: &'static [&'static str] = &[];

    /// What it says of every object there is, where that is known without looking. Default: nothing.
    #[doc(hidden)]
    const ALWAYS: Option<bool> = None;

    /// Whether this message may do with this object what it asks for.
    fn has_object_permission(
        &self,
        handler: &H,
        cx: &Context<'_, H::User>,
        object: &T,
    ) -> impl Future<Output = Result<bool>> + Send;
}

/// Every object, said aloud: `AllowAny(message)`.
impl<T: Sync, H: Handler> ObjectPermission<T, H> for AllowAny {
    const ALWAYS: Option<bool> = Some(true);

    async fn has_object_permission(&self, _: &H, _: &Context<'_, H::User>, _: &T) -> Result<bool> {
        Ok(true)
    }
}
