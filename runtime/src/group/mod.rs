//! One connection's part in groups: who may join, who may see what, and the way of an event from its publisher to every
//! member that may see it.

mod context;
mod delivery;
mod event;
mod hub;
mod join;
mod late;
mod mailbox;
mod publisher;
mod seat;
mod sessions;

pub(crate) use delivery::Note;
pub use event::{Emits, EventPermission, Frame, Seeing, Sight, frame, personal_frame};
pub(crate) use hub::Hub;
pub use join::{Carries, Group, GroupPermission, may_join_on};
pub use mailbox::SlowReceiver;
pub(crate) use mailbox::{Ended, Mailbox};
pub use publisher::Publisher;
pub(crate) use seat::Seat;
pub use sessions::Sessions;
