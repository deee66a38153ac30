//! What loom has no like of, made of what it has.

use std::ops::Deref;
use std::sync::Arc;
use std::task::Waker;

use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering};
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};
use loom::thread::{self, JoinHandle};

use super::{ignore_poison, lock};

/// Wakes whoever has registered last. Loom's own prints a line at every call.
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

/// A value that is replaced as a whole. Whoever has not heard of the newest may still see one before it.
pub(crate) struct ArcSwapOption<T> {
    /// Never waited for: nothing of loom's is touched while it is held.
    values: std::sync::Mutex<Vec<Option<Arc<T>>>>,
    latest: AtomicUsize,
}

impl<T> ArcSwapOption<T> {
    pub(crate) fn empty() -> ArcSwapOption<T> {
        ArcSwapOption { values: std::sync::Mutex::new(vec![None]), latest: AtomicUsize::new(0) }
    }

    pub(crate) fn load_full(&self) -> Option<Arc<T>> {
        let at = self.latest.load(Ordering::Acquire);
        ignore_poison(self.values.lock())[at].clone()
    }

    pub(crate) fn load(&self) -> Loaded<T> {
        Loaded(self.load_full())
    }

    pub(crate) fn store(&self, value: Option<Arc<T>>) {
        let at = {
            let mut values = ignore_poison(self.values.lock());
            values.push(value);
            values.len() - 1
        };
        self.latest.swap(at, Ordering::AcqRel);
    }
}

/// What was there.
pub(crate) struct Loaded<T>(Option<Arc<T>>);

impl<T> Deref for Loaded<T> {
    type Target = Option<Arc<T>>;

    fn deref(&self) -> &Option<Arc<T>> {
        &self.0
    }
}

/// Where tasks are spawned: each is a thread.
#[derive(Default)]
pub(crate) struct Handle(std::sync::Mutex<Vec<JoinHandle<()>>>);

impl Handle {
    pub(crate) fn current() -> Handle {
        Handle::default()
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = thread::spawn(move || block_on(task));
        ignore_poison(self.0.lock()).push(task);
    }

    /// Waits until all have ended.
    pub(crate) fn finish(&self) {
        let next = || ignore_poison(self.0.lock()).pop();
        while let Some(task) = next() {
            task.join().unwrap_or_else(|_| panic!("a task panicked"));
        }
    }
}

pub(crate) mod oneshot {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::super::lock;
    use super::Mutex;

    /// What was sent, whether nothing is any more, and who waits.
    struct Shared<T>(Mutex<(Option<T>, bool, Option<Waker>)>);

    pub(crate) struct Sender<T>(Arc<Shared<T>>);
    pub(crate) struct Receiver<T>(Arc<Shared<T>>);

    /// Nothing was sent.
    #[derive(Debug)]
    pub(crate) struct Closed;

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let shared = Arc::new(Shared(Mutex::new((None, false, None))));
        (Sender(shared.clone()), Receiver(shared))
    }

    impl<T> Sender<T> {
        #[expect(clippy::unnecessary_wraps, reason = "the real one may find nobody there")]
        pub(crate) fn send(self, value: T) -> Result<(), T> {
            lock(&self.0.0).0 = Some(value);
            Ok(())
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            let mut shared = lock(&self.0.0);
            shared.1 = true;
            let waker = shared.2.take();
            drop(shared);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, Closed>;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            let mut shared = lock(&self.0.0);
            match shared.0.take() {
                Some(value) => Poll::Ready(Ok(value)),
                None if shared.1 => Poll::Ready(Err(Closed)),
                None => {
                    shared.2 = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        }
    }
}
