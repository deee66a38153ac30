//! The scope of the user that a session has now.

use std::ops::Deref;
use std::sync::Arc;

use crate::context::Scope;

/// The current scope of a session, borrowed or kept alive.
pub(crate) enum CurrentScope<'a, U> {
    Initial(&'a Scope<U>),
    Renewed(Arc<Scope<U>>),
}

impl<U> Deref for CurrentScope<'_, U> {
    type Target = Scope<U>;

    fn deref(&self) -> &Scope<U> {
        match self {
            CurrentScope::Initial(scope) => scope,
            CurrentScope::Renewed(scope) => scope,
        }
    }
}
