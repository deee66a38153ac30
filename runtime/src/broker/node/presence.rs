//! Users that are connected to other machines, as one node tells the others of its own, and hears of theirs.
//!
//! The users of a machine in a partition have a version, which rises with each message about them. A machine that subscribes to
//! a partition, or notices that it lacks a version, asks for all users. Heartbeats have the versions, so that every loss is
//! noticed and what is known is confirmed. Users that nothing confirms for [`MAX_SILENCE`] are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Node;
use crate::broker::control::ControlMessage;
use crate::broker::lease::MAX_SILENCE;
use crate::broker::local_presence::LocalPresence;
use crate::broker::machine_id::MachineId;
use crate::broker::machine_presence::{GroupUser, Received};
use crate::broker::message::Unreadable;
use crate::broker::presence_message::PresenceMessage;
use crate::broker::{Channel, Undeliverable};
use crate::sync::ignore_poison;

/// How long a request waits for others, so that many subscriptions are one request.
const REQUEST_DELAY: Duration = Duration::from_millis(1);

/// How long a machine does not send all users of a partition again, so that many requests have one answer.
const ANSWER_INTERVAL: Duration = Duration::from_millis(100);

impl Node {
    fn shares_presence(&self) -> bool {
        self.endpoint.upgrade().is_some_and(|endpoint| endpoint.shares_presence())
    }

    /// Publishes messages about the users here.
    pub(super) fn publish_presence(&self, partition: usize, messages: impl FnOnce(&mut LocalPresence) -> Vec<Vec<u8>>) {
        let Some(channel) = Channel::from_index(partition) else { return };
        let mut local = ignore_poison(self.presence.local[partition].lock());
        let dropped = messages(&mut local).iter().filter(|message| !self.enqueue(channel, message, |_| ())).count();
        drop(local);
        for _ in 0..dropped {
            self.report_dropped(channel);
        }
    }

    /// Tells the others of all changes of users here, because the link is up again.
    pub(super) fn resume_presence(self: &Arc<Self>) {
        if !self.shares_presence() {
            return;
        }
        for partition in 0..self.presence.local.len() {
            self.publish_presence(partition, LocalPresence::take_unsent);
        }
        let state = self.state();
        let partitions: Vec<_> =
            (0..self.presence.local.len()).filter(|partition| state.subscriptions.is_confirmed(*partition)).collect();
        drop(state);
        self.request_presence(None, partitions);
    }

    /// Asks for the users of a partition that is subscribed from now on.
    pub(super) fn begin_presence(self: &Arc<Self>, channel: Channel, now: Instant) {
        if !matches!(channel, Channel::Partition(_)) || !self.shares_presence() {
            return;
        }
        self.presence.remote().begin(channel.index(), now);
        // Otherwise all are asked when the link is up.
        if self.is_connected() {
            self.request_presence(None, [channel.index()]);
        }
    }

    /// Forgets the users of a partition that is not subscribed any more.
    pub(super) fn end_presence(&self, channel: Channel) {
        if matches!(channel, Channel::Partition(_)) {
            self.presence.remote().end(channel.index());
        }
    }

    /// Forgets the users of a machine that has departed.
    pub(super) fn forget_presence(&self, machine: MachineId) {
        let changed = self.presence.remote().forget(machine);
        self.report_presence(changed);
    }

    /// Forgets the users of machines that were not heard of for a while. All messages from before `now` must have been
    /// received, unless the link is down.
    pub(super) fn expire_presence(&self, now: Instant) {
        let changed = self.presence.remote().expire(MAX_SILENCE, now);
        self.report_presence(changed);
    }

    fn report_presence(&self, changed: BTreeSet<GroupUser>) {
        if let (false, Some(endpoint)) = (changed.is_empty(), self.endpoint.upgrade()) {
            endpoint.presence_changed(changed);
        }
    }

    /// Asks a machine, or all, for its users.
    fn request_presence(self: &Arc<Self>, machine: Option<MachineId>, partitions: impl IntoIterator<Item = usize>) {
        let mut requests = ignore_poison(self.presence.requests.lock());
        let is_first = requests.is_empty();
        let mut partitions = partitions.into_iter().peekable();
        if partitions.peek().is_some() {
            requests.entry(machine).or_default().extend(partitions);
        }
        if !is_first || requests.is_empty() {
            return;
        }
        drop(requests);
        let node = Arc::downgrade(self);
        tokio::spawn(async move {
            sleep(REQUEST_DELAY).await;
            let Some(node) = node.upgrade() else { return };
            let requests = std::mem::take(&mut *ignore_poison(node.presence.requests.lock()));
            for (machine, partitions) in requests {
                let partitions = partitions.into_iter().collect();
                node.send_control(&ControlMessage::PresenceRequest { machine, partitions });
            }
        });
    }

    /// Answers a request. A machine that does not share its users has none.
    pub(super) fn answer_presence(self: &Arc<Self>, partitions: &[usize], now: Instant) {
        let mut answers = ignore_poison(self.presence.answers.lock());
        let (mut due_now, mut due_later) = (Vec::new(), Vec::new());
        for &partition in partitions {
            let is_recent = |at: &Instant| now.saturating_duration_since(*at) < ANSWER_INTERVAL;
            if !answers.sent_at.get(&partition).is_some_and(is_recent) {
                answers.sent_at.insert(partition, now);
                due_now.push(partition);
            } else if answers.due.insert(partition) {
                due_later.push(partition);
            }
        }
        drop(answers);
        self.send_users(&due_now);
        if due_later.is_empty() {
            return;
        }
        let node = Arc::downgrade(self);
        tokio::spawn(async move {
            sleep(ANSWER_INTERVAL).await;
            let Some(node) = node.upgrade() else { return };
            let mut answers = ignore_poison(node.presence.answers.lock());
            for partition in &due_later {
                answers.due.remove(partition);
                answers.sent_at.insert(*partition, Instant::now());
            }
            drop(answers);
            node.send_users(&due_later);
        });
    }

    fn send_users(&self, partitions: &[usize]) {
        for partition in partitions {
            self.publish_presence(*partition, LocalPresence::snapshot);
        }
    }

    /// Receives a message about the users of another machine.
    pub(super) fn receive_presence(
        self: &Arc<Self>,
        machine: MachineId,
        channel: Channel,
        payload: &[u8],
        now: Instant,
    ) -> Result<(), Unreadable> {
        let mut message = PresenceMessage::decode(payload)?;
        let Some(endpoint) = self.endpoint.upgrade().filter(|endpoint| endpoint.shares_presence()) else {
            return Ok(());
        };
        let state = self.state();
        // What was under way when the machine departed, or when the partition was unsubscribed, would never be taken back.
        let is_expected = state.subscriptions.is_confirmed(channel.index()) && !state.peers.has_departed(machine);
        drop(state);
        if !is_expected {
            return Ok(());
        }
        let known = message.groups.len();
        message.groups.retain(|group| endpoint.has_equal_group(group.name, group.fingerprint));
        if message.groups.len() < known {
            self.report_unknown("presence", Undeliverable::UnknownType);
        }
        let received = self.presence.remote().receive((channel.index(), machine), &message, now);
        let Received { changed, is_incomplete } = received;
        if is_incomplete {
            self.request_presence(Some(machine), [channel.index()]);
        }
        self.confirmed.notify_waiters();
        self.report_presence(changed);
        Ok(())
    }

    /// Receives the versions that the users of another machine have in each partition.
    pub(super) fn receive_versions(self: &Arc<Self>, machine: MachineId, versions: &[(usize, u64)], now: Instant) {
        if !self.shares_presence() {
            return;
        }
        let state = self.state();
        if state.peers.has_departed(machine) {
            return;
        }
        let subscribed =
            (0..self.presence.local.len()).filter(|partition| state.subscriptions.is_confirmed(*partition));
        let subscribed: Vec<usize> = subscribed.collect();
        drop(state);
        let versions: BTreeMap<usize, u64> = versions.iter().copied().collect();
        let mut remote = self.presence.remote();
        let is_incomplete = |partition: &usize| {
            remote.announce((*partition, machine), versions.get(partition).copied().unwrap_or(0), now)
        };
        let incomplete: Vec<usize> = subscribed.into_iter().filter(is_incomplete).collect();
        drop(remote);
        self.request_presence(Some(machine), incomplete);
        self.confirmed.notify_waiters();
    }
}
