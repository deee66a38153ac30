//! What a node does with what its link receives.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Node, NodeState};
use crate::broker::control::ControlMessage;
use crate::broker::event_log::LogPosition;
use crate::broker::lease::MAX_SILENCE;
use crate::broker::machine_id::MachineId;
use crate::broker::message::{EventMessage, Opened, Undeliverable, Unreadable, open};
use crate::broker::peers::Arrival;
use crate::broker::presence_message::PresenceMessage;
use crate::broker::{Channel, Partition, PartitionSet, Target};
use crate::log::Truncated;
use crate::panic::{catch_unwind, log_entry};

impl Node {
    pub(super) fn receive(self: &Arc<Self>, channel: Channel, message: Bytes) {
        let name = &self.channel_names[channel.index()];
        let read = match channel {
            Channel::History(_) => self.receive_logged(channel, message),
            Channel::Partition(_) | Channel::Control => {
                open(self.key.as_ref(), name, message).and_then(|opened| self.receive_opened(channel, &opened))
            }
        };
        if let Err(error) = read {
            let count = self.counters.unreadable.fetch_add(1, Ordering::Relaxed) + 1;
            if count.is_power_of_two() {
                log_entry!(
                    WARN,
                    channel = name,
                    ?error,
                    count,
                    "message from the broker refused: give all machines the same cluster_key and version"
                );
            }
        }
    }

    fn receive_opened(self: &Arc<Self>, channel: Channel, opened: &Opened) -> Result<(), Unreadable> {
        let (machine, now) = (opened.machine, Instant::now());
        if machine == self.machine {
            if channel == Channel::Control {
                self.receive_own(opened, now);
            }
            return Ok(());
        }
        if !self.record_arrival(channel, opened, now) {
            return Ok(());
        }
        if channel == Channel::Control {
            let message = ControlMessage::decode(&opened.payload).inspect_err(|_| self.record_loss(channel))?;
            self.receive_control(machine, &message, now);
        } else if PresenceMessage::is_payload(&opened.payload) {
            self.receive_presence(machine, channel, &opened.payload, now)?;
        } else {
            let message = EventMessage::decode(&opened.payload).inspect_err(|_| self.record_loss(channel))?;
            self.receive_event(machine, channel, &message, now);
        }
        Ok(())
    }

    /// Records a message of another machine, or an own one on a history channel. Returns false if it was received before.
    fn record_arrival(&self, channel: Channel, opened: &Opened, now: Instant) -> bool {
        let arrival = if opened.machine == self.machine {
            self.state().own.record(channel, opened.sequence)
        } else {
            self.counters.received.fetch_add(1, Ordering::Relaxed);
            self.state().peers.record(opened.machine, channel, opened.sequence, now)
        };
        match arrival {
            Arrival::Repeated => return false,
            Arrival::AfterGap => self.record_loss(channel),
            Arrival::Next => {}
        }
        true
    }

    /// Receives an event of a group with a history, also one of this machine, which was not delivered before it had a position.
    fn receive_logged(self: &Arc<Self>, channel: Channel, message: Bytes) -> Result<(), Unreadable> {
        let (position, message) = LogPosition::split(message).ok_or(Unreadable::Malformed)?;
        let opened = open(self.key.as_ref(), &self.channel_names[channel.index()], message)?;
        if !self.record_arrival(channel, &opened, Instant::now()) {
            return Ok(());
        }
        let mut message = EventMessage::decode(&opened.payload).inspect_err(|_| self.record_loss(channel))?;
        message.position = Some(position);
        let Some(endpoint) = self.endpoint.upgrade() else { return Ok(()) };
        if let Err(error) = endpoint.deliver(&message) {
            self.report_unknown(message.event, error);
            let partitions = concerned_partitions(channel, &message);
            match error {
                Undeliverable::UnknownType => self.record_unknown_gap(partitions),
                Undeliverable::Undecodable => self.record_gap(partitions),
            }
        }
        Ok(())
    }

    /// Receives an own message on the control channel: the broker has passed on all changes that it had before.
    fn receive_own(self: &Arc<Self>, opened: &Opened, now: Instant) {
        let sequence = opened.sequence;
        if let Ok(ControlMessage::Heartbeat { sequences, .. }) = ControlMessage::decode(&opened.payload) {
            let mut state = self.state();
            let NodeState { own, subscriptions, .. } = &mut *state;
            let is_history = |index| matches!(Channel::from_index(index), Some(Channel::History(_)));
            let lost = own.record_heartbeat(&sequences, |index| is_history(index) && subscriptions.is_confirmed(index));
            drop(state);
            lost.into_iter().filter_map(Channel::from_index).for_each(|channel| self.record_loss(channel));
        }
        let sent_at = self.lease.take_sent(sequence);
        let mut state = self.state();
        if let Some(sent_at) = sent_at {
            // By the time of sending: the broker may have more messages by now that are not received yet.
            state.peers.expire(MAX_SILENCE, sent_at.instant);
        }
        let machines = state.peers.machines();
        let has_missed_changes = std::mem::take(&mut state.has_missed_changes);
        // From here on, the others have a message of this machine before each change that it does not know of.
        let is_connected = state.listens_since.is_none();
        state.listens_since.get_or_insert(now);
        drop(state);
        if is_connected {
            log_entry!(INFO, namespace = self.namespace, machine = %self.machine, "broker connected");
            self.report_link(true);
            self.resume_presence();
        }
        if let Some(sent_at) = sent_at {
            self.expire_presence(sent_at.instant);
        }
        self.changes.record_returned(sequence, &machines, now);
        if has_missed_changes && !self.apply_all() {
            self.state().has_missed_changes = true;
        } else if let Some(sent_at) = sent_at {
            self.lease.extend(sent_at);
        }
    }

    fn receive_control(self: &Arc<Self>, machine: MachineId, message: &ControlMessage<'_>, now: Instant) {
        match message {
            ControlMessage::Heartbeat { closes_when_cut_off, sequences, presence } => {
                let mut state = self.state();
                let NodeState { peers, subscriptions, .. } = &mut *state;
                peers.record_close_when_cut_off(machine, *closes_when_cut_off, now);
                let is_subscribed = |index| subscriptions.is_confirmed(index);
                let gaps = peers.record_heartbeat(machine, sequences, is_subscribed, now);
                drop(state);
                gaps.into_iter().filter_map(Channel::from_index).for_each(|channel| self.record_loss(channel));
                self.receive_versions(machine, presence, now);
            }
            ControlMessage::Departure => {
                self.state().peers.depart(machine, now);
                self.changes.depart(machine);
                self.forget_presence(machine);
            }
            ControlMessage::Change { id, change } => {
                let (node, id) = (Arc::downgrade(self), *id);
                let done = move || {
                    if let Some(node) = node.upgrade() {
                        node.send_control(&ControlMessage::Acknowledgement { machine, id });
                    }
                };
                let Some(endpoint) = self.endpoint.upgrade() else { return };
                if catch_unwind(|| endpoint.apply(change, Box::new(done))).is_err() {
                    self.record_loss(Channel::Control);
                }
            }
            ControlMessage::Acknowledgement { machine: publisher, id } => {
                if *publisher == self.machine {
                    self.changes.acknowledge(*id, machine);
                }
            }
            ControlMessage::PresenceRequest { machine: asked, partitions } => {
                if asked.is_none_or(|asked| asked == self.machine) {
                    self.answer_presence(partitions, now);
                }
            }
        }
    }

    fn receive_event(&self, machine: MachineId, channel: Channel, message: &EventMessage<'_>, now: Instant) {
        let is_first = |publication| self.state().peers.is_first(machine, publication, now);
        if !message.publication.is_none_or(is_first) {
            return;
        }
        let Some(endpoint) = self.endpoint.upgrade() else { return };
        if let Err(error) = endpoint.deliver(message) {
            self.report_unknown(message.event, error);
            self.record_gap(concerned_partitions(channel, message));
        }
    }

    /// Counts a message of another machine about a type that is unknown here.
    pub(super) fn report_unknown(&self, subject: &str, error: Undeliverable) {
        let count = self.counters.unknown.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            log_entry!(
                WARN,
                subject = ?Truncated::new(subject),
                ?error,
                count,
                "message of another machine ignored: the type of its event or group is unknown here, or differs"
            );
        }
    }

    /// Records that messages of a subscribed channel were lost.
    pub(super) fn record_loss(&self, channel: Channel) {
        let Some(partition) = channel.partition() else {
            // Changes and heartbeats may be among them. The next message that is back makes up for it.
            let mut state = self.state();
            state.has_missed_changes = true;
            state.listens_since = state.listens_since.map(|_| Instant::now());
            return;
        };
        self.record_gap(partition.into());
    }

    pub(super) fn record_gap(&self, partitions: PartitionSet) {
        self.count_gap();
        if let Some(endpoint) = self.endpoint.upgrade() {
            endpoint.missed(partitions);
        }
    }

    /// Records a gap because of an event of a type that is unknown here.
    fn record_unknown_gap(&self, partitions: PartitionSet) {
        self.count_gap();
        if let Some(endpoint) = self.endpoint.upgrade() {
            endpoint.missed_unknown(partitions);
        }
    }

    fn count_gap(&self) {
        let count = self.counters.gaps.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            log_entry!(WARN, namespace = self.namespace, count, "events of other machines may have been lost");
        }
    }

    pub(super) fn receive_subscribed(self: &Arc<Self>, channel: Channel) {
        let mut state = self.state();
        let gap = state.subscriptions.confirm(channel);
        // What came late from an earlier subscription is no start for the numbers.
        state.peers.forget_channel(channel);
        state.own.forget_channel(channel);
        drop(state);
        self.begin_presence(channel, Instant::now());
        self.confirmed.notify_waiters();
        if channel == Channel::Control {
            // The link counts as up when this is back.
            self.upkeep();
        }
        if !gap.is_empty() {
            self.record_gap(gap);
        }
    }

    fn report_link(&self, is_connected: bool) {
        if let Some(endpoint) = self.endpoint.upgrade() {
            endpoint.link_changed(is_connected);
        }
    }

    pub(super) fn receive_lost(&self) {
        let mut state = self.state();
        state.subscriptions.lose();
        state.peers.forget_channels();
        state.own.forget_channels();
        state.has_missed_changes = true;
        let was_connected = state.listens_since.take().is_some();
        drop(state);
        if was_connected {
            self.counters.losses.fetch_add(1, Ordering::Relaxed);
            self.report_link(false);
            log_entry!(
                ERROR,
                namespace = self.namespace,
                machine = %self.machine,
                "broker lost: events of other machines are missed, and all rights are loaded again every six seconds until it is back"
            );
        }
    }
}

/// Returns the partitions of the groups that a message is for. It is received once, on any of them.
fn concerned_partitions(channel: Channel, message: &EventMessage<'_>) -> PartitionSet {
    let mut partitions = PartitionSet::default();
    if let Some(partition) = channel.partition() {
        partitions.insert(partition);
    }
    if let Target::Groups { name, keys, .. } = &message.target {
        for key in keys {
            partitions.insert(Partition::of_group(name, key));
        }
    }
    partitions
}
