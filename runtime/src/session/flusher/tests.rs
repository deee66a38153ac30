use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex as StdMutex, mpsc};
use std::task::Waker;

use futures_util::FutureExt;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::session::overflow::OverflowPolicy;
use crate::session::send_queue::{EnqueueOutcome, SendQueue};
use crate::transport::{EventFrame, SocketWriter};

/// A session that counts what is done with it.
#[derive(Default)]
struct Counted {
    flushes: AtomicUsize,
    wakes: AtomicUsize,
    /// The number of flushes after which nothing is queued any more.
    needed: usize,
    panics: bool,
    panics_on_drop: bool,
    flushed: Notify,
    /// Kept until the session is dropped.
    guard: StdMutex<Option<mpsc::Sender<()>>>,
}

impl Counted {
    fn new() -> Arc<Counted> {
        Arc::default()
    }

    fn with(change: impl FnOnce(&mut Counted)) -> Arc<Counted> {
        let mut counted = Counted::default();
        change(&mut counted);
        Arc::new(counted)
    }

    fn flushes(&self) -> usize {
        self.flushes.load(Ordering::SeqCst)
    }

    fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        assert!(!self.panics_on_drop, "a session that panics");
    }
}

impl FlushEvents for Counted {
    fn flush_events(&self, _: &mut Vec<u8>) -> Flushed {
        assert!(!self.panics, "a flush that panics");
        let flushes = self.flushes.fetch_add(1, Ordering::SeqCst) + 1;
        self.flushed.notify_one();
        if flushes < self.needed { Flushed::HasMore } else { Flushed::Done }
    }

    fn wake_task(&self) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.flushed.notify_one();
    }
}

fn shard(flusher: &Flusher) -> Arc<Shard> {
    flusher.shard(ConnectionId::NIL)
}

fn multi_threaded(worker_threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(worker_threads).build().expect("a runtime starts")
}

#[tokio::test]
async fn each_session_is_flushed_until_nothing_is_queued() {
    let (flusher, sessions) =
        (Flusher::new(), [1, 2, 5].map(|needed| Counted::with(|counted| counted.needed = needed)));
    let shard = shard(&flusher);
    for session in &sessions {
        shard.push(session.clone());
    }
    for session in &sessions {
        while session.flushes() < session.needed {
            session.flushed.notified().await;
        }
    }
    yield_now().await;
    assert_eq!(sessions.map(|session| session.flushes()), [1, 2, 5]);
}

/// What a task publishes in one poll joins the same writes, and goes out if it panics too.
#[test]
fn sessions_are_flushed_after_the_poll_of_the_task_that_has_published() {
    let runtime = multi_threaded(2);
    let flusher = Flusher::new();
    let shard = runtime.block_on(async { shard(&flusher) });
    for panics in [false, true] {
        let (session, own_shard) = (Counted::new(), shard.clone());
        let published = session.clone();
        let task = NotifyAfterPoll::new(poll_fn(move |_| {
            own_shard.push(published.clone());
            // Another thread could flush the session now.
            std::thread::yield_now();
            assert_eq!(published.flushes(), 0);
            assert!(!panics, "a task that panics");
            Poll::<()>::Pending
        }));
        let task = runtime.spawn(task);
        runtime.block_on(session.flushed.notified());
        assert_eq!(session.flushes(), 1);
        task.abort();
    }
}

#[test]
fn sessions_are_flushed_at_once_on_request() {
    let runtime = multi_threaded(1);
    let flusher = Flusher::new();
    let shard = runtime.block_on(async { shard(&flusher) });
    let session = Counted::new();
    let (to_task, from_test) = mpsc::channel::<()>();
    let published = session.clone();
    let mut from_test = Some(from_test);
    let task = NotifyAfterPoll::new(poll_fn(move |_| {
        shard.push(published.clone());
        notify_now();
        // It computes until the session is flushed.
        from_test.take().unwrap().recv().unwrap();
        Poll::Ready(())
    }));
    let thread = std::thread::spawn(move || Builder::new_current_thread().build().unwrap().block_on(task));
    runtime.block_on(session.flushed.notified());
    to_task.send(()).unwrap();
    thread.join().unwrap();
}

/// A poll that takes long delays only what its own task has published.
#[test]
fn sessions_of_other_publishers_are_flushed_during_the_poll_of_a_task_that_has_published() {
    for is_other_polled in [false, true] {
        let runtime = multi_threaded(1);
        let flusher = Flusher::new();
        let shard = runtime.block_on(async { shard(&flusher) });
        let (session, other) = (Counted::new(), Counted::new());
        let ((to_task, from_test), (to_test, from_task)) = (mpsc::channel::<()>(), mpsc::channel::<()>());
        let (own_shard, published) = (shard.clone(), session.clone());
        let task = NotifyAfterPoll::new(async move {
            own_shard.push(published);
            to_test.send(()).unwrap();
            // It computes until the session of the other publisher is flushed.
            from_test.recv().unwrap();
        });
        let thread = std::thread::spawn(move || Builder::new_current_thread().build().unwrap().block_on(task));
        from_task.recv().unwrap();
        if is_other_polled {
            NotifyAfterPoll::new(async { shard.push(other.clone()) }).now_or_never().expect("the task is done");
        } else {
            shard.push(other.clone());
        }
        runtime.block_on(other.flushed.notified());
        to_task.send(()).unwrap();
        thread.join().unwrap();
        runtime.block_on(session.flushed.notified());
        assert_eq!((session.flushes(), other.flushes()), (1, 1));
    }
}

/// The application may publish while a thread ends, by a value of its own that is local to the thread.
#[test]
fn sessions_are_flushed_for_a_thread_that_ends() {
    struct PublishOnDrop(Arc<Shard>, Arc<Counted>);

    impl Drop for PublishOnDrop {
        fn drop(&mut self) {
            self.0.push(self.1.clone());
            notify_now();
        }
    }

    thread_local! {
        static LAST: Cell<Option<PublishOnDrop>> = const { Cell::new(None) };
    }

    let runtime = multi_threaded(1);
    let flusher = Flusher::new();
    let (shard, session) = (runtime.block_on(async { shard(&flusher) }), Counted::new());
    let last = PublishOnDrop(shard, session.clone());
    let thread = std::thread::spawn(move || {
        LAST.set(Some(last));
        // Destroyed before `LAST`, because it was created after.
        notify_now();
    });
    thread.join().unwrap();
    runtime.block_on(session.flushed.notified());
}

#[tokio::test]
async fn flush_that_panics_concerns_one_session() {
    let flusher = Flusher::new();
    let shard = shard(&flusher);
    let (odd, other) = (Counted::with(|counted| counted.panics = true), Counted::new());
    shard.push(odd.clone());
    shard.push(other.clone());
    other.flushed.notified().await;
    assert_eq!((odd.wakes(), other.flushes(), other.wakes()), (1, 1, 0), "the task of the first one delivers");
    shard.push(Counted::with(|counted| counted.panics_on_drop = true));
    shard.push(other.clone());
    other.flushed.notified().await;
    assert_eq!((other.flushes(), other.wakes()), (2, 0));
}

#[tokio::test]
async fn tasks_end_with_the_flusher() {
    let flusher = Flusher::new();
    let shard = shard(&flusher);
    drop(flusher);
    while Arc::strong_count(&shard) > 1 {
        yield_now().await;
    }
    let session = Counted::new();
    shard.push(session.clone());
    assert_eq!((session.wakes(), Arc::strong_count(&session)), (1, 1));
}

/// The flusher yields to other tasks between them.
#[test]
fn sessions_that_were_taken_when_the_runtime_shuts_down_are_given_back() {
    let flusher = Flusher::new();
    let runtime = Builder::new_current_thread().build().unwrap();
    let shard = runtime.block_on(async { shard(&flusher) });
    let sessions = [(); 2 * SESSIONS_PER_TURN].map(|()| Counted::new());
    for session in &sessions {
        shard.push(session.clone());
    }
    runtime.block_on(sessions[0].flushed.notified());
    drop(runtime);
    for (index, session) in sessions.iter().enumerate() {
        let is_flushed = usize::from(index < SESSIONS_PER_TURN);
        assert_eq!((session.flushes(), session.wakes()), (is_flushed, 1 - is_flushed), "session {index}");
    }
}

#[test]
fn sessions_of_a_runtime_that_shuts_down_are_given_back() {
    let flusher = Flusher::new();
    // Runs tasks only while it blocks.
    let first = Builder::new_current_thread().build().unwrap();
    let second = multi_threaded(2);
    let shard_of = |runtime: &Runtime| runtime.block_on(async { shard(&flusher) });
    let (shard, other_shard) = (shard_of(&first), shard_of(&second));
    assert!(Arc::ptr_eq(&shard, &shard_of(&first)) && !Arc::ptr_eq(&shard, &other_shard));
    let (session, other) = (Counted::new(), Counted::new());
    let (guard, dropped) = mpsc::channel();
    *session.guard.lock().unwrap() = Some(guard);
    shard.push(session.clone());
    drop(first);
    assert_eq!((session.flushes(), session.wakes()), (0, 1));
    shard.push(session.clone());
    assert_eq!(session.wakes(), 2, "and later ones at once");
    other_shard.push(other.clone());
    second.block_on(other.flushed.notified());
    assert_eq!(other.flushes(), 1, "the other runtime goes on");
    drop(session);
    assert!(dropped.recv().is_err(), "the flusher keeps none");
    let third = multi_threaded(1);
    assert!(!Arc::ptr_eq(&shard, &shard_of(&third)));
    assert_eq!(lock(&flusher.runtimes).len(), 2, "the first runtime is forgotten");
}

/// tokio runs what a task has woken last on the same thread, unless it is made to do otherwise.
#[test]
fn sessions_are_flushed_while_a_task_of_the_same_runtime_computes() {
    for is_polled in [false, true] {
        let runtime = multi_threaded(2);
        let flusher = Flusher::new();
        let shard = runtime.block_on(async { shard(&flusher) });
        let session = Counted::new();
        let (published, (done, computed)) = (session.clone(), mpsc::channel::<()>());
        let task = async move {
            shard.push(published);
            notify_now();
            computed.recv().unwrap();
        };
        if is_polled {
            runtime.spawn(NotifyAfterPoll::new(task));
        } else {
            runtime.spawn(task);
        }
        runtime.block_on(session.flushed.notified());
        done.send(()).unwrap();
    }
}

/// A session with a real send queue and a socket that counts its writes.
struct Member {
    send_queue: SendQueue<&'static str>,
    sent: Notify,
}

struct CountingSocket(AtomicUsize);

impl SocketWriter for CountingSocket {
    fn try_write(&self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(bytes.len())
    }
}

impl FlushEvents for Member {
    fn flush_events(&self, buffer: &mut Vec<u8>) -> Flushed {
        let flushed = self.send_queue.flush_parked(buffer);
        self.sent.notify_one();
        flushed
    }

    fn wake_task(&self) {
        self.send_queue.wake_task();
    }
}

#[test]
fn four_events_that_are_published_in_one_turn_are_one_write_per_member() {
    let runtime = multi_threaded(2);
    let flusher = Flusher::new();
    let shard = runtime.block_on(async { flusher.shard(ConnectionId::NIL) });
    let socket = Arc::new(CountingSocket(AtomicUsize::new(0)));
    let members = std::iter::repeat_with(|| {
        let send_queue = SendQueue::new(256, 1 << 20, OverflowPolicy::Close, Arc::default());
        send_queue.attach_socket(socket.clone());
        assert!(send_queue.poll_parked(&mut Context::from_waker(Waker::noop())).is_pending());
        Arc::new(Member { send_queue, sent: Notify::new() })
    });
    let members: Vec<_> = members.take(100).collect();
    for round in 1..=5 {
        let (receivers, shard) = (members.clone(), shard.clone());
        runtime.block_on(NotifyAfterPoll::new(poll_fn(move |_| {
            for text in ["a", "b", "c", "d"] {
                for member in &receivers {
                    let epoch = member.send_queue.epoch();
                    let enqueued = member.send_queue.enqueue(EventFrame::new(text), text, epoch, 0, || Ok(0));
                    if enqueued.0 == EnqueueOutcome::EnqueuedForFlusher {
                        shard.push(member.clone());
                    }
                }
            }
            Poll::Ready(())
        })));
        for member in &members {
            runtime.block_on(member.sent.notified());
            assert!(!member.send_queue.is_ready());
        }
        assert_eq!(socket.0.load(Ordering::SeqCst), round * members.len());
    }
}
