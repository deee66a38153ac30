//! A parked task, the flusher that delivers meanwhile, publishers, and changes of rights.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use loom::future::block_on;
use loom::sync::atomic::AtomicUsize;

use super::{OverflowPolicy, SendQueue, explore, spawn};
use crate::session::send_queue::EnqueueOutcome;
use crate::session::send_queue::parking::Flushed;
use crate::sync::atomic::Ordering;
use crate::sync::{AtomicWaker, Mutex, lock};
use crate::transport::{ConnectionEnd, EventFrame, SocketWriter};

type Texts = SendQueue<&'static str>;

/// A frame of one letter has a header of two bytes.
const FRAME_BYTES: usize = 3;

/// A socket that takes a number of bytes.
struct Socket {
    room: AtomicUsize,
    taken: Mutex<Vec<u8>>,
    /// Woken by each write.
    client: AtomicWaker,
}

impl Socket {
    fn new(room: usize) -> Arc<Socket> {
        Arc::new(Socket { room: AtomicUsize::new(room), taken: Mutex::default(), client: AtomicWaker::new() })
    }

    fn taken(&self) -> Vec<u8> {
        lock(&self.taken).clone()
    }
}

impl SocketWriter for Socket {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.load(Ordering::SeqCst);
        let length = bytes.len().min(room);
        self.room.store(room - length, Ordering::SeqCst);
        lock(&self.taken).extend_from_slice(&bytes[..length]);
        self.client.wake();
        Ok(length)
    }
}

/// A connection: its send queue, its socket, and what its task has to send.
struct Connection {
    send_queue: Arc<Texts>,
    socket: Arc<Socket>,
    is_parked: bool,
    output: Vec<u8>,
}

impl Connection {
    fn new(room: usize) -> Connection {
        let send_queue = Arc::new(SendQueue::new(9, 99, OverflowPolicy::Close, Arc::default()));
        let socket = Socket::new(room);
        send_queue.attach_socket(socket.clone());
        Connection { send_queue, socket, is_parked: false, output: Vec::new() }
    }

    /// Polls the task: it takes what it has to send, and parks. Ready once the connection is to end.
    fn poll_task(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionEnd> {
        if std::mem::take(&mut self.is_parked) {
            self.output.extend(self.send_queue.unpark());
        }
        loop {
            match self.send_queue.dequeue_before(u64::MAX) {
                Err(end) => return Poll::Ready(end),
                Ok(Some(event)) => self.output.extend_from_slice(event.frame.as_bytes()),
                Ok(None) if !self.output.is_empty() => {
                    // The client reads what its task sends.
                    lock(&self.socket.taken).append(&mut self.output);
                }
                Ok(None) => match self.send_queue.poll_parked(cx) {
                    Poll::Ready(Err(end)) => return Poll::Ready(end),
                    Poll::Ready(Ok(())) => {}
                    Poll::Pending => {
                        self.is_parked = true;
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    /// Polls the task once.
    fn run_task(&mut self) {
        block_on(poll_fn(|cx| {
            assert!(self.poll_task(cx).is_pending());
            Poll::Ready(())
        }));
    }

    /// Runs the task until the client has got so many events. A lost event shows as a deadlock.
    fn serve(&mut self, events: usize) -> Vec<u8> {
        block_on(poll_fn(|cx| {
            self.socket.client.register(cx.waker());
            assert!(self.poll_task(cx).is_pending());
            let taken = self.socket.taken();
            if taken.len() < events * FRAME_BYTES { Poll::Pending } else { Poll::Ready(taken) }
        }))
    }
}

/// Enqueues an event, and flushes the queue if that is left to the flusher.
fn publish(send_queue: &Texts, text: &'static str) {
    let (outcome, _) = send_queue.enqueue(EventFrame::new(text), text, send_queue.epoch(), 0, || Ok(0));
    if outcome == EnqueueOutcome::EnqueuedForFlusher {
        flush(send_queue);
    }
}

fn flush(send_queue: &Texts) {
    assert_eq!(send_queue.flush_parked(&mut Vec::new()), Flushed::Done);
}

fn frames(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| EventFrame::new(text).as_bytes().to_vec()).collect()
}

/// Two threads: the task, and a publisher that is the flusher too.
#[test]
fn client_gets_each_event_once_in_order() {
    for room in [0, 1, 4, 99] {
        explore(3, move || {
            let mut connection = Connection::new(room);
            let publisher = spawn({
                let send_queue = connection.send_queue.clone();
                move || ["a", "b", "c"].into_iter().for_each(|text| publish(&send_queue, text))
            });
            assert_eq!(connection.serve(3), frames(&["a", "b", "c"]));
            publisher();
        });
    }
}

/// Three threads: the task and two publishers, either of which may be the flusher.
#[test]
fn no_event_is_lost_between_publishers_the_flusher_and_the_task() {
    for room in [1, 99] {
        explore(2, move || {
            let mut connection = Connection::new(room);
            let publishers = ["a", "b"].map(|text| {
                let send_queue = connection.send_queue.clone();
                spawn(move || publish(&send_queue, text))
            });
            let taken = connection.serve(2);
            assert!(taken == frames(&["a", "b"]) || taken == frames(&["b", "a"]));
            publishers.into_iter().for_each(|publisher| publisher());
        });
    }
}

/// Three threads: the task, the publisher that is the flusher, and a change of rights. An event of which a byte was written
/// is sent whole, any other one is recalled.
#[test]
fn change_of_rights_recalls_what_was_not_begun() {
    for room in [1, 3, 4, 99] {
        explore(3, move || {
            let mut connection = Connection::new(room);
            let publisher = spawn({
                let send_queue = connection.send_queue.clone();
                move || {
                    let epoch = send_queue.epoch();
                    let enqueue = |text| send_queue.enqueue(EventFrame::new(text), text, epoch, 0, || Ok(0)).0;
                    let outcomes = ["a", "b"].map(enqueue);
                    if outcomes.contains(&EnqueueOutcome::EnqueuedForFlusher) {
                        flush(&send_queue);
                    }
                    outcomes.iter().filter(|outcome| **outcome == EnqueueOutcome::Stale).count()
                }
            });
            let change = spawn({
                let send_queue = connection.send_queue.clone();
                move || send_queue.recall().1.count()
            });
            connection.run_task();
            let (stale, recalled) = (publisher(), change());
            connection.run_task();
            let taken = connection.socket.taken();
            assert_eq!(taken.len() / FRAME_BYTES + recalled + stale, 2, "each event is sent, recalled or stale");
            assert!(frames(&["a", "b"]).starts_with(&taken));
            assert_eq!(taken.len() % FRAME_BYTES, 0);
        });
    }
}

/// Three threads: the task, the publisher that is the flusher, and the end of the connection. After the end has returned,
/// the flusher does not write, and only the connection has the socket.
#[test]
fn flusher_gives_the_socket_up_when_the_connection_ends() {
    explore(3, || {
        let mut connection = Connection::new(99);
        let publisher = spawn({
            let send_queue = connection.send_queue.clone();
            move || ["a", "b"].into_iter().for_each(|text| publish(&send_queue, text))
        });
        connection.run_task();
        connection.send_queue.end();
        assert_eq!(Arc::strong_count(&connection.socket), 1);
        let taken = connection.socket.taken();
        publisher();
        assert_eq!(connection.socket.taken(), taken);
    });
}
