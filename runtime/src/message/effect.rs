//! The side effects of an action: joins, leaves and publications. They are applied after the action has succeeded, in order,
//! some before its reply and some after it.

use std::any::Any;

use super::RequestId;
use crate::panic::Contained;

/// A group of any type.
pub(crate) type AnyGroup = Contained<Box<dyn Any + Send>>;

type Effect = Box<dyn FnOnce() + Send>;

/// Reverts a side effect, if the caller loses the permission for the action before the reply is sent.
pub(crate) type Undo = Box<dyn FnOnce() + Send>;

/// One side effect of an action.
pub(crate) enum SideEffect {
    /// Applied before the reply is sent.
    Before(Effect),
    /// Joins the group once the reply is on its way; `id` is set if it is a subscription.
    Join { group: AnyGroup, id: Option<RequestId>, effect: Effect, undo: Undo },
    /// Applied once the reply is on its way.
    After(Effect),
}

/// Applies the side effects that come before the reply and returns the others.
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

/// Applies the side effects that come after the reply. Returns what reverts the joins.
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
