//! Events that wait for one connection: bounded, so that a client who does not read holds back nobody else, and recalled
//! when grants change, so that they are asked about again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use crate::transport::CloseCode;

/// What happens to a connection for which more events wait than [`Limits::queue`](crate::Limits::queue) and
/// [`Limits::queue_bytes`](crate::Limits::queue_bytes) allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SlowReceiver {
    /// It is closed with 1013: come back later, and ask for what was missed. The default.
    #[default]
    Close,
    /// The event that has waited longest is dropped, and counted in the log when the connection ends.
    DropOldest,
}

/// What waits for one connection. `N` is what it takes to ask about an event again.
pub(crate) struct Mailbox<N> {
    waiting: Mutex<Waiting<N>>,
    reader: AtomicWaker,
    /// Whether there is something to take, or the connection is to end.
    ready: AtomicBool,
    /// How often the grants behind what waits have changed. Changed under the lock only.
    epoch: AtomicU64,
    most: usize,
    most_bytes: usize,
    policy: SlowReceiver,
}

struct Waiting<N> {
    events: VecDeque<(Bytes, N)>,
    bytes: usize,
    /// How many have gone from the front.
    gone: u64,
    dropped: u64,
    end: Option<CloseCode>,
    closed: bool,
}

impl<N> Waiting<N> {
    fn pop(&mut self) -> Option<(Bytes, N)> {
        let oldest = self.events.pop_front()?;
        self.bytes -= oldest.0.len();
        self.gone += 1;
        Some(oldest)
    }
}

/// The connection is to end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended(pub(crate) CloseCode);

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits, or nobody wants it any more.
    Done,
    /// The grants have changed since it was asked about.
    Stale,
}

impl<N> Mailbox<N> {
    pub(crate) fn new(most: usize, most_bytes: usize, policy: SlowReceiver) -> Mailbox<N> {
        let waiting = Waiting { events: VecDeque::new(), bytes: 0, gone: 0, dropped: 0, end: None, closed: false };
        let (reader, ready) = (AtomicWaker::new(), AtomicBool::new(false));
        let epoch = AtomicU64::new(0);
        Mailbox { waiting: Mutex::new(waiting), reader, ready, epoch, most, most_bytes, policy }
    }

    /// Puts an event in that was asked about in that epoch, unless the membership that it comes by has ended.
    pub(super) fn put(&self, frame: &Bytes, note: N, epoch: u64, left: Option<&AtomicBool>) -> Put {
        let mut waiting = self.waiting();
        // Both are looked at under the lock: who has taken it to change them is not overtaken.
        if self.epoch() != epoch {
            return Put::Stale;
        }
        if waiting.closed || waiting.end.is_some() || left.is_some_and(|left| left.load(Ordering::Relaxed)) {
            return Put::Done;
        }
        waiting.events.push_back((frame.clone(), note));
        waiting.bytes += frame.len();
        while waiting.events.len() > self.most || waiting.bytes > self.most_bytes {
            if self.policy == SlowReceiver::Close {
                drop(waiting);
                self.end(CloseCode::TooSlow);
                return Put::Done;
            }
            if waiting.pop().is_none() {
                break;
            }
            waiting.dropped += 1;
        }
        let wake = !self.ready.swap(true, Ordering::AcqRel);
        drop(waiting);
        // Whoever reads takes everything, so it is woken once.
        if wake {
            self.reader.wake();
        }
        Put::Done
    }

    /// How many events may wait.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// More has come than could even be asked about: says what is to be done, and counts what is dropped.
    pub(super) fn overrun(&self) -> SlowReceiver {
        if self.policy == SlowReceiver::DropOldest {
            self.waiting().dropped += 1;
        }
        self.policy
    }

    /// Whether nothing is to be put in any more.
    pub(super) fn is_over(&self) -> bool {
        let waiting = self.waiting();
        waiting.closed || waiting.end.is_some()
    }

    /// The connection is to end with this code. Nothing is delivered any more.
    pub(super) fn end(&self, code: CloseCode) {
        let mut waiting = self.waiting();
        waiting.end.get_or_insert(code);
        waiting.events.clear();
        waiting.bytes = 0;
        self.ready.store(true, Ordering::Release);
        drop(waiting);
        self.reader.wake();
    }

    /// Ends a membership: what was put in by it before stays, nothing comes after.
    pub(super) fn leave(&self, left: &AtomicBool) {
        let _waiting = self.waiting();
        left.store(true, Ordering::Relaxed);
    }

    /// The grants behind what waits.
    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// The grants have changed: gives back what waits, to be asked about again.
    pub(super) fn recall(&self) -> impl DoubleEndedIterator<Item = N> + use<N> {
        let mut waiting = self.waiting();
        self.epoch.fetch_add(1, Ordering::SeqCst);
        waiting.bytes = 0;
        waiting.gone += waiting.events.len() as u64;
        std::mem::take(&mut waiting.events).into_iter().map(|(_, note)| note)
    }

    /// Whether there is something to take, or the connection is to end.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// The place behind all that waits now.
    pub(crate) fn place(&self) -> Result<u64, Ended> {
        let waiting = self.waiting();
        if let Some(code) = waiting.end {
            return Err(Ended(code));
        }
        self.ready.store(!waiting.events.is_empty(), Ordering::Release);
        Ok(waiting.gone + waiting.events.len() as u64)
    }

    /// Takes what has waited longest, if it stands in front of that place.
    pub(crate) fn take_before(&self, place: u64) -> Result<Option<Bytes>, Ended> {
        let mut waiting = self.waiting();
        if let Some(code) = waiting.end {
            return Err(Ended(code));
        }
        if waiting.gone >= place {
            return Ok(None);
        }
        let taken = waiting.pop();
        self.ready.store(!waiting.events.is_empty(), Ordering::Release);
        drop(waiting);
        // An event may run its own code when it is dropped, so that is not done under the lock.
        Ok(taken.map(|(frame, _)| frame))
    }

    /// Waits until there is something to take. For one reader.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        if !self.ready.load(Ordering::Acquire) {
            self.reader.register(cx.waker());
            if !self.ready.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        Poll::Ready(self.waiting().end.map_or(Ok(()), |code| Err(Ended(code))))
    }

    /// Waits until the connection is to end. For one reader.
    pub(crate) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<Ended> {
        self.reader.register(cx.waker());
        self.waiting().end.map_or(Poll::Pending, |code| Poll::Ready(Ended(code)))
    }

    /// Takes nothing any more. Gives how many events were dropped.
    pub(crate) fn close(&self) -> u64 {
        let mut waiting = self.waiting();
        waiting.closed = true;
        waiting.events.clear();
        waiting.bytes = 0;
        waiting.dropped
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<N>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take<N>(mailbox: &Mailbox<N>) -> Result<Vec<Bytes>, Ended> {
        let (place, mut all) = (mailbox.place()?, Vec::new());
        while let Some(frame) = mailbox.take_before(place)? {
            all.push(frame);
        }
        Ok(all)
    }

    fn put(mailbox: &Mailbox<&'static str>, texts: &[&'static str]) {
        for text in texts {
            assert_eq!(mailbox.put(&Bytes::from_static(text.as_bytes()), text, mailbox.epoch(), None), Put::Done);
        }
    }

    #[test]
    fn events_come_out_in_their_order_and_once() {
        let mailbox = Mailbox::new(3, 100, SlowReceiver::Close);
        put(&mailbox, &["a", "b", "c"]);
        assert_eq!(mailbox.take_before(1).unwrap().unwrap(), "a");
        assert_eq!(mailbox.take_before(1).unwrap(), None, "the next stands behind");
        assert_eq!(take(&mailbox).unwrap(), ["b", "c"]);
        assert_eq!(mailbox.take_before(9).unwrap(), None);
        put(&mailbox, &["d", "e", "f"]);
        assert_eq!(take(&mailbox).unwrap(), ["d", "e", "f"]);
    }

    #[test]
    fn too_many_or_too_large_ones_close_it() {
        for mailbox in [Mailbox::new(2, 100, SlowReceiver::Close), Mailbox::new(9, 2, SlowReceiver::Close)] {
            put(&mailbox, &["a", "b"]);
            assert_eq!(take(&mailbox).unwrap(), ["a", "b"]);
            put(&mailbox, &["c", "d", "e"]);
            assert_eq!(take(&mailbox), Err(Ended(CloseCode::TooSlow)));
            put(&mailbox, &["f"]);
            mailbox.end(CloseCode::Refused);
            assert_eq!(mailbox.take_before(9), Err(Ended(CloseCode::TooSlow)), "and it stays so");
        }
    }

    #[test]
    fn or_the_oldest_are_dropped_and_counted() {
        let mailbox = Mailbox::new(2, 4, SlowReceiver::DropOldest);
        put(&mailbox, &["a", "b", "c"]);
        assert_eq!(take(&mailbox).unwrap(), ["b", "c"]);
        put(&mailbox, &["ddd", "ee", "fffff"]);
        assert_eq!(take(&mailbox).unwrap(), Vec::<Bytes>::new(), "one that is too large by itself is dropped too");
        mailbox.overrun();
        assert_eq!(mailbox.close(), 5);
        put(&mailbox, &["g"]);
        assert_eq!(take(&mailbox).unwrap(), Vec::<Bytes>::new());
    }

    #[test]
    fn nothing_comes_by_a_membership_that_has_ended() {
        let (mailbox, left) = (Mailbox::new(9, 100, SlowReceiver::Close), AtomicBool::new(false));
        assert_eq!(mailbox.put(&Bytes::from_static(b"a"), (), 0, Some(&left)), Put::Done);
        mailbox.leave(&left);
        assert_eq!(mailbox.put(&Bytes::from_static(b"b"), (), 0, Some(&left)), Put::Done);
        assert_eq!(take(&mailbox).unwrap(), ["a"]);
    }

    #[test]
    fn what_is_recalled_is_asked_about_again_and_so_is_what_was_asked_about_before() {
        let mailbox = Mailbox::new(9, 100, SlowReceiver::Close);
        put(&mailbox, &["a", "b"]);
        let before = mailbox.epoch();
        assert_eq!(mailbox.recall().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(take(&mailbox).unwrap(), Vec::<Bytes>::new());
        assert_eq!(mailbox.put(&Bytes::from_static(b"c"), "c", before, None), Put::Stale);
        put(&mailbox, &["d"]);
        assert_eq!(take(&mailbox).unwrap(), ["d"]);
    }
}
