//! What a machine knows of the others: that they are there, and which of their messages it has received.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::channel::{CHANNEL_COUNT, Channel};
use super::machine_id::MachineId;

/// The number of publications on several channels that are remembered per machine.
const MAX_PUBLICATIONS: usize = 1024;

/// The other machines. Ordered, so that a simulation runs the same way each time.
#[derive(Default)]
pub(super) struct Peers(BTreeMap<MachineId, Peer>);

struct Peer {
    heard_at: Instant,
    /// By the index of the channel: the number of the last message. `None` if none is known since the channel is subscribed.
    sequences: Box<[Option<u64>; CHANNEL_COUNT]>,
    /// The last publications on several channels.
    publications: VecDeque<u64>,
}

/// How a message follows those that were received before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is the next one, or the first one.
    Next,
    /// It is newer, and others before it were lost.
    AfterGap,
    /// It was received before, or another one after it.
    Repeated,
}

impl Peers {
    fn peer(&mut self, machine: MachineId, now: Instant) -> &mut Peer {
        let peer = self.0.entry(machine).or_insert_with(|| Peer {
            heard_at: now,
            sequences: Box::new([None; CHANNEL_COUNT]),
            publications: VecDeque::new(),
        });
        peer.heard_at = now;
        peer
    }

    /// Records a message.
    pub(super) fn record(&mut self, machine: MachineId, channel: Channel, sequence: u64, now: Instant) -> Arrival {
        let last = &mut self.peer(machine, now).sequences[channel.index()];
        let arrival = match *last {
            Some(last) if sequence <= last => return Arrival::Repeated,
            Some(last) if sequence > last + 1 => Arrival::AfterGap,
            _ => Arrival::Next,
        };
        *last = Some(sequence);
        arrival
    }

    /// Compares the numbers of the last messages that a machine has published with those that were received. The channels are
    /// those that are subscribed here. Returns those on which messages were lost.
    pub(super) fn record_heartbeat(
        &mut self,
        machine: MachineId,
        sequences: &[(usize, u64)],
        is_subscribed: impl Fn(usize) -> bool,
        now: Instant,
    ) -> Vec<usize> {
        let peer = self.peer(machine, now);
        let mut gaps = Vec::new();
        for &(index, sequence) in sequences.iter().filter(|(index, _)| is_subscribed(*index)) {
            let last = &mut peer.sequences[index];
            if last.is_some_and(|last| last < sequence) {
                gaps.push(index);
            }
            *last = Some(last.unwrap_or_default().max(sequence));
        }
        gaps
    }

    /// Returns whether a publication on several channels is received for the first time.
    pub(super) fn is_first(&mut self, machine: MachineId, publication: u64, now: Instant) -> bool {
        let publications = &mut self.peer(machine, now).publications;
        if publications.contains(&publication) {
            return false;
        }
        if publications.len() == MAX_PUBLICATIONS {
            publications.pop_front();
        }
        publications.push_back(publication);
        true
    }

    /// Forgets the numbers of a channel's messages, because it is not subscribed any more.
    pub(super) fn forget_channel(&mut self, channel: Channel) {
        self.0.values_mut().for_each(|peer| peer.sequences[channel.index()] = None);
    }

    /// Forgets the numbers of all messages, because no channel is subscribed any more.
    pub(super) fn forget_channels(&mut self) {
        self.0.values_mut().for_each(|peer| peer.sequences.fill(None));
    }

    /// Removes a machine that has departed.
    pub(super) fn remove(&mut self, machine: MachineId) {
        self.0.remove(&machine);
    }

    /// Removes the machines that were not heard of for this time.
    pub(super) fn expire(&mut self, max_silence: Duration, now: Instant) {
        self.0.retain(|_, peer| now.duration_since(peer.heard_at) < max_silence);
    }

    /// Returns the machines.
    pub(super) fn machines(&self) -> BTreeSet<MachineId> {
        self.0.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(number: u8) -> MachineId {
        MachineId::from_bytes([number; 16])
    }

    #[test]
    fn lost_and_repeated_messages_are_told_apart_per_machine_and_channel() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let mut arrive = |number, channel, sequence| peers.record(machine(number), channel, sequence, now);
        let other = Channel::from_index(3).unwrap();
        assert_eq!(arrive(1, Channel::Control, 7), Arrival::Next);
        assert_eq!(arrive(1, Channel::Control, 8), Arrival::Next);
        assert_eq!(arrive(1, Channel::Control, 8), Arrival::Repeated);
        assert_eq!(arrive(1, Channel::Control, 7), Arrival::Repeated);
        assert_eq!(arrive(1, other, 2), Arrival::Next);
        assert_eq!(arrive(2, Channel::Control, 1), Arrival::Next);
        assert_eq!(arrive(1, Channel::Control, 11), Arrival::AfterGap);
        assert_eq!(arrive(1, Channel::Control, 12), Arrival::Next);
    }

    #[test]
    fn heartbeat_shows_a_lost_message_that_none_follows() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let channels = [(0, 4), (1, 9), (2, 5)];
        // The first heartbeat tells where the numbers stand.
        assert_eq!(peers.record_heartbeat(machine(1), &channels, |index| index < 2, now), Vec::<usize>::new());
        assert_eq!(peers.record(machine(1), Channel::from_index(0).unwrap(), 5, now), Arrival::Next);
        assert_eq!(peers.record_heartbeat(machine(1), &[(0, 5), (1, 10), (2, 6)], |index| index < 2, now), [1]);
        assert_eq!(
            peers.record_heartbeat(machine(1), &[(0, 5), (1, 10), (2, 6)], |index| index < 2, now),
            Vec::<usize>::new()
        );
        peers.forget_channels();
        assert_eq!(peers.record_heartbeat(machine(1), &[(0, 9)], |_| true, now), Vec::<usize>::new());
    }

    #[test]
    fn publication_on_several_channels_is_used_once() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        assert!(peers.is_first(machine(1), 5, now) && peers.is_first(machine(2), 5, now));
        assert!(!peers.is_first(machine(1), 5, now));
    }

    #[test]
    fn silent_machines_expire() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        peers.record(machine(1), Channel::Control, 1, now);
        peers.record(machine(2), Channel::Control, 1, now + Duration::from_secs(5));
        peers.expire(Duration::from_secs(10), now + Duration::from_secs(10));
        assert_eq!(peers.machines(), BTreeSet::from([machine(2)]));
    }
}
