//! A change of rights that other machines have yet to acknowledge, as its sender waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::control::ChangeMessage;
use super::lease::MAX_SILENCE;
use super::node::Node;
use super::pending_change::ChangeProgress;
use super::propagation::Propagation;

/// How long a change waits for acknowledgements.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(2);

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
    pub(crate) async fn wait(self) -> Propagation {
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
            Some(progress) => self.propagation(progress),
            None => Propagation::LocalOnly {},
        }
    }

    fn propagation(&self, progress: ChangeProgress) -> Propagation {
        let ChangeProgress { began_at, returned_at, acknowledged, missing } = progress;
        let (Some(returned_at), Some(listens_since)) = (returned_at, self.node.listens_since()) else {
            return Propagation::LocalOnly {};
        };
        let by = acknowledged.into_iter().collect();
        // Earlier, there may be machines that this one has not heard of.
        if missing.is_empty() && began_at.saturating_duration_since(listens_since) >= MAX_SILENCE {
            return Propagation::Acknowledged { by };
        }
        let safe_at = returned_at + MAX_SILENCE;
        let is_bounded = !self.is_disconnect || self.node.all_close_when_cut_off();
        let safe_after = is_bounded.then(|| safe_at.saturating_duration_since(Instant::now()));
        Propagation::Incomplete { by, missing: missing.into_iter().collect(), safe_after }
    }
}

impl Drop for SentChange {
    fn drop(&mut self) {
        self.node.changes.end(self.id);
    }
}
