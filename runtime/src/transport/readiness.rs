//! Tracks whether a socket may have data to read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Skips polling the socket unless its waker fired: a connection is also woken for events, and each poll of tungstenite
/// zeroes the whole read buffer.
#[derive(Default)]
pub(super) struct Readiness(Option<(Arc<Signal>, Waker)>);

/// The waker that the socket gets: records that the socket fired it, and wakes the connection.
struct Signal {
    is_ready: AtomicBool,
    connection_waker: Waker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_ready.store(true, Ordering::Release);
        self.connection_waker.wake_by_ref();
    }
}

impl Readiness {
    /// Polls the socket with `read`, unless the last poll was pending and the waker has not fired since.
    pub(super) fn poll<T>(&mut self, cx: &mut Context<'_>, read: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        let (signal, waker) = match &mut self.0 {
            Some(current) if current.0.connection_waker.will_wake(cx.waker()) => current,
            // The connection has a new waker, so the socket must be polled to register it.
            other => {
                let signal = Arc::new(Signal { is_ready: AtomicBool::new(true), connection_waker: cx.waker().clone() });
                other.insert((signal.clone(), signal.into()))
            }
        };
        if !signal.is_ready.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        // Cleared before the read. `Relaxed` suffices: the socket stores the waker before it looks for data, and the waking
        // thread takes it from there. So this store happens before the waker sets the flag for data that the read misses.
        signal.is_ready.store(false, Ordering::Relaxed);
        let polled = read(&mut Context::from_waker(waker));
        if polled.is_ready() {
            // There may be more data.
            signal.is_ready.store(true, Ordering::Release);
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct WakeCounter(AtomicUsize);

    impl Wake for WakeCounter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A socket that stores the waker of its last poll.
    #[derive(Default)]
    struct Socket {
        readiness: Readiness,
        polls: usize,
        waker: Option<Waker>,
    }

    impl Socket {
        fn poll(&mut self, connection: &Arc<WakeCounter>, result: Poll<()>) -> Poll<()> {
            let waker = connection.clone().into();
            self.readiness.poll(&mut Context::from_waker(&waker), |cx| {
                self.polls += 1;
                self.waker = Some(cx.waker().clone());
                result
            })
        }

        fn wake(&self) {
            self.waker.as_ref().unwrap().wake_by_ref();
        }
    }

    #[test]
    fn readiness_after_a_pending_poll_polls_again_only_when_woken() {
        let (mut socket, connection) = (Socket::default(), Arc::default());
        assert_eq!(socket.poll(&connection, Poll::Ready(())), Poll::Ready(()));
        assert_eq!(socket.poll(&connection, Poll::Ready(())), Poll::Ready(()));
        assert_eq!(socket.poll(&connection, Poll::Pending), Poll::Pending);
        assert_eq!(socket.polls, 3);
        for _ in 0..3 {
            assert_eq!(socket.poll(&connection, Poll::Ready(())), Poll::Pending);
        }
        assert_eq!(socket.polls, 3, "the socket did not wake the connection");
        socket.wake();
        assert_eq!(connection.0.load(Ordering::Relaxed), 1);
        assert_eq!(socket.poll(&connection, Poll::Ready(())), Poll::Ready(()));
    }

    #[test]
    fn readiness_woken_during_a_poll_polls_again() {
        let (mut readiness, connection) = (Readiness::default(), Arc::<WakeCounter>::default());
        let waker = connection.clone().into();
        let mut cx = Context::from_waker(&waker);
        let _ = readiness.poll(&mut cx, |cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!(connection.0.load(Ordering::Relaxed), 1);
        assert_eq!(readiness.poll(&mut cx, |_| Poll::Ready(5)), Poll::Ready(5));
    }

    #[test]
    fn readiness_with_a_new_waker_polls_and_wakes_the_new_one() {
        let (mut socket, first, second) = (Socket::default(), Arc::default(), Arc::<WakeCounter>::default());
        let _ = socket.poll(&first, Poll::Pending);
        assert_eq!(socket.poll(&second, Poll::Pending), Poll::Pending);
        assert_eq!(socket.polls, 2);
        socket.wake();
        assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (0, 1));
    }
}
