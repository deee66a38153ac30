//! The result of dispatching a message.

use super::admission::SlotNeed;
use crate::context::{Epoch, SideEffects};

/// The result of dispatching a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The action has ended, or its authorized message was refused before it has started. Its reply is written, or it has set a
    /// stream of replies. It has side effects to run only if it succeeded. `evaluation_epoch` is the epoch in which its
    /// permissions were evaluated.
    Completed { has_reply: bool, has_started: bool, evaluation_epoch: Epoch, side_effects: Option<Box<SideEffects>> },
    /// The message is refused: the reply is an error that is sent without reauthorization.
    Refused,
    /// The message called `authenticate`. `is_renewed` is set if the credentials were accepted. The side effects are the
    /// groups that the new user joins.
    Authenticated { is_renewed: bool, side_effects: Option<Box<SideEffects>> },
    /// The action takes slots of the connection and has not run: the caller takes them, and dispatches the message again with
    /// the [`Admission`](super::admission::Admission) that this results in.
    NeedsSlots(SlotNeed),
    /// The message calls `cancel`: the caller, which knows what is in flight, does so.
    Cancel,
    /// There is no reply, because the session has ended or is to end.
    SessionEnded,
}
