//! How much of the events of a group is kept, so that a connection which was lost can resume where it was.

use std::time::Duration;

use crate::broker::LogId;

/// How much of the events of a group is kept: the `history` key of `#[derive(Group)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    pub(crate) max_events: u32,
    pub(crate) max_age: Duration,
    /// The `since` argument as written, for the audit.
    pub(crate) since: &'static str,
}

impl History {
    /// Creates a description. The age is in milliseconds, and `since` is as written.
    #[must_use]
    pub const fn new(max_events: u32, max_age: u64, since: &'static str) -> History {
        History { max_events, max_age: Duration::from_millis(max_age), since }
    }

    /// Returns the log of the group with this encoded key.
    pub(super) fn log(self, name: &str, key: &[u8]) -> LogId {
        LogId::new(name, key, self.max_events, self.max_age)
    }
}
