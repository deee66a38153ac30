//! The operations of [`PartitionHold`]: waiting for the subscription, and the users of the groups of the partition.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::PartitionHold;
use crate::broker::Partition;
use crate::broker::local_presence::LocalPresence;
use crate::broker::presence_message::GroupId;
use crate::sync::ignore_poison;

/// How long a join waits for the subscription of its partition.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the answers of the other machines are waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

impl PartitionHold {
    /// Returns the partition that is kept subscribed.
    pub(crate) fn partition(&self) -> Partition {
        self.partition
    }

    fn index(&self) -> usize {
        self.channel.index()
    }

    /// Waits until the broker has confirmed the subscription, for a second at most. If it has not by then, a gap is reported
    /// when it has.
    pub(crate) async fn subscribed(&self) {
        let index = self.index();
        let confirmed = async {
            loop {
                let mut notified = std::pin::pin!(self.node.confirmed.notified());
                notified.as_mut().enable();
                if self.node.state().subscriptions.is_confirmed(index) {
                    break;
                }
                notified.await;
            }
        };
        // While the link is down, nothing is waited for, except in the first second.
        let waits_since = if self.node.is_connected() { Instant::now() } else { self.node.lease.started_at() };
        if timeout_at(waits_since + SUBSCRIBE_TIMEOUT, confirmed).await.is_err() {
            let mut state = self.node.state();
            if !state.subscriptions.is_confirmed(index) {
                state.subscriptions.record_gap(self.partition);
            }
        }
    }

    /// Records the number of connections of a user here that are members of a group, for the other machines. May be called
    /// under the lock of the group; [`publish_users`](PartitionHold::publish_users) sends it.
    pub(crate) fn record_user(&self, group: &GroupId, user_id: &Arc<str>, connections: usize) {
        let local = &self.node.presence.local[self.index()];
        ignore_poison(local.lock()).set(group, user_id, u32::try_from(connections).unwrap_or(u32::MAX));
    }

    /// Tells the other machines of the users that were recorded, now or when the link is up. Called while no lock is held.
    pub(crate) fn publish_users(&self) {
        if self.node.is_connected() {
            self.node.publish_presence(self.index(), LocalPresence::take_unsent);
        }
    }

    /// Returns the number of connections of a user to other machines that are members of a group.
    pub(crate) fn remote_connections(&self, group: &GroupId, user_id: &str) -> usize {
        self.node.presence.remote().connections(self.index(), group, user_id)
    }

    /// Returns the users of a group on other machines, each with the number of its connections.
    pub(crate) fn remote_users(&self, group: &GroupId) -> BTreeMap<Arc<str>, usize> {
        self.node.presence.remote().users(self.index(), group)
    }

    /// Returns whether users of other machines are left out, because there are too many.
    pub(crate) fn has_unknown_users(&self) -> bool {
        self.node.presence.remote().is_truncated(self.index())
    }

    /// Waits until the users of the other machines are known, for a second after they were asked at most. Does not wait while
    /// the link is down.
    pub(crate) async fn wait_for_users(&self) {
        let partition = self.index();
        let Some(asked_at) = self.node.presence.remote().asked_at(partition) else { return };
        let is_known = || {
            let machines = self.node.state().peers.machines();
            !self.node.is_connected() || self.node.presence.remote().is_current(partition, &machines)
        };
        let known = async {
            loop {
                let mut notified = std::pin::pin!(self.node.confirmed.notified());
                notified.as_mut().enable();
                if is_known() {
                    break;
                }
                notified.await;
            }
        };
        let _ = timeout_at(asked_at + ANSWER_TIMEOUT, known).await;
    }
}

impl Clone for PartitionHold {
    fn clone(&self) -> Self {
        self.node.hold_channel(self.partition, self.channel)
    }
}

impl Drop for PartitionHold {
    fn drop(&mut self) {
        self.node.state().subscriptions.release(self.channel, Instant::now());
    }
}
