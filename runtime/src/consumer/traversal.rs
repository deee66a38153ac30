//! The traversal of the handler tree, outermost handler first: each level is authorized before the next one is entered.

use std::future::{Future, ready};
use std::marker::PhantomData;
use std::pin::Pin;

use super::HandlerDescriptor;
use crate::context::{Authorized, Call, Handler, Step, User};
use crate::error::{Error, Result};
use crate::message::Reply;

/// The state of one traversal of the handler tree. Passed by reference: passing its fields to each level separately costs
/// more than most checks.
#[derive(Debug)]
pub struct Traversal<'w, U> {
    call: &'w Call<'w, U>,
    /// Number of routes entered so far.
    level: usize,
    reply: &'w mut Reply,
}

impl<'w, U> Traversal<'w, U> {
    pub(crate) fn new(call: &'w Call<'w, U>, reply: &'w mut Reply) -> Traversal<'w, U> {
        Traversal { call, level: 0, reply }
    }

    /// Returns the call.
    pub fn call(&self) -> &'w Call<'w, U> {
        self.call
    }
}

/// The boxed future of an action. Boxed per message, so that an idle connection does not reserve the size of the consumer's
/// largest action.
pub type ActionFuture<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// Boxes the futures of the actions of `H`. If `H` is not `Sync`, that is reported once, for [`Handler`]; `__pin` is then that
/// of [`UnsharedAction`], which does not ask whether a future that borrows the handler is `Send`.
#[derive(Debug)]
pub struct ActionBox<H>(PhantomData<H>);

impl<H: Sync> ActionBox<H> {
    /// Boxes the future of an action.
    #[inline]
    pub fn __pin<'a>(future: impl Future<Output = Result<()>> + Send + 'a) -> ActionFuture<'a> {
        Box::pin(future)
    }
}

/// The futures of handlers that are not `Sync`. A program that has one does not compile.
pub trait UnsharedAction {
    /// Returns a future that fails.
    fn __pin<'a>(_: impl Future<Output = Result<()>>) -> ActionFuture<'a> {
        Box::pin(ready(Err(Error::internal("bug: an action of a handler that is not `Sync`"))))
    }
}

impl<H> UnsharedAction for ActionBox<H> {}

/// Calls one action with an authorized message and writes its reply.
pub type ActionFn<H> =
    for<'a> fn(&'a H, &'a Call<'a, <H as Handler>::User>, Authorized, &'a mut Reply) -> ActionFuture<'a>;

/// The descriptor of a handler and its generated code. Implemented by `#[handler]` and `#[consumer]` only.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "put `#[handler]` on an `impl {Self}` block"
)]
pub trait Dispatch: Handler + Sized {
    /// The user type of the block, which is [`Handler::User`].
    type BlockUser: User;

    /// The attribute of the block: [`HandlerBlock`] or [`ConsumerBlock`].
    type Block;

    /// The descriptor of this handler, including all handlers below it.
    const DESCRIPTOR: &'static HandlerDescriptor;

    /// The functions of the actions, in the order of the descriptor.
    const ACTION_FNS: &'static [ActionFn<Self>];

    /// Returns the descriptor of this handler.
    fn descriptor(&self) -> &'static HandlerDescriptor {
        Self::DESCRIPTOR
    }

    /// Returns the function of the action with that index in the descriptor.
    fn action(&self, index: usize) -> Option<ActionFn<Self>> {
        Self::ACTION_FNS.get(index).copied()
    }

    /// Evaluates the handler's own expression.
    fn authorize(
        &self,
        call: &Call<'_, Self::User>,
        admitted: Authorized,
    ) -> impl Future<Output = Result<Authorized>> + Send {
        let _ = call;
        async { Ok(admitted) }
    }

    /// Authorizes this level, then continues to the next handler of the route, or runs the action.
    ///
    /// An unknown route or action is reported only to a caller whom this level authorizes; others receive the refusal.
    fn enter<'w, Parent: Handler<User = Self::User>>(
        &'w self,
        traversal: &'w mut Traversal<'_, Parent::User>,
        admitted: Authorized,
    ) -> impl Future<Output = Result<()>> + Send + 'w {
        async move {
            let admitted = self.authorize(traversal.call, admitted).await?;
            match traversal.call.step(traversal.level) {
                Step::Route(route) => {
                    traversal.level += 1;
                    self.descend(route, traversal, admitted).await
                }
                Step::NotFound => Err(Error::not_found()),
                Step::Action => {
                    let action = traversal.call.head().action.as_ref();
                    let index = self.descriptor().actions.iter().position(|row| row.name == action);
                    let run = index.and_then(|index| self.action(index)).ok_or_else(Error::unknown_action)?;
                    run(self, traversal.call, admitted, traversal.reply).await
                }
            }
        }
    }

    /// Evaluates the expression of the route and enters its handler.
    fn descend(
        &self,
        route: u16,
        traversal: &mut Traversal<'_, Self::User>,
        admitted: Authorized,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (route, traversal, admitted);
        async { Err(Error::internal("bug: a route has no handler")) }
    }
}

/// The macros implement [`Dispatch`] alone, so that the compiler reports two blocks of one type, or a field that threads cannot
/// share, for this trait and not for [`Handler`] as well.
impl<H: Dispatch> Handler for H {
    type User = H::BlockUser;
}

/// Marks a type whose block has `#[handler]`.
#[derive(Debug)]
pub enum HandlerBlock {}

/// Marks a type whose block has `#[consumer]`.
#[derive(Debug)]
pub enum ConsumerBlock {}
