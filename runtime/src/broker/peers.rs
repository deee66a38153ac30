//! What a machine knows of the others: that they are there, and which of their messages it has received.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::channel::{CHANNEL_COUNT, Channel};
use super::machine_id::MachineId;

/// The number of publications on several channels that are remembered per machine.
const MAX_PUBLICATIONS: usize = 32_768;

/// The number of machines that are not there any more and of which the numbers of messages are kept, so that a recorded
/// message is not accepted again.
const MAX_ABSENT: usize = 256;

/// The other machines. Ordered, so that a simulation runs the same way each time.
#[derive(Default)]
pub(super) struct Peers(BTreeMap<MachineId, Peer>);

struct Peer {
    heard_at: Instant,
    state: MachineState,
    /// By the index of the channel.
    channels: Box<[ChannelProgress; CHANNEL_COUNT]>,
    /// The numbers of the last publications on several channels, and that up to which all are known.
    publications: BTreeSet<u64>,
    known_publications: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MachineState {
    Present,
    /// It was silent for too long, and may come back.
    Silent,
    /// It has no connections any more, and is not waited for. It may still publish.
    Departed,
}

/// The messages of one machine on one channel.
#[derive(Clone, Copy, Default)]
struct ChannelProgress {
    /// The number of the last message. Kept while the channel is not subscribed, so that no message is received again.
    last: Option<u64>,
    /// Messages up to this number are not missed: they were before the subscription, or are reported already. `None` if that
    /// is not known yet.
    base: Option<u64>,
    /// The number that the last heartbeat has announced. `None` if there was none since the channel is subscribed. What is
    /// missing then is missed with the next heartbeat, because a heartbeat may overtake messages of another channel.
    announced: Option<u64>,
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

impl ChannelProgress {
    fn record(&mut self, sequence: u64) -> Arrival {
        if self.last.is_some_and(|last| sequence <= last) {
            return Arrival::Repeated;
        }
        let is_gap = self.base.is_some_and(|base| sequence > self.last.unwrap_or_default().max(base) + 1);
        self.last = Some(sequence);
        self.base.get_or_insert(sequence);
        if is_gap { Arrival::AfterGap } else { Arrival::Next }
    }

    /// Returns whether messages that the previous heartbeat has announced were lost.
    fn announce(&mut self, sequence: u64) -> bool {
        let base = self.base.get_or_insert(sequence);
        let Some(announced) = self.announced.replace(sequence) else { return false };
        let is_gap = announced > self.last.unwrap_or_default().max(*base);
        *base = announced.max(*base);
        is_gap
    }

    fn forget(&mut self) {
        *self = ChannelProgress { last: self.last, ..ChannelProgress::default() };
    }
}

impl Peers {
    fn peer(&mut self, machine: MachineId, now: Instant) -> &mut Peer {
        self.0.entry(machine).or_insert_with(|| Peer {
            heard_at: now,
            state: MachineState::Present,
            channels: Box::new([ChannelProgress::default(); CHANNEL_COUNT]),
            publications: BTreeSet::new(),
            known_publications: None,
        })
    }

    /// Records a message.
    pub(super) fn record(&mut self, machine: MachineId, channel: Channel, sequence: u64, now: Instant) -> Arrival {
        let peer = self.peer(machine, now);
        let arrival = peer.channels[channel.index()].record(sequence);
        if arrival != Arrival::Repeated {
            peer.heard_at = now;
            if peer.state == MachineState::Silent {
                peer.state = MachineState::Present;
            }
        }
        arrival
    }

    /// Records a heartbeat with the numbers of the last messages of its machine, and returns the channels on which messages
    /// were lost. Only channels that are subscribed here count.
    pub(super) fn record_heartbeat(
        &mut self,
        machine: MachineId,
        sequences: &[(usize, u64)],
        is_subscribed: impl Fn(usize) -> bool,
        now: Instant,
    ) -> Vec<usize> {
        let channels = &mut self.peer(machine, now).channels;
        let mut last = [0; CHANNEL_COUNT];
        for &(index, sequence) in sequences {
            last[index] = sequence;
        }
        let control = Channel::Control.index();
        let subscribed = (0..CHANNEL_COUNT).filter(|index| *index != control && is_subscribed(*index));
        subscribed.filter(|index| channels[*index].announce(last[*index])).collect()
    }

    /// Returns whether a publication on several channels is received for the first time.
    pub(super) fn is_first(&mut self, machine: MachineId, publication: u64, now: Instant) -> bool {
        let Peer { publications, known_publications, .. } = self.peer(machine, now);
        if known_publications.is_some_and(|known| publication <= known) || !publications.insert(publication) {
            return false;
        }
        if publications.len() > MAX_PUBLICATIONS {
            *known_publications = publications.pop_first();
        }
        true
    }

    /// Records that a channel is not subscribed any more.
    pub(super) fn forget_channel(&mut self, channel: Channel) {
        self.0.values_mut().for_each(|peer| peer.channels[channel.index()].forget());
    }

    /// Records that no channel is subscribed any more.
    pub(super) fn forget_channels(&mut self) {
        self.0.values_mut().for_each(|peer| peer.channels.iter_mut().for_each(ChannelProgress::forget));
    }

    /// Records that a machine has departed.
    pub(super) fn depart(&mut self, machine: MachineId, now: Instant) {
        self.peer(machine, now).state = MachineState::Departed;
    }

    /// Returns whether a machine has departed.
    pub(super) fn has_departed(&self, machine: MachineId) -> bool {
        self.0.get(&machine).is_some_and(|peer| peer.state == MachineState::Departed)
    }

    /// Records that the machines that were not heard of for this time are not there. All messages from before `now` must
    /// have been recorded.
    pub(super) fn expire(&mut self, max_silence: Duration, now: Instant) {
        let is_silent = |peer: &&mut Peer| now.saturating_duration_since(peer.heard_at) >= max_silence;
        let present = self.0.values_mut().filter(|peer| peer.state == MachineState::Present);
        present.filter(is_silent).for_each(|peer| peer.state = MachineState::Silent);
        let mut absent: Vec<_> = self.0.iter().filter(|(_, peer)| peer.state != MachineState::Present).collect();
        if absent.len() > MAX_ABSENT {
            absent.sort_unstable_by_key(|(_, peer)| peer.heard_at);
            let oldest: Vec<MachineId> = absent[..absent.len() - MAX_ABSENT].iter().map(|(id, _)| **id).collect();
            for machine in oldest {
                self.0.remove(&machine);
            }
        }
    }

    /// Returns the machines that are there.
    pub(super) fn machines(&self) -> BTreeSet<MachineId> {
        self.0.iter().filter(|(_, peer)| peer.state == MachineState::Present).map(|(machine, _)| *machine).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Vec<usize> = Vec::new();

    fn machine(number: u16) -> MachineId {
        let [high, low] = number.to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&[high, low]);
        MachineId::from_bytes(bytes)
    }

    fn channel(index: usize) -> Channel {
        Channel::from_index(index).unwrap()
    }

    #[test]
    fn lost_and_repeated_messages_are_told_apart_per_machine_and_channel() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let mut arrive = |number, channel, sequence| peers.record(machine(number), channel, sequence, now);
        assert_eq!(arrive(1, Channel::Control, 7), Arrival::Next);
        assert_eq!(arrive(1, Channel::Control, 8), Arrival::Next);
        assert_eq!(arrive(1, Channel::Control, 8), Arrival::Repeated);
        assert_eq!(arrive(1, Channel::Control, 7), Arrival::Repeated);
        assert_eq!(arrive(1, channel(3), 2), Arrival::Next);
        assert_eq!(arrive(2, Channel::Control, 1), Arrival::Next);
        assert_eq!(arrive(1, Channel::Control, 11), Arrival::AfterGap);
        assert_eq!(arrive(1, Channel::Control, 12), Arrival::Next);
    }

    #[test]
    fn heartbeat_shows_a_lost_message_that_none_follows() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let mut beat =
            |sequences: &[(usize, u64)]| peers.record_heartbeat(machine(1), sequences, |index| index < 3, now);
        // The first heartbeat tells where the numbers stand; channel 2 has had no message yet.
        assert_eq!(beat(&[(0, 4), (1, 9), (5, 5)]), NONE);
        assert_eq!(beat(&[(0, 4), (1, 10), (2, 1), (5, 6)]), NONE, "it may be under way");
        assert_eq!(beat(&[(0, 4), (1, 10), (2, 1), (5, 7)]), [1, 2]);
        assert_eq!(beat(&[(0, 4), (1, 10), (2, 1), (5, 8)]), NONE, "reported once");
        assert_eq!(peers.record(machine(1), channel(0), 5, now), Arrival::Next);
        assert_eq!(peers.record(machine(1), channel(1), 11, now), Arrival::Next);
        assert_eq!(peers.record(machine(1), channel(2), 4, now), Arrival::AfterGap);
    }

    #[test]
    fn heartbeat_that_overtakes_events_loses_none() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        for block in 0..5 {
            assert_eq!(peers.record_heartbeat(machine(1), &[(0, block * 10 + 10)], |_| true, now), NONE);
            for sequence in block * 10 + 1..=block * 10 + 10 {
                assert_eq!(peers.record(machine(1), channel(0), sequence, now), Arrival::Next);
            }
        }
    }

    #[test]
    fn what_is_missed_without_a_subscription_is_no_gap_and_nothing_is_received_again() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        assert_eq!(peers.record(machine(1), channel(0), 5, now), Arrival::Next);
        peers.forget_channels();
        assert_eq!(peers.record(machine(1), channel(0), 5, now), Arrival::Repeated);
        assert_eq!(peers.record(machine(1), channel(0), 9, now), Arrival::Next);
        assert_eq!(peers.record(machine(1), channel(0), 11, now), Arrival::AfterGap);
        peers.forget_channel(channel(0));
        assert_eq!(peers.record_heartbeat(machine(1), &[(0, 20)], |_| true, now), NONE);
        assert_eq!(peers.record_heartbeat(machine(1), &[(0, 21)], |_| true, now), NONE);
        assert_eq!(peers.record_heartbeat(machine(1), &[(0, 21)], |_| true, now), [0]);
    }

    #[test]
    fn publication_on_several_channels_is_used_once() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        assert!(peers.is_first(machine(1), 5, now) && peers.is_first(machine(2), 5, now));
        assert!(!peers.is_first(machine(1), 5, now));
    }

    #[test]
    fn machine_is_absent_when_it_is_silent_or_has_departed() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let later = now + Duration::from_secs(10);
        peers.record(machine(1), Channel::Control, 1, now);
        peers.record(machine(2), Channel::Control, 1, now + Duration::from_secs(5));
        peers.record(machine(3), Channel::Control, 1, later);
        peers.depart(machine(3), later);
        peers.expire(Duration::from_secs(10), later);
        assert_eq!(peers.machines(), BTreeSet::from([machine(2)]));
        // Sending an old message again brings no machine back, and a new one only a machine that was silent.
        assert_eq!(peers.record(machine(1), Channel::Control, 1, later), Arrival::Repeated);
        assert_eq!(peers.record(machine(3), Channel::Control, 2, later), Arrival::Next);
        assert_eq!(peers.machines(), BTreeSet::from([machine(2)]));
        assert_eq!(peers.record(machine(1), Channel::Control, 2, later), Arrival::Next);
        assert_eq!(peers.machines(), BTreeSet::from([machine(1), machine(2)]));
    }

    #[test]
    fn absent_machines_are_bounded() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        for number in 0..1000 {
            peers.record(machine(number), Channel::Control, 1, now + Duration::from_millis(number.into()));
        }
        peers.expire(Duration::from_secs(10), now + Duration::from_secs(20));
        assert_eq!((peers.0.len(), peers.machines().len()), (MAX_ABSENT, 0));
        assert!(peers.0.contains_key(&machine(999)));
    }
}
