//! What an action causes beside its reply: it happens when the action has ended well, in order around the reply.

/// One of them.
pub(crate) enum Effect {
    /// Before the reply goes out.
    Before(Box<dyn FnOnce() + Send>),
    /// Once the reply is on its way.
    After(Box<dyn FnOnce() + Send>),
}

/// Lets happen what comes before the reply, and gives the rest.
pub(crate) fn before(effects: Vec<Effect>) -> Vec<Effect> {
    let mut rest = Vec::new();
    for effect in effects {
        match effect {
            Effect::Before(cause) => cause(),
            after @ Effect::After(_) => rest.push(after),
        }
    }
    rest
}

/// Lets happen what comes after the reply.
pub(crate) fn after(effects: Vec<Effect>) {
    for effect in effects {
        let (Effect::Before(cause) | Effect::After(cause)) = effect;
        cause();
    }
}
