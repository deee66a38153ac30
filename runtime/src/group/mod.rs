//! One connection's part in groups: who may join, who may see what, and the way of an event from its publisher to every
//! member that may see it.

mod belongings;
mod context;
mod counters;
mod delivery;
mod event;
mod fanout;
mod hub;
mod join;
mod late;
mod mailbox;
mod members;
mod membership;
#[cfg(loom)]
#[cfg(test)]
mod model;
mod pacer;
mod publisher;
mod renew;
mod seat;
mod sessions;
mod slow;
mod waiting;

pub use counters::Counters;
pub use event::{Emits, EventPermission, Frame, Seeing, Sight, event_key, frame, personal_frame};
pub(crate) use hub::Hub;
pub use join::{Carries, Group, GroupPermission, may_join_on};
pub(crate) use mailbox::{Ended, Mailbox, Taken};
pub(crate) use pacer::{PACER, Pacer};
pub use publisher::Publisher;
pub(crate) use seat::{Seat, Sitting};
pub use sessions::Sessions;
pub(crate) use slow::Asks;
pub use slow::SlowReceiver;
