//! Whether a socket may have something to read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Keeps a socket from being looked at for nothing: a connection is woken for events too, and each look would clear the whole
/// read buffer.
#[derive(Default)]
pub(super) struct Readiness(Option<(Arc<Signal>, Waker)>);

/// What the socket wakes: says that it was the socket, and wakes the connection.
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
    /// Reads, unless the socket has had nothing and has not woken anybody since.
    pub(super) fn poll<T>(&mut self, cx: &mut Context<'_>, read: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        let (signal, waker) = match &mut self.0 {
            Some(current) if current.0.connection_waker.will_wake(cx.waker()) => current,
            // Whoever was to be woken before is not any more, so the socket must hear of the new one.
            other => {
                let signal = Arc::new(Signal { is_ready: AtomicBool::new(true), connection_waker: cx.waker().clone() });
                other.insert((signal.clone(), signal.into()))
            }
        };
        if !signal.is_ready.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        // Before the look. It needs no order of its own: a socket first keeps the waker and then looks, and whoever wakes
        // takes the waker from there, so that this comes before it is raised for anything that the look has not seen.
        signal.is_ready.store(false, Ordering::Relaxed);
        let polled = read(&mut Context::from_waker(waker));
        if polled.is_ready() {
            // There may be more.
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
    struct Connection(AtomicUsize);

    impl Wake for Connection {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A socket, and whom it is to wake.
    #[derive(Default)]
    struct Socket {
        readiness: Readiness,
        polls: usize,
        reader: Option<Waker>,
    }

    impl Socket {
        fn poll(&mut self, connection: &Arc<Connection>, has: Poll<()>) -> Poll<()> {
            let waker = connection.clone().into();
            self.readiness.poll(&mut Context::from_waker(&waker), |cx| {
                self.polls += 1;
                self.reader = Some(cx.waker().clone());
                has
            })
        }

        fn wake(&self) {
            self.reader.as_ref().unwrap().wake_by_ref();
        }
    }

    #[test]
    fn is_looked_at_until_there_is_nothing_and_again_once_it_wakes() {
        let (mut socket, connection) = (Socket::default(), Arc::default());
        assert_eq!(socket.poll(&connection, Poll::Ready(())), Poll::Ready(()));
        assert_eq!(socket.poll(&connection, Poll::Ready(())), Poll::Ready(()));
        assert_eq!(socket.poll(&connection, Poll::Pending), Poll::Pending);
        assert_eq!(socket.polls, 3);
        for _ in 0..3 {
            assert_eq!(socket.poll(&connection, Poll::Ready(())), Poll::Pending);
        }
        assert_eq!(socket.polls, 3, "woken for something else");
        socket.wake();
        assert_eq!(connection.0.load(Ordering::Relaxed), 1);
        assert_eq!(socket.poll(&connection, Poll::Ready(())), Poll::Ready(()));
    }

    #[test]
    fn what_comes_while_it_is_looked_at_is_not_lost() {
        let (mut readiness, connection) = (Readiness::default(), Arc::<Connection>::default());
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
    fn another_connection_looks_for_itself_and_is_the_one_that_is_woken() {
        let (mut socket, first, second) = (Socket::default(), Arc::default(), Arc::<Connection>::default());
        let _ = socket.poll(&first, Poll::Pending);
        assert_eq!(socket.poll(&second, Poll::Pending), Poll::Pending);
        assert_eq!(socket.polls, 2);
        socket.wake();
        assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (0, 1));
    }
}
