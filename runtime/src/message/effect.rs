//! What an action causes beside its reply: it happens when the action has ended well, in order around the reply.

use std::any::Any;

use super::RequestId;
use crate::panic::Contained;

/// A group of any type.
pub(crate) type AnyGroup = Contained<Box<dyn Any + Send>>;

type Effect = Box<dyn FnOnce() + Send>;

/// Takes back what an action has caused, where its caller turns out not to be allowed it before it is answered.
pub(crate) type Undo = Box<dyn FnOnce() + Send>;

/// One of them.
pub(crate) enum SideEffect {
    /// Before the reply goes out.
    Before(Effect),
    /// Once the reply is on its way: it enters that group, by that subscription if it is one.
    Join { group: AnyGroup, id: Option<RequestId>, effect: Effect, undo: Undo },
    /// Once the reply is on its way.
    After(Effect),
}

/// Lets happen what comes before the reply, and gives the rest.
pub(crate) fn run_before_reply(effects: Vec<SideEffect>) -> Vec<SideEffect> {
    let mut rest = Vec::new();
    for effect in effects {
        match effect {
            SideEffect::Before(effect) => effect(),
            after => rest.push(after),
        }
    }
    rest
}

/// Lets happen what comes after the reply. Gives what would undo it.
pub(crate) fn run_after_reply(effects: Vec<SideEffect>) -> Vec<Undo> {
    let mut undos = Vec::new();
    for effect in effects {
        match effect {
            SideEffect::Before(effect) | SideEffect::After(effect) => effect(),
            SideEffect::Join { effect, undo, .. } => {
                effect();
                undos.push(undo);
            }
        }
    }
    undos
}
