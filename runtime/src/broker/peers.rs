//! What a machine knows of the others: that they are there, and which of their messages it has received.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::channel::{CHANNEL_COUNT, Channel};
use super::machine_id::MachineId;

/// The number of publications on several channels that are remembered per machine.
const MAX_PUBLICATIONS: usize = 32_768;

/// The number of messages of a machine on one channel that may be late at a time. More are lost.
const MAX_LATE: usize = 4096;

/// The number of machines that are not there any more and of which the numbers of messages are kept, so that a recorded
/// message is not accepted again.
const MAX_ABSENT: usize = 256;

/// The other machines. Ordered, so that a simulation runs the same way each time.
#[derive(Default)]
pub(super) struct Peers(BTreeMap<MachineId, Peer>);

struct Peer {
    heard_at: Instant,
    state: MachineState,
    /// Whether it closes its connections when it is cut off. `false` until it has said so.
    closes_when_cut_off: bool,
    received: ReceivedNumbers,
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

/// The numbers of the messages of one machine that were received, by the index of the channel.
pub(super) struct ReceivedNumbers(Box<[ChannelProgress]>);

/// The messages of one machine on one channel.
#[derive(Default)]
struct ChannelProgress {
    /// The number of the last message. Kept while the channel is not subscribed, so that no message is received again.
    last: Option<u64>,
    /// Messages up to this number are not missed: they were before the subscription, or are reported already. `None` if that
    /// is not known yet.
    base: Option<u64>,
    /// The number that the last heartbeat has announced. `None` if there was none since the channel is subscribed. What is
    /// missing then is missed with the next heartbeat, because a heartbeat may overtake messages of another channel.
    announced: Option<u64>,
    /// The numbers between the base and the last one that may still come, on a channel whose messages are in the order of each
    /// log only.
    late: BTreeSet<u64>,
    /// Those that are reported as missed. Such a message is delivered if it comes all the same.
    lost: BTreeSet<u64>,
    /// On such a channel, the numbers up to the base that have come since the subscription, and that up to which none come any more.
    early: BTreeSet<u64>,
    settled: u64,
}

/// How a message follows those that were received before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is the next one, or the first one, or one that was late.
    Next,
    /// It is newer, and others before it were lost.
    AfterGap,
    /// It was received before, or another one after it.
    Repeated,
}

impl ChannelProgress {
    fn record(&mut self, sequence: u64, is_ordered: bool) -> Arrival {
        if self.last.is_some_and(|last| sequence <= last) {
            let is_early = !is_ordered && self.base.is_none_or(|base| sequence <= base) && sequence > self.settled;
            let is_late = self.late.remove(&sequence) || self.lost.remove(&sequence);
            let is_next = is_late || is_early && self.early.insert(sequence);
            return if is_next { Arrival::Next } else { Arrival::Repeated };
        }
        let next = self.base.map_or(sequence, |base| self.last.unwrap_or_default().max(base) + 1);
        self.last = Some(sequence);
        if sequence <= *self.base.get_or_insert(sequence) && !is_ordered {
            self.early.insert(sequence);
        }
        if next >= sequence {
            return Arrival::Next;
        }
        if is_ordered || sequence - next > (MAX_LATE - self.late.len()) as u64 {
            return Arrival::AfterGap;
        }
        self.late.extend(next..sequence);
        Arrival::Next
    }

    /// Returns whether messages that the previous heartbeat has announced were lost.
    fn announce(&mut self, sequence: u64) -> bool {
        let base = self.base.get_or_insert(sequence);
        let Some(announced) = self.announced.replace(sequence) else { return false };
        let is_last_missing = announced > self.last.unwrap_or_default().max(*base);
        *base = announced.max(*base);
        self.settled = *base;
        self.early.clear();
        let still_late = self.late.split_off(&(announced + 1));
        let mut lost = std::mem::replace(&mut self.late, still_late);
        let is_lost = !lost.is_empty();
        self.lost.append(&mut lost);
        while self.lost.len() > MAX_LATE {
            self.lost.pop_first();
        }
        is_last_missing || is_lost
    }

    fn forget(&mut self) {
        let settled = self.last.unwrap_or_default().max(self.settled);
        *self = ChannelProgress { last: self.last, settled, ..ChannelProgress::default() };
    }
}

impl ReceivedNumbers {
    pub(super) fn new() -> ReceivedNumbers {
        ReceivedNumbers((0..CHANNEL_COUNT).map(|_| ChannelProgress::default()).collect())
    }

    /// Records a message.
    pub(super) fn record(&mut self, channel: Channel, sequence: u64) -> Arrival {
        self.0[channel.index()].record(sequence, !matches!(channel, Channel::History(_)))
    }

    /// Records a heartbeat with the numbers of the last messages of the machine, and returns the channels on which messages
    /// were lost. Only channels that are subscribed here count.
    pub(super) fn record_heartbeat(
        &mut self,
        sequences: &[(usize, u64)],
        is_subscribed: impl Fn(usize) -> bool,
    ) -> Vec<usize> {
        let mut last = [0; CHANNEL_COUNT];
        for &(index, sequence) in sequences {
            last[index] = sequence;
        }
        let control = Channel::Control.index();
        let subscribed = (0..CHANNEL_COUNT).filter(|index| *index != control && is_subscribed(*index));
        subscribed.filter(|index| self.0[*index].announce(last[*index])).collect()
    }

    /// Records that a channel is not subscribed any more.
    pub(super) fn forget_channel(&mut self, channel: Channel) {
        self.0[channel.index()].forget();
    }

    /// Records that no channel is subscribed any more.
    pub(super) fn forget_channels(&mut self) {
        self.0.iter_mut().for_each(ChannelProgress::forget);
    }
}

impl Peers {
    fn peer(&mut self, machine: MachineId, now: Instant) -> &mut Peer {
        self.0.entry(machine).or_insert_with(|| Peer {
            heard_at: now,
            state: MachineState::Present,
            closes_when_cut_off: false,
            received: ReceivedNumbers::new(),
            publications: BTreeSet::new(),
            known_publications: None,
        })
    }

    /// Records a message.
    pub(super) fn record(&mut self, machine: MachineId, channel: Channel, sequence: u64, now: Instant) -> Arrival {
        let peer = self.peer(machine, now);
        let arrival = peer.received.record(channel, sequence);
        if arrival != Arrival::Repeated {
            peer.heard_at = now;
            if peer.state == MachineState::Silent {
                peer.state = MachineState::Present;
            }
        }
        arrival
    }

    /// See [`ReceivedNumbers::record_heartbeat`].
    pub(super) fn record_heartbeat(
        &mut self,
        machine: MachineId,
        sequences: &[(usize, u64)],
        is_subscribed: impl Fn(usize) -> bool,
        now: Instant,
    ) -> Vec<usize> {
        self.peer(machine, now).received.record_heartbeat(sequences, is_subscribed)
    }

    /// Records whether a machine closes its connections when it is cut off.
    pub(super) fn record_close_when_cut_off(&mut self, machine: MachineId, closes: bool, now: Instant) {
        self.peer(machine, now).closes_when_cut_off = closes;
    }

    /// Returns whether all machines that may have connections close them when they are cut off.
    pub(super) fn all_close_when_cut_off(&self) -> bool {
        let mut others = self.0.values().filter(|peer| peer.state != MachineState::Departed);
        others.all(|peer| peer.closes_when_cut_off)
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
        self.0.values_mut().for_each(|peer| peer.received.forget_channel(channel));
    }

    /// Records that no channel is subscribed any more.
    pub(super) fn forget_channels(&mut self) {
        self.0.values_mut().for_each(|peer| peer.received.forget_channels());
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
    fn message_of_a_history_may_be_late_and_is_lost_after_two_heartbeats() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let history = Channel::from_index(200).unwrap();
        assert!(matches!(history, Channel::History(_)));
        let (next, repeated) = (Arrival::Next, Arrival::Repeated);
        let arrive = |peers: &mut Peers, sequence| peers.record(machine(1), history, sequence, now);
        let beat = |peers: &mut Peers, sequence| peers.record_heartbeat(machine(1), &[(200, sequence)], |_| true, now);
        // After a subscription, messages of which the order is not known yet.
        let arrivals = [3, 1, 1, 3, 4, 2].map(|sequence| arrive(&mut peers, sequence));
        assert_eq!(arrivals, [next, next, repeated, repeated, next, next]);
        assert_eq!(beat(&mut peers, 4), NONE);
        let arrivals = [7, 5, 5, 6, 9].map(|sequence| arrive(&mut peers, sequence));
        assert_eq!(arrivals, [next, next, repeated, next, next]);
        assert_eq!(beat(&mut peers, 9), NONE, "8 may be under way");
        assert_eq!(beat(&mut peers, 9), [200]);
        assert_eq!(beat(&mut peers, 9), NONE, "reported once");
        assert_eq!([8, 8].map(|sequence| arrive(&mut peers, sequence)), [next, repeated]);
        assert_eq!(arrive(&mut peers, 10 + MAX_LATE as u64 + 1), Arrival::AfterGap, "too many would be late");
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
