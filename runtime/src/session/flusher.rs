//! The flusher: delivers queued events to connections whose tasks are parked, without waking them.
//!
//! Each runtime that serves connections of the endpoint has one task per worker thread. A task ends with the endpoint. If it
//! ends earlier, because its runtime shuts down or because of a panic, the tasks of the connections deliver.
//!
//! Independent of the type of sessions, so that the task is compiled once and not for each consumer.

use std::cell::Cell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{mem, ptr};

use pin_project_lite::pin_project;
use tokio::runtime;
use tokio::sync::Notify;
use tokio::task::yield_now;

use super::send_queue::parking::Flushed;
use crate::context::ConnectionId;
use crate::log::Cause;
use crate::panic::{catch_unwind, drop_contained, log_entry};
use crate::sync::{Mutex, lock};

/// The number of sessions that are flushed before other tasks run.
const SESSIONS_PER_TURN: usize = 64;

/// The capacity that an idle task keeps, in sessions and in bytes.
const KEPT_SESSIONS: usize = 256;
const KEPT_BYTES: usize = 4 * 1024;

/// A session with events to deliver.
pub(crate) trait FlushEvents: Send + Sync + 'static {
    /// Delivers queued events if the task of the connection is parked. `buffer` may be overwritten.
    fn flush_events(&self, buffer: &mut Vec<u8>) -> Flushed;

    /// Lets the task of the connection deliver.
    fn wake_task(&self);
}

/// The flusher of one endpoint.
pub(crate) struct Flusher {
    /// Protects the list of runtimes. No lock is taken under it but `Shard::list`.
    runtimes: Mutex<Vec<RuntimeShards>>,
}

/// The tasks on one runtime.
struct RuntimeShards {
    runtime: runtime::Id,
    shards: Box<[Arc<Shard>]>,
}

/// The sessions for one task.
pub(crate) struct Shard {
    /// Protects the list of sessions. No lock is taken under it.
    list: Mutex<ShardList>,
    wake: Arc<Notify>,
}

struct ShardList {
    sessions: VecDeque<Arc<dyn FlushEvents>>,
    /// How the task is woken for the sessions, once there are any.
    wake_up: Option<WakeUp>,
    /// Whether the task has ended or is to end.
    is_closed: bool,
}

/// How the task of a shard is woken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WakeUp {
    /// It has been woken.
    Sent,
    /// By the thread with this [`DeferredWakes::address`], once it has polled the task of a connection.
    AfterPoll(usize),
}

impl Flusher {
    pub(crate) fn new() -> Flusher {
        Flusher { runtimes: Mutex::default() }
    }

    /// Returns the shard for a connection on the current runtime.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime.
    pub(crate) fn shard(&self, id: ConnectionId) -> Arc<Shard> {
        let runtime = runtime::Handle::current();
        let mut runtimes = lock(&self.runtimes);
        runtimes.retain(|of_runtime| of_runtime.shards.iter().all(|shard| !lock(&shard.list).is_closed));
        let index = runtimes.iter().position(|of_runtime| of_runtime.runtime == runtime.id());
        let index = index.unwrap_or_else(|| {
            let shards = (0..runtime.metrics().num_workers()).map(|_| Shard::spawn(&runtime)).collect();
            runtimes.push(RuntimeShards { runtime: runtime.id(), shards });
            runtimes.len() - 1
        });
        let shards = &runtimes[index].shards;
        shards[id.index_below(shards.len())].clone()
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        for shard in lock(&self.runtimes).iter().flat_map(|of_runtime| &of_runtime.shards) {
            lock(&shard.list).is_closed = true;
            shard.wake.notify_one();
        }
    }
}

impl Shard {
    fn spawn(runtime: &runtime::Handle) -> Arc<Shard> {
        let list = Mutex::new(ShardList { sessions: VecDeque::new(), wake_up: None, is_closed: false });
        let shard = Arc::new(Shard { list, wake: Arc::default() });
        let guard = CloseOnDrop(shard.clone());
        runtime.spawn(async move { guard.0.run().await });
        shard
    }

    /// Adds a session whose first event was queued while its task was parked.
    pub(crate) fn push(&self, session: Arc<dyn FlushEvents>) {
        let wake_up = DeferredWakes::address().map_or(WakeUp::Sent, WakeUp::AfterPoll);
        let mut list = lock(&self.list);
        if list.is_closed {
            drop(list);
            return session.wake_task();
        }
        list.sessions.push_back(session);
        // A wake-up by another thread may be late, because its poll may take long.
        if list.wake_up == Some(WakeUp::Sent) || list.wake_up == Some(wake_up) {
            return;
        }
        list.wake_up = Some(wake_up);
        drop(list);
        match wake_up {
            WakeUp::Sent => {
                self.wake.notify_one();
                release_lifo_slot();
            }
            WakeUp::AfterPoll(_) => DeferredWakes::push(&self.wake),
        }
    }

    async fn run(&self) {
        let (mut sessions, mut buffer) = (Batch(VecDeque::new()), Vec::new());
        loop {
            self.wake.notified().await;
            // Publishers that are ready to run go first: their events join the same writes.
            yield_now().await;
            {
                let mut list = lock(&self.list);
                if list.is_closed {
                    return;
                }
                mem::swap(&mut sessions.0, &mut list.sessions);
                list.wake_up = None;
            }
            let mut flushed = 0_usize;
            while let Some(session) = sessions.0.pop_front() {
                self.flush(session, &mut buffer);
                flushed += 1;
                if flushed.is_multiple_of(SESSIONS_PER_TURN) {
                    yield_now().await;
                }
            }
            sessions.0.shrink_to(KEPT_SESSIONS);
            buffer.clear();
            buffer.shrink_to(KEPT_BYTES);
        }
    }

    /// Flushes one session. A panic concerns no other session.
    fn flush(&self, session: Arc<dyn FlushEvents>, buffer: &mut Vec<u8>) {
        match catch_unwind(|| session.flush_events(buffer)) {
            Ok(Flushed::Done) => {}
            Ok(Flushed::HasMore) => return self.push(session),
            Err(panic) => {
                session.wake_task();
                log_entry!(ERROR, cause = ?Cause::new(&panic.message()), "delivery of events panicked");
            }
        }
        // It may be the last one, and dropping a session runs the application's code.
        drop_contained(session);
    }
}

/// Sessions to flush. If the task is dropped before, the tasks of the connections deliver.
struct Batch(VecDeque<Arc<dyn FlushEvents>>);

impl Drop for Batch {
    fn drop(&mut self) {
        for session in self.0.drain(..) {
            session.wake_task();
        }
    }
}

/// Lets the tasks of the connections deliver once the task of a shard has ended.
struct CloseOnDrop(Arc<Shard>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        let mut list = lock(&self.0.list);
        list.is_closed = true;
        let sessions = Batch(mem::take(&mut list.sessions));
        drop(list);
        drop(sessions);
    }
}

thread_local! {
    static DEFERRED_WAKES: DeferredWakes =
        const { DeferredWakes { is_polling: Cell::new(false), wakes: Cell::new(Vec::new()) } };
}

/// The tasks of shards that the current thread wakes once it has polled the task of a connection: what that task publishes
/// until then joins the same writes.
struct DeferredWakes {
    /// Whether the task of a connection is being polled.
    is_polling: Cell<bool>,
    wakes: Cell<Vec<Arc<Notify>>>,
}

impl DeferredWakes {
    /// Returns the address of the list of the current thread, or `None` if no task of a connection is being polled.
    fn address() -> Option<usize> {
        let address = |deferred: &DeferredWakes| deferred.is_polling.get().then(|| ptr::from_ref(deferred).addr());
        DEFERRED_WAKES.try_with(address).ok().flatten()
    }

    fn push(wake: &Arc<Notify>) {
        let _ = DEFERRED_WAKES.try_with(|deferred| {
            let mut wakes = deferred.wakes.take();
            wakes.push(wake.clone());
            deferred.wakes.set(wakes);
        });
    }

    /// Sets `is_polling`, and wakes the deferred tasks. Returns the previous value.
    fn set_polling(&self, is_polling: bool) -> bool {
        self.wake();
        self.is_polling.replace(is_polling)
    }

    /// Wakes the deferred tasks. Returns whether any was deferred.
    fn wake(&self) -> bool {
        let mut wakes = self.wakes.take();
        let has_wakes = !wakes.is_empty();
        wakes.drain(..).for_each(|wake| wake.notify_one());
        self.wakes.set(wakes);
        has_wakes
    }
}

/// Wakes the tasks of the shards that the current thread has added sessions to.
pub(crate) fn notify_now() {
    // A thread that ends has no list, and defers nothing.
    if DEFERRED_WAKES.try_with(DeferredWakes::wake) == Ok(true) {
        release_lifo_slot();
    }
}

/// Lets another thread of the runtime run the task that was woken last. Tokio keeps it for the current thread, which may
/// compute for long, until another task is woken.
fn release_lifo_slot() {
    if let Ok(runtime) = runtime::Handle::try_current() {
        runtime.spawn(async {});
    }
}

pin_project! {
    /// A connection's task, which delivers what it has published after each poll.
    pub(crate) struct NotifyAfterPoll<F> {
        #[pin]
        task: F,
    }
}

impl<F> NotifyAfterPoll<F> {
    pub(crate) fn new(task: F) -> NotifyAfterPoll<F> {
        NotifyAfterPoll { task }
    }
}

impl<F: Future> Future for NotifyAfterPoll<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        /// Wakes the deferred tasks, even if the polled one panics.
        struct Scope {
            was_polling: bool,
        }

        impl Drop for Scope {
            fn drop(&mut self) {
                DEFERRED_WAKES.with(|deferred| deferred.set_polling(self.was_polling));
            }
        }

        let _scope = Scope { was_polling: DEFERRED_WAKES.with(|deferred| deferred.set_polling(true)) };
        self.project().task.poll(cx)
    }
}

// With `--cfg loom`, tokio has no threads of its own.
#[cfg(all(test, not(loom)))]
mod tests;
