//! The permissions that every application needs.

use super::Permission;
use crate::context::{ConnectContext, Context, Handler};
use crate::error::Result;

/// Everybody, said aloud. Stands alone in an expression.
#[derive(Debug, Clone, Copy)]
pub struct AllowAny;

impl<H: Handler> Permission<H> for AllowAny {
    async fn has_permission(&self, _: &H, _: &Context<'_, H::User>) -> Result<bool> {
        Ok(true)
    }

    async fn can_connect(&self, _: &H, _: &ConnectContext<'_, H::User>) -> Result<Option<bool>> {
        Ok(Some(true))
    }
}

/// Nobody, the door included. Stands alone in an expression.
#[derive(Debug, Clone, Copy)]
pub struct DenyAll;

impl<H: Handler> Permission<H> for DenyAll {
    async fn has_permission(&self, _: &H, _: &Context<'_, H::User>) -> Result<bool> {
        Ok(false)
    }

    async fn can_connect(&self, _: &H, _: &ConnectContext<'_, H::User>) -> Result<Option<bool>> {
        Ok(Some(false))
    }
}

/// Whoever has logged in. No opinion on connecting: `connect = "IsAuthenticated"` refuses anonymous sockets at the door.
#[derive(Debug, Clone, Copy)]
pub struct IsAuthenticated;

impl<H: Handler> Permission<H> for IsAuthenticated {
    async fn has_permission(&self, _: &H, cx: &Context<'_, H::User>) -> Result<bool> {
        Ok(cx.user().is_some())
    }
}
