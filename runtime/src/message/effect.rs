//! What an action causes beside its reply: it happens when the action has ended well, in order around the reply.

use std::any::Any;

use super::RequestId;

type Cause = Box<dyn FnOnce() + Send>;

/// One of them.
pub(crate) enum Effect {
    /// Before the reply goes out.
    Before(Cause),
    /// Once the reply is on its way: it enters that group, by that subscription if it is one.
    Join { group: Box<dyn Any + Send>, id: Option<RequestId>, cause: Cause },
    /// Once the reply is on its way.
    After(Cause),
}

/// Lets happen what comes before the reply, and gives the rest.
pub(crate) fn before(effects: Vec<Effect>) -> Vec<Effect> {
    let mut rest = Vec::new();
    for effect in effects {
        match effect {
            Effect::Before(cause) => cause(),
            after => rest.push(after),
        }
    }
    rest
}

/// Lets happen what comes after the reply.
pub(crate) fn after(effects: Vec<Effect>) {
    for effect in effects {
        let (Effect::Before(cause) | Effect::Join { cause, .. } | Effect::After(cause)) = effect;
        cause();
    }
}
