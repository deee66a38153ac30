use std::io::{Error, ErrorKind, Result};
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures_util::task::noop_waker;
use proptest::prelude::*;

use super::*;
use crate::session::backpressure::{PACER, Pacer};
use crate::session::overflow::OverflowPolicy;
use crate::session::send_queue::EnqueueOutcome;
use crate::sync::{Mutex, WakeCount, lock};
use crate::transport::{CloseReason, EventFrame};

type Texts = SendQueue<&'static str>;

/// A socket that takes a number of bytes.
#[derive(Default)]
struct Socket {
    room: AtomicUsize,
    is_broken: bool,
    taken: Mutex<Vec<u8>>,
    writes: AtomicUsize,
}

impl Socket {
    fn with_room(bytes: usize) -> Arc<Socket> {
        Arc::new(Socket { room: AtomicUsize::new(bytes), ..Socket::default() })
    }

    fn add_room(&self, bytes: usize) {
        self.room.fetch_add(bytes, Ordering::SeqCst);
    }

    fn taken(&self) -> Vec<u8> {
        lock(&self.taken).clone()
    }

    fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }
}

impl SocketWriter for Socket {
    fn try_write(&self, bytes: &[u8]) -> Result<usize> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        let length = bytes.len().min(self.room.load(Ordering::SeqCst));
        match length {
            _ if self.is_broken => Err(ErrorKind::BrokenPipe.into()),
            0 => Err(Error::from(ErrorKind::WouldBlock)),
            _ => {
                self.room.fetch_sub(length, Ordering::SeqCst);
                lock(&self.taken).extend_from_slice(&bytes[..length]);
                Ok(length)
            }
        }
    }
}

fn queue_of(socket: &Arc<Socket>) -> Texts {
    let send_queue = SendQueue::new(9999, 10_000_000, OverflowPolicy::Close, Arc::default());
    send_queue.attach_socket(socket.clone());
    send_queue
}

fn park(send_queue: &Texts) -> Poll<std::result::Result<(), ConnectionEnd>> {
    send_queue.poll_parked(&mut Context::from_waker(&noop_waker()))
}

fn enqueue(send_queue: &Texts, text: &'static str) -> EnqueueOutcome {
    send_queue.enqueue(EventFrame::new(text), text, send_queue.epoch(), 0, || Ok(0)).0
}

fn enqueue_all(send_queue: &Texts, texts: &[&'static str]) {
    for text in texts {
        enqueue(send_queue, text);
    }
}

fn flush(send_queue: &Texts) -> Flushed {
    // The buffer was used for another session.
    send_queue.flush_parked(&mut vec![0; 9])
}

fn frames(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| EventFrame::new(text).as_bytes().to_vec()).collect()
}

/// Dequeues as the task of the connection does.
fn drain(send_queue: &Texts) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(event)) = send_queue.dequeue_before(u64::MAX) {
        bytes.extend_from_slice(event.frame.as_bytes());
    }
    bytes
}

#[test]
fn first_event_passes_a_parked_session_to_the_flusher_which_sends_all_at_once() {
    let socket = Socket::with_room(1000);
    let send_queue = queue_of(&socket);
    assert_eq!(enqueue(&send_queue, "a"), EnqueueOutcome::Enqueued, "the task is not parked");
    assert!(park(&send_queue).is_ready(), "an event is queued");
    assert_eq!(flush(&send_queue), Flushed::Done);
    assert_eq!((drain(&send_queue), socket.writes()), (frames(&["a"]), 0));
    for round in 1..=2 {
        assert!(park(&send_queue).is_pending());
        assert_eq!(enqueue(&send_queue, "b"), EnqueueOutcome::EnqueuedForFlusher);
        assert_eq!(enqueue(&send_queue, "c"), EnqueueOutcome::Enqueued);
        assert_eq!(flush(&send_queue), Flushed::Done);
        assert_eq!((socket.taken(), socket.writes()), (frames(&["b", "c"].repeat(round)), round));
        assert!(!send_queue.is_ready());
    }
    assert_eq!(enqueue(&send_queue, "d"), EnqueueOutcome::EnqueuedForFlusher, "it is parked again");
    assert_eq!(send_queue.telemetry.event_counters().delivered, 5);
}

#[test]
fn task_gets_the_rest_of_the_frame_that_was_begun_and_nothing_else() {
    for room in 1..=12 {
        let socket = Socket::with_room(room);
        let send_queue = queue_of(&socket);
        assert!(park(&send_queue).is_pending());
        enqueue_all(&send_queue, &["aa", "bb", "cc"]);
        assert_eq!(flush(&send_queue), Flushed::Done);
        let rest = send_queue.unpark();
        assert_eq!(rest.len(), (4 - room % 4) % 4, "room for {room} bytes");
        let recalled: Vec<_> = send_queue.recall().1.collect();
        assert_eq!(recalled, ["aa", "bb", "cc"][room.div_ceil(4)..], "room for {room} bytes");
        assert_eq!([socket.taken(), rest, frames(&recalled)].concat(), frames(&["aa", "bb", "cc"]));
    }
}

#[test]
fn events_stay_queued_if_the_socket_takes_nothing() {
    for is_broken in [false, true] {
        let socket = Arc::new(Socket { is_broken, ..Socket::default() });
        let send_queue = queue_of(&socket);
        assert!(park(&send_queue).is_pending());
        enqueue(&send_queue, "a");
        assert_eq!(flush(&send_queue), Flushed::Done);
        assert!(send_queue.is_ready());
        assert_eq!(enqueue(&send_queue, "b"), EnqueueOutcome::Enqueued, "its task delivers");
        assert_eq!(flush(&send_queue), Flushed::Done);
        assert_eq!(socket.writes(), 1);
        assert!(send_queue.unpark().is_empty());
        assert_eq!(drain(&send_queue), frames(&["a", "b"]));
    }
}

#[test]
fn flusher_writes_nothing_once_the_task_has_unparked() {
    let socket = Socket::with_room(1000);
    let send_queue = queue_of(&socket);
    assert!(park(&send_queue).is_pending());
    assert_eq!(enqueue(&send_queue, "a"), EnqueueOutcome::EnqueuedForFlusher);
    assert!(send_queue.unpark().is_empty());
    assert_eq!(flush(&send_queue), Flushed::Done);
    assert_eq!((socket.writes(), drain(&send_queue)), (0, frames(&["a"])));
}

#[test]
fn flusher_writes_nothing_on_rights_that_have_changed() {
    let socket = Socket::with_room(1000);
    let send_queue = queue_of(&socket);
    assert!(park(&send_queue).is_pending());
    enqueue(&send_queue, "a");
    assert_eq!(send_queue.recall().1.count(), 1);
    assert_eq!((flush(&send_queue), socket.writes()), (Flushed::Done, 0));
    assert_eq!(enqueue(&send_queue, "b"), EnqueueOutcome::EnqueuedForFlusher);
    assert_eq!((flush(&send_queue), socket.taken()), (Flushed::Done, frames(&["b"])));
}

#[test]
fn flusher_writes_nothing_to_a_connection_that_has_expired_or_is_to_end() {
    let end_it: [fn(&Texts); 4] = [
        |send_queue| send_queue.set_expiry(Some(Instant::now())),
        |send_queue| drop(send_queue.close_with(CloseReason::Revoked)),
        SendQueue::end,
        |send_queue| {
            send_queue.close();
        },
    ];
    for (index, end_it) in end_it.into_iter().enumerate() {
        let socket = Socket::with_room(1000);
        let send_queue = queue_of(&socket);
        let wakes = Arc::<WakeCount>::default();
        assert!(send_queue.poll_parked(&mut Context::from_waker(&wakes.clone().into())).is_pending());
        enqueue(&send_queue, "a");
        end_it(&send_queue);
        assert_eq!((flush(&send_queue), socket.writes()), (Flushed::Done, 0));
        assert!(wakes.get() > 0, "the task is woken");
        if index > 1 {
            assert_eq!(Arc::strong_count(&socket), 1, "the socket is given up");
            send_queue.attach_socket(socket.clone());
            assert_eq!(Arc::strong_count(&socket), 1);
        }
    }
    let socket = Socket::with_room(1000);
    let send_queue = queue_of(&socket);
    send_queue.set_expiry(Some(Instant::now() + Duration::from_mins(1)));
    assert!(park(&send_queue).is_pending());
    enqueue(&send_queue, "a");
    assert_eq!((flush(&send_queue), socket.taken()), (Flushed::Done, frames(&["a"])), "not yet");
}

#[test]
fn one_write_has_at_most_64_kib_or_one_event() {
    let (long, socket): (&'static str, _) = ("a".repeat(40_000).leak(), Socket::with_room(10_000_000));
    let send_queue = queue_of(&socket);
    assert!(park(&send_queue).is_pending());
    enqueue_all(&send_queue, &[long, "b", long, long]);
    assert_eq!(flush(&send_queue), Flushed::HasMore);
    assert_eq!(socket.taken(), frames(&[long, "b"]));
    assert_eq!(flush(&send_queue), Flushed::HasMore);
    assert_eq!(flush(&send_queue), Flushed::Done);
    assert_eq!(socket.taken(), frames(&[long, "b", long, long]));
    let huge = "a".repeat(200_000).leak();
    enqueue_all(&send_queue, &[huge, "b"]);
    assert_eq!(flush(&send_queue), Flushed::HasMore);
    assert_eq!(flush(&send_queue), Flushed::Done);
    assert_eq!(socket.taken(), frames(&[long, "b", long, long, huge, "b"]));
}

#[test]
fn flusher_releases_publishers_once_half_of_the_queue_is_free() {
    let (long, socket): (&'static str, _) = ("a".repeat(40_000).leak(), Socket::with_room(10_000_000));
    let send_queue = SendQueue::new(4, 10_000_000, OverflowPolicy::Close, Arc::default());
    send_queue.attach_socket(socket);
    assert!(park(&send_queue).is_pending());
    let pacer = Pacer::new();
    PACER.sync_scope(pacer.clone(), || enqueue_all(&send_queue, &[long, long, long, long]));
    assert!(pacer.is_held());
    assert_eq!((flush(&send_queue), pacer.is_held()), (Flushed::HasMore, true));
    assert_eq!((flush(&send_queue), pacer.is_held()), (Flushed::HasMore, false));
}

#[test]
fn task_that_is_woken_in_place_of_the_flusher_delivers() {
    let socket = Socket::with_room(1000);
    let send_queue = queue_of(&socket);
    let wakes = Arc::<WakeCount>::default();
    assert!(send_queue.poll_parked(&mut Context::from_waker(&wakes.clone().into())).is_pending());
    assert_eq!(enqueue(&send_queue, "a"), EnqueueOutcome::EnqueuedForFlusher);
    send_queue.wake_task();
    assert_eq!(wakes.get(), 1);
    assert_eq!((flush(&send_queue), socket.writes()), (Flushed::Done, 0));
    assert!(send_queue.unpark().is_empty());
    assert_eq!(drain(&send_queue), frames(&["a"]));
}

#[derive(Debug, Clone)]
enum Step {
    Enqueue(&'static str),
    Flush,
    /// The client reads.
    AddRoom(usize),
    /// The task runs: it sends what it has, as far as the socket takes it, and parks if nothing is left.
    RunTask,
}

fn step() -> impl Strategy<Value = Step> {
    let text = prop::sample::select(vec!["", "a", "bc", "defghijklmnopqrstuvwxyz"]);
    prop_oneof![
        4 => text.prop_map(Step::Enqueue),
        4 => Just(Step::Flush),
        2 => (0..60_usize).prop_map(Step::AddRoom),
        2 => Just(Step::RunTask),
    ]
}

/// The task of a connection, with the bytes that it has to send.
struct Task {
    is_parked: bool,
    output: Vec<u8>,
}

impl Task {
    fn run(&mut self, send_queue: &Texts, socket: &Socket) {
        if std::mem::take(&mut self.is_parked) {
            self.output.extend(send_queue.unpark());
        }
        loop {
            self.output.extend(drain(send_queue));
            if !self.output.is_empty() {
                let written = socket.try_write(&self.output).unwrap_or(0);
                self.output.drain(..written);
                if !self.output.is_empty() {
                    return;
                }
            }
            if park(send_queue).is_pending() {
                self.is_parked = true;
                return;
            }
        }
    }
}

proptest! {
    /// The client receives every byte once and in order, from the flusher or from the task.
    #[test]
    fn client_gets_each_event_once_in_order(steps in prop::collection::vec(step(), 0..60)) {
        let socket = Socket::with_room(0);
        let (send_queue, mut expected) = (queue_of(&socket), Vec::new());
        let mut task = Task { is_parked: false, output: Vec::new() };
        for step in steps {
            match step {
                Step::Enqueue(text) => {
                    expected.extend(frames(&[text]));
                    enqueue(&send_queue, text);
                }
                Step::Flush => {
                    flush(&send_queue);
                }
                Step::AddRoom(bytes) => socket.add_room(bytes),
                Step::RunTask => task.run(&send_queue, &socket),
            }
            prop_assert!(expected.starts_with(&socket.taken()));
        }
        socket.add_room(100_000);
        flush(&send_queue);
        task.run(&send_queue, &socket);
        prop_assert_eq!(socket.taken(), expected);
    }
}
