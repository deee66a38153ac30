//! Built-in permissions.

use super::Permission;
use crate::context::{ConnectContext, Handler, PermissionContext};
use crate::error::Result;

/// Permits everyone, including anonymous users.
///
/// There is no default permission: write `AllowAny` to make an action public. It is the whole expression: it cannot be
/// combined with other leaves by `&`, `|` or `!`. `AllowAny(note)` permits every existing object of the parameter `note`.
///
/// ```
/// use portcullis::{AllowAny, consumer};
///
/// struct Status;
///
/// #[consumer]
/// impl Status {
///     #[action(permission = AllowAny)]
///     async fn ping(&self) -> &'static str { "pong" }
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct AllowAny;

impl<H: Handler> Permission<H> for AllowAny {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }

    async fn can_connect(&self, _: &H, _: &ConnectContext<'_, H::User>) -> Result<Option<bool>> {
        Ok(Some(true))
    }
}

/// Denies everyone, and refuses connections if it is evaluated in the connect phase.
///
/// It is the whole expression: it cannot be combined with other leaves by `&`, `|` or `!`.
///
/// ```
/// use portcullis::{DenyAll, consumer};
///
/// struct Status;
///
/// #[consumer]
/// impl Status {
///     #[action(permission = DenyAll)]
///     async fn retired(&self) {}
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DenyAll;

impl<H: Handler> Permission<H> for DenyAll {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(false)
    }

    async fn can_connect(&self, _: &H, _: &ConnectContext<'_, H::User>) -> Result<Option<bool>> {
        Ok(Some(false))
    }
}

/// Permits authenticated users: connections that have a user.
///
/// It has no opinion on connecting. Write `connect = IsAuthenticated` on the consumer to refuse anonymous connections.
///
/// ```
/// use portcullis::{Context, IsAuthenticated, Result, User, consumer};
/// # struct Member { name: String }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.name.as_str().into() } }
///
/// struct Profile;
///
/// #[consumer(user = Member)]
/// impl Profile {
///     #[action(permission = IsAuthenticated)]
///     async fn name(&self, cx: &Context<'_, Member>) -> Result<String> {
///         Ok(cx.require_user()?.name.clone())
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct IsAuthenticated;

impl<H: Handler> Permission<H> for IsAuthenticated {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(cx.user().is_some())
    }
}
