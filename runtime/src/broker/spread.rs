//! The outcome of a change of rights on all machines.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::control::ChangeMessage;
use super::lease::MAX_SILENCE;
use super::machine_id::MachineId;
use super::node::Node;
use super::pending_change::ChangeProgress;

/// How long a change waits for acknowledgements.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(2);

/// How far a change has come on the other machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spread {
    /// It holds on all of them.
    Acknowledged { by: BTreeSet<MachineId> },
    /// It holds on some. `safe_after` is the time after which it holds on all; `None` for a change that the source of grants
    /// does not tell of.
    Incomplete { by: BTreeSet<MachineId>, missing: BTreeSet<MachineId>, safe_after: Option<Instant> },
    /// The broker has not passed it on.
    LocalOnly,
}

impl Spread {
    /// Returns how far a change of several endpoints has come on all of their machines.
    pub(crate) fn of_all(spreads: Vec<Spread>) -> Spread {
        let (mut all_by, mut all_missing, mut latest) = (BTreeSet::new(), BTreeSet::new(), None);
        let (mut is_complete, mut is_known) = (true, true);
        for spread in spreads {
            match spread {
                Spread::Acknowledged { by } => all_by.extend(by),
                Spread::Incomplete { by, missing, safe_after } => {
                    all_by.extend(by);
                    all_missing.extend(missing);
                    is_complete = false;
                    is_known &= safe_after.is_some();
                    latest = latest.max(safe_after);
                }
                Spread::LocalOnly => return Spread::LocalOnly,
            }
        }
        if is_complete {
            return Spread::Acknowledged { by: all_by };
        }
        Spread::Incomplete { by: all_by, missing: all_missing, safe_after: latest.filter(|_| is_known) }
    }
}

/// A change that was sent to the other machines.
pub(crate) struct SentChange {
    node: Arc<Node>,
    id: u64,
    progress: Arc<tokio::sync::Notify>,
    is_disconnect: bool,
}

impl SentChange {
    /// Sends a change, which has taken effect here.
    pub(crate) fn new(node: &Arc<Node>, change: &ChangeMessage<'_>) -> SentChange {
        let (id, progress) = node.send_change(change);
        SentChange { node: node.clone(), id, progress, is_disconnect: change.is_disconnect() }
    }

    /// Waits until the other machines have acknowledged the change, for two seconds at most.
    pub(crate) async fn wait(self) -> Spread {
        let complete = async {
            loop {
                if self.node.changes.progress(self.id).is_none_or(|progress| progress.is_complete()) {
                    break;
                }
                self.progress.notified().await;
            }
        };
        let _ = timeout(ACKNOWLEDGE_TIMEOUT, complete).await;
        match self.node.changes.progress(self.id) {
            Some(progress) => self.spread(progress),
            None => Spread::LocalOnly,
        }
    }

    fn spread(&self, progress: ChangeProgress) -> Spread {
        let ChangeProgress { began_at, returned_at, acknowledged, missing } = progress;
        let (Some(returned_at), Some(listens_since)) = (returned_at, self.node.listens_since()) else {
            return Spread::LocalOnly;
        };
        // Earlier, there may be machines that this one has not heard of.
        if missing.is_empty() && began_at.saturating_duration_since(listens_since) >= MAX_SILENCE {
            return Spread::Acknowledged { by: acknowledged };
        }
        let safe_after = (!self.is_disconnect).then_some(returned_at + MAX_SILENCE);
        Spread::Incomplete { by: acknowledged, missing, safe_after }
    }
}

impl Drop for SentChange {
    fn drop(&mut self) {
        self.node.changes.end(self.id);
    }
}
