//! Stand-ins for the primitives that loom lacks, built from those that it has.

use std::ops::Deref;
use std::sync::Arc;
use std::task::Waker;

use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering};
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};
use loom::thread::{self, JoinHandle};

use super::{ignore_poison, lock};

/// Wakes the waker that was registered last. Replaces loom's own `AtomicWaker`, which prints a line at every call.
#[derive(Default)]
pub(crate) struct AtomicWaker(Mutex<Option<Waker>>);

impl AtomicWaker {
    pub(crate) fn new() -> AtomicWaker {
        AtomicWaker::default()
    }

    pub(crate) fn register(&self, waker: &Waker) {
        *lock(&self.0) = Some(waker.clone());
    }

    pub(crate) fn wake(&self) {
        let waker = lock(&self.0).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A value that is replaced as a whole. A thread that has not synchronized with the latest store may load an older value.
pub(crate) struct ArcSwapOption<T> {
    /// Every value so far. Never contended: no operation of loom, and thus no thread switch, happens under this lock.
    values: std::sync::Mutex<Vec<Option<Arc<T>>>>,
    latest: AtomicUsize,
}

impl<T> ArcSwapOption<T> {
    pub(crate) fn empty() -> ArcSwapOption<T> {
        ArcSwapOption { values: std::sync::Mutex::new(vec![None]), latest: AtomicUsize::new(0) }
    }

    pub(crate) fn load_full(&self) -> Option<Arc<T>> {
        let index = self.latest.load(Ordering::Acquire);
        ignore_poison(self.values.lock())[index].clone()
    }

    pub(crate) fn load(&self) -> Loaded<T> {
        Loaded(self.load_full())
    }

    pub(crate) fn store(&self, value: Option<Arc<T>>) {
        let index = {
            let mut values = ignore_poison(self.values.lock());
            values.push(value);
            values.len() - 1
        };
        self.latest.swap(index, Ordering::AcqRel);
    }
}

/// The value that [`ArcSwapOption::load`] found.
pub(crate) struct Loaded<T>(Option<Arc<T>>);

impl<T> Deref for Loaded<T> {
    type Target = Option<Arc<T>>;

    fn deref(&self) -> &Option<Arc<T>> {
        &self.0
    }
}

/// The id of a [`Handle`].
pub(crate) type RuntimeId = usize;

/// Spawns tasks, each on a thread of its own.
#[derive(Default)]
pub(crate) struct Handle(std::sync::Mutex<Vec<JoinHandle<()>>>);

impl Handle {
    pub(crate) fn current() -> Handle {
        Handle::default()
    }

    pub(crate) fn id(&self) -> RuntimeId {
        std::ptr::from_ref(self).addr()
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = thread::spawn(move || block_on(task));
        ignore_poison(self.0.lock()).push(task);
    }

    /// Waits until all tasks have ended.
    ///
    /// # Panics
    ///
    /// Panics if a task of the model panicked.
    pub(crate) fn finish(&self) {
        let next = || ignore_poison(self.0.lock()).pop();
        while let Some(task) = next() {
            task.join().unwrap_or_else(|_| panic!("a task of the model panicked"));
        }
    }
}

pub(crate) mod oneshot {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::super::lock;
    use super::Mutex;

    struct Channel<T>(Mutex<ChannelState<T>>);

    struct ChannelState<T> {
        value: Option<T>,
        is_closed: bool,
        receiver: Option<Waker>,
    }

    pub(crate) struct Sender<T>(Arc<Channel<T>>);
    pub(crate) struct Receiver<T>(Arc<Channel<T>>);

    /// The sender was dropped without sending a value.
    #[derive(Debug)]
    pub(crate) struct Closed;

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let state = ChannelState { value: None, is_closed: false, receiver: None };
        let channel = Arc::new(Channel(Mutex::new(state)));
        (Sender(channel.clone()), Receiver(channel))
    }

    impl<T> Sender<T> {
        #[expect(clippy::unnecessary_wraps, reason = "tokio's sender fails if the receiver was dropped")]
        pub(crate) fn send(self, value: T) -> Result<(), T> {
            lock(&self.0.0).value = Some(value);
            Ok(())
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            let mut state = lock(&self.0.0);
            state.is_closed = true;
            let waker = state.receiver.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, Closed>;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            let mut state = lock(&self.0.0);
            match state.value.take() {
                Some(value) => Poll::Ready(Ok(value)),
                None if state.is_closed => Poll::Ready(Err(Closed)),
                None => {
                    state.receiver = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        }
    }
}
