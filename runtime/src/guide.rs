//! Chapters for whoever relies on this crate.
//!
//! - [`permissions`]: where expressions stand, what they make of every answer, and what a refused client is told.
//! - [`events`]: groups, events, who gets them, in which order, and what a change of rights does.
//! - [`from_django`]: the Python forms beside ours, and what differs on purpose.

pub mod permissions {
    #![doc = include_str!("docs/permissions.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "the page's links go through it")]
    use crate::*;
}

pub mod events {
    #![doc = include_str!("docs/events.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "the page's links go through it")]
    use crate::*;
}

pub mod from_django {
    #![doc = include_str!("docs/from_django.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "the page's links go through it")]
    use crate::*;
}
