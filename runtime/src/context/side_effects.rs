//! What an action causes beside its reply: it happens when the action has ended well, in order around the reply.

use std::any::Any;

use super::RequestId;
use crate::panic::Contained;

/// A group of any type.
pub(crate) type AnyGroup = Contained<Box<dyn Any + Send>>;

type Cause = Box<dyn FnOnce() + Send>;

/// Takes back what an action has caused, where its caller turns out not to be allowed it before it is answered.
pub(crate) type Undo = Box<dyn FnOnce() + Send>;

/// One of them.
pub(crate) enum SideEffect {
    /// Before the reply goes out.
    Before(Cause),
    /// Once the reply is on its way: it enters that group, by that subscription if it is one.
    Join { group: AnyGroup, id: Option<RequestId>, cause: Cause, undo: Undo },
    /// Once the reply is on its way.
    After(Cause),
}

/// Lets happen what comes before the reply, and gives the rest.
pub(crate) fn before(effects: Vec<SideEffect>) -> Vec<SideEffect> {
    let mut rest = Vec::new();
    for effect in effects {
        match effect {
            SideEffect::Before(cause) => cause(),
            after => rest.push(after),
        }
    }
    rest
}

/// Lets happen what comes after the reply. Gives what would undo it.
pub(crate) fn after(effects: Vec<SideEffect>) -> Vec<Undo> {
    let mut undos = Vec::new();
    for effect in effects {
        match effect {
            SideEffect::Before(cause) | SideEffect::After(cause) => cause(),
            SideEffect::Join { cause, undo, .. } => {
                cause();
                undos.push(undo);
            }
        }
    }
    undos
}
