//! The way of a message through the levels of a consumer, outermost first: each is asked before anything below it is told.

use std::future::Future;
use std::pin::Pin;

use super::HandlerDescriptor;
use crate::context::{Authorized, Call, Handler, Step};
use crate::error::{Error, Result};
use crate::message::Reply;

/// A message on its way. What every level needs stands in one place: handing it on piece by piece costs more than most checks.
#[derive(Debug)]
pub struct Traversal<'w, U> {
    call: &'w Call<'w, U>,
    /// How many levels lie behind.
    level: usize,
    reply: &'w mut Reply,
}

impl<'w, U> Traversal<'w, U> {
    pub(crate) fn new(call: &'w Call<'w, U>, reply: &'w mut Reply) -> Traversal<'w, U> {
        Traversal { call, level: 0, reply }
    }

    /// The message.
    pub fn call(&self) -> &'w Call<'w, U> {
        self.call
    }
}

/// A boxed future of an action: one for each message, so that the largest of a consumer's actions does not
/// add its size to every idle connection.
type Running<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// The way from an admitted message to one action's reply.
pub type ActionFn<H> = for<'a> fn(&'a H, &'a Call<'a, <H as Handler>::User>, Authorized, &'a mut Reply) -> Running<'a>;

/// The rows of a handler, and the calls into it. Written by `#[handler]` and `#[consumer]` only.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "put `#[handler]` on an `impl {Self}` block"
)]
pub trait Dispatch: Handler + Sized {
    /// The attribute on the block: [`HandlerBlock`] or [`ConsumerBlock`].
    type Block;

    /// The actions and routes of this handler and of all below it.
    const DESCRIPTOR: &'static HandlerDescriptor;

    /// The calls of the actions, in the order of the node's.
    const ACTION_FNS: &'static [ActionFn<Self>];

    /// The rows that serve requests.
    fn descriptor(&self) -> &'static HandlerDescriptor {
        Self::DESCRIPTOR
    }

    /// The call of the action at that place of the node.
    fn action(&self, at: usize) -> Option<ActionFn<Self>> {
        Self::ACTION_FNS.get(at).copied()
    }

    /// Asks the handler's own expression.
    fn authorize(
        &self,
        call: &Call<'_, Self::User>,
        admitted: Authorized,
    ) -> impl Future<Output = Result<Authorized>> + Send {
        let _ = call;
        async { Ok(admitted) }
    }

    /// Asks this level, then goes to where the route leads from it. What stands above has the same user type.
    ///
    /// That a route or an action does not exist is told only to whom the level admits.
    fn enter<'w, Above: Handler<User = Self::User>>(
        &'w self,
        walk: &'w mut Traversal<'_, Above::User>,
        admitted: Authorized,
    ) -> impl Future<Output = Result<()>> + Send + 'w {
        async move {
            let admitted = self.authorize(walk.call, admitted).await?;
            match walk.call.step(walk.level) {
                Step::Into(route) => {
                    walk.level += 1;
                    self.descend(route, walk, admitted).await
                }
                Step::Lost => Err(Error::not_found()),
                Step::Here => {
                    let action = walk.call.head().action.as_ref();
                    let at = self.descriptor().actions.iter().position(|row| row.name == action);
                    let run = at.and_then(|at| self.action(at)).ok_or_else(Error::unknown_action)?;
                    run(self, walk.call, admitted, walk.reply).await
                }
            }
        }
    }

    /// Asks the route's expression and goes on in its handler.
    fn descend(
        &self,
        route: u16,
        walk: &mut Traversal<'_, Self::User>,
        admitted: Authorized,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (route, walk, admitted);
        async { Err(Error::internal("a route without a handler")) }
    }
}

/// Marks a type whose block has `#[handler]`.
#[derive(Debug)]
pub enum HandlerBlock {}

/// Marks a type whose block has `#[consumer]`.
#[derive(Debug)]
pub enum ConsumerBlock {}

/// A block whose type `H` can be mounted by `#[route]`.
#[diagnostic::on_unimplemented(
    message = "`{H}` is a consumer and cannot be mounted by `#[route]`",
    label = "a consumer, not a handler",
    note = "its connect expression, hooks, `#[authenticate]` and events would be skipped; put `#[handler]` on the `impl {H}` block, or serve it at a path of its own with `websocket()`"
)]
pub trait Mountable<H: Dispatch> {
    /// The descriptor of that handler.
    const DESCRIPTOR: &'static HandlerDescriptor;
}

impl<H: Dispatch> Mountable<H> for HandlerBlock {
    const DESCRIPTOR: &'static HandlerDescriptor = H::DESCRIPTOR;
}
