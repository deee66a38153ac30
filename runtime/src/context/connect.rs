//! A connection that is being made: what connect permissions and `#[connect]` see.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use http::Extensions;

use super::{Call, Context, Scope, SideEffects};
use crate::message::Envelope;
use crate::panic::Contained;

/// What a connect permission's context gives as the action's name.
const ACTION: &str = "connect";

/// A connection in the making.
pub struct ConnectContext<'a, U> {
    call: Call<'a, U>,
    inserted: Contained<Mutex<Extensions>>,
}

impl<'a, U> ConnectContext<'a, U> {
    pub(crate) fn new(scope: &'a Scope<U>, head: &'a Envelope<'a>) -> ConnectContext<'a, U> {
        ConnectContext { call: Call::new(scope, head, &[], &[], &[]), inserted: Contained::new(Mutex::default()) }
    }

    pub(crate) fn with_session(mut self, session: &'a (dyn Any + Send + Sync)) -> Self {
        self.call = self.call.with_session(session);
        self
    }

    /// The envelope that stands for connecting.
    pub(crate) fn head() -> Envelope<'static> {
        Envelope { action: Cow::Borrowed(ACTION), ..Envelope::default() }
    }

    /// Who wants to connect, and how.
    pub fn scope(&self) -> &'a Scope<U> {
        self.call.scope()
    }

    /// Who wants to connect; `None` is anonymous.
    pub fn user(&self) -> Option<&'a U> {
        self.scope().user()
    }

    /// Keeps a value for the life of the connection; [`Scope::extension`] gives it back. For `#[connect]`:
    /// what a permission inserts is dropped.
    pub fn insert<T: Clone + Send + Sync + 'static>(&self, value: T) {
        self.inserted.lock().unwrap_or_else(PoisonError::into_inner).insert(value);
    }

    /// Returns the inserted values and the side effects of a `#[connect]` that succeeded.
    pub(crate) fn into_outcome(mut self) -> (Extensions, Option<Box<SideEffects>>) {
        (self.inserted.into_inner().into_inner().unwrap_or_else(PoisonError::into_inner), self.call.take_side_effects())
    }

    pub(crate) fn call(&self) -> &Call<'a, U> {
        &self.call
    }

    /// What a permission without an opinion on connecting is asked with: the action `connect`, no captures.
    pub fn as_context(&self) -> Context<'_, U> {
        self.call.context(&[])
    }
}

impl<U> fmt::Debug for ConnectContext<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectContext")
    }
}
