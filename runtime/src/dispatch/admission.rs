//! Admission of actions that take slots of their connection: the dispatcher tells them apart, and the connection, which
//! counts its slots, decides.

use http::StatusCode;

use crate::consumer::ActionDescriptor;
use crate::error::Error;

/// What an action takes a slot of its connection for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotKind {
    /// It is detached: one of [`Limits::max_detached_actions`](crate::Limits::max_detached_actions).
    Detached,
    /// It streams: one of [`Limits::max_streams`](crate::Limits::max_streams).
    Stream,
}

/// The slots that an action takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlotNeed {
    pub(crate) is_detached: bool,
    pub(crate) is_stream: bool,
    /// Whether later messages wait for the last value of its stream.
    pub(crate) is_in_order: bool,
}

/// Whether a dispatcher runs actions that take a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// No slot has been requested yet: the dispatcher returns [`Outcome::NeedsSlots`](super::outcome::Outcome::NeedsSlots).
    Undecided,
    /// The message has its slots.
    Admitted,
    /// No slot of that kind is left. The message is authorized and its action does not run, so that a client learns from the
    /// refusal only of actions that it may call.
    Refused(SlotKind),
}

impl SlotNeed {
    /// No slot.
    pub(crate) const NONE: SlotNeed = SlotNeed { is_detached: false, is_stream: false, is_in_order: false };

    /// Returns the slots that an action takes. `None` if it takes none.
    #[inline]
    pub(super) fn of(action: &ActionDescriptor) -> Option<SlotNeed> {
        let ActionDescriptor { is_detached, is_stream, is_in_order, .. } = *action;
        (is_detached || is_stream).then_some(SlotNeed { is_detached, is_stream, is_in_order })
    }
}

impl SlotKind {
    /// Returns the error of an action that gets no slot.
    pub(super) fn limit_error(self) -> Error {
        let status = StatusCode::TOO_MANY_REQUESTS;
        match self {
            SlotKind::Detached => {
                Error::new(status, "too_many_actions", "Too many actions of this connection run at the same time.")
            }
            SlotKind::Stream => {
                Error::new(status, "too_many_streams", "Too many streams of this connection are open at the same time.")
            }
        }
    }
}
