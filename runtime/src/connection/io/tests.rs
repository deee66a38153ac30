//! The I/O of a connection over a [`Pipe`], while the test is its flusher.

mod pipe;

use std::borrow::Cow;
use std::pin::pin;

use futures_util::future::BoxFuture;

use self::pipe::Pipe;
use super::*;
use crate::consumer::{ActionFn, ConsumerBlock, Dispatch, HandlerDescriptor};
use crate::context::{ActionRates, ConnectionId, Epoch, User};
use crate::session::delivery_path::{DeliveryPath, OwnedDeliveryPath};
use crate::session::flusher::FlushEvents;
use crate::session::queued_event::{EventHandle, QueuedEvent};
use crate::session::send_queue::EnqueueOutcome;
use crate::session::{OverflowPolicy, SendQueue, SessionLimits, SessionRegistry};
use crate::sync::WakeCount;
use crate::transport::EventFrame;
use crate::transport::websocket::WebSocketTransport;

struct Guest;

impl User for Guest {
    fn id(&self) -> Cow<'_, str> {
        "7".into()
    }
}

struct Hall;

impl Dispatch for Hall {
    type BlockUser = Guest;
    type Block = ConsumerBlock;

    const DESCRIPTOR: &'static HandlerDescriptor = &HandlerDescriptor::EMPTY;
    const ACTION_FNS: &'static [ActionFn<Self>] = &[];
}

impl Consumer for Hall {
    const NAME: &'static str = "Hall";
}

const LIMITS: SessionLimits = SessionLimits {
    max_groups: 9,
    max_present_users: 9,
    max_event_bytes: 99,
    check_timeout: Duration::from_secs(9),
    max_age: None,
};

struct Call;

impl QueuedEvent<Session<Hall>> for Call {
    fn has_equal_key(&self, _: &(dyn QueuedEvent<Session<Hall>> + 'static)) -> bool {
        false
    }

    fn settle<'s>(
        self: Arc<Self>,
        _: &'s Arc<Session<Hall>>,
        _: DeliveryPath<'s>,
        _: Epoch,
    ) -> BoxFuture<'s, EnqueueOutcome> {
        Box::pin(async { EnqueueOutcome::Discarded })
    }
}

const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// A connection, its client and its flusher.
struct Fixture {
    io: ConnectionIo<Hall, WebSocketTransport<Pipe>>,
    session: Arc<Session<Hall>>,
    pipe: Pipe,
    wakes: Arc<WakeCount>,
}

fn fixture(room: usize) -> Fixture {
    let (pipe, registry) = (Pipe::default(), Arc::new(SessionRegistry::new(Arc::default(), ActionRates::default())));
    pipe.add_room(room);
    let send_queue = SendQueue::new(99, 9999, OverflowPolicy::Close, registry.telemetry.clone());
    let session = Session::new(&registry, ConnectionId::NIL, Arc::new(Hall), send_queue, LIMITS, None);
    let transport = WebSocketTransport::new(pipe.clone(), &[], 1000).with_socket_writer(Some(Arc::new(pipe.clone())));
    let io = ConnectionIo::new(transport, session.clone(), Duration::from_secs(9), None);
    Fixture { io, session, pipe, wakes: Arc::default() }
}

fn publish(session: &Session<Hall>, text: &str) -> EnqueueOutcome {
    let handle = EventHandle::new(Arc::new(Call), OwnedDeliveryPath::Personal, None);
    session.send_queue.enqueue(EventFrame::new(text), handle, session.send_queue.epoch(), 0, || Ok(0)).0
}

fn flush(session: &Session<Hall>) {
    session.flush_events(&mut Vec::new());
}

fn frames(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| EventFrame::new(text).as_bytes().to_vec()).collect()
}

/// Polls `next_event` once, runs `meanwhile` if it is pending, and drops it.
fn poll_next(
    Fixture { io, wakes, .. }: &mut Fixture,
    waiting: Waiting,
    meanwhile: impl FnOnce(),
) -> Poll<Result<IoEvent, ConnectionEnd>> {
    let waker = wakes.clone().into();
    let mut next = pin!(io.next_event(waiting, |_| Poll::Pending));
    let polled = next.as_mut().poll(&mut Context::from_waker(&waker));
    if polled.is_pending() {
        meanwhile();
    }
    polled
}

#[tokio::test]
async fn flusher_delivers_while_the_connection_is_idle_and_does_not_wake_its_task() {
    let mut fixture = fixture(1000);
    let (session, pipe, wakes) = (fixture.session.clone(), fixture.pipe.clone(), fixture.wakes.clone());
    let polled = poll_next(&mut fixture, Waiting::Idle, || {
        assert_eq!(publish(&session, "a"), EnqueueOutcome::EnqueuedForFlusher);
        assert_eq!(publish(&session, "b"), EnqueueOutcome::Enqueued);
        flush(&session);
        assert_eq!((pipe.received(), wakes.get()), (frames(&["a", "b"]), 0));
    });
    assert!(polled.is_pending());
}

#[tokio::test]
async fn task_that_has_anything_else_to_do_does_not_park() {
    type Prepare = fn(&mut Fixture);
    let prepare: [(Waiting, Prepare); 4] = [
        (Waiting::Busy { is_reading: true }, |_| {}),
        (Waiting::Busy { is_reading: false }, |_| {}),
        (Waiting::Idle, |fixture| fixture.io.event_holds.set_held_in_order(true)),
        (Waiting::Idle, |fixture| fixture.io.can_park = false),
    ];
    for (index, (waiting, prepare)) in prepare.into_iter().enumerate() {
        let mut fixture = fixture(1000);
        let session = fixture.session.clone();
        prepare(&mut fixture);
        let polled = poll_next(&mut fixture, waiting, || {
            assert_eq!(publish(&session, "a"), EnqueueOutcome::Enqueued, "case {index}");
            flush(&session);
        });
        assert!(polled.is_pending() && fixture.pipe.received().is_empty(), "case {index}");
    }
}

/// Whether the connection or only its transport knows of the frame.
#[tokio::test]
async fn frame_that_is_not_sent_precedes_events() {
    for room in 0..4 {
        for is_pong in [false, true] {
            let mut fixture = fixture(room);
            let (session, pipe) = (fixture.session.clone(), fixture.pipe.clone());
            let mut expected = frames(&["r"]);
            if is_pong {
                pipe.send(PING);
                expected = vec![0x80 | PONG, 0];
                let polled = poll_next(&mut fixture, Waiting::Idle, || {});
                assert!(matches!(polled, Poll::Ready(Ok(IoEvent::Frame(Some(Incoming::Ping))))));
            } else {
                fixture.io.feed("r").await.unwrap();
            }
            let is_sent = room >= expected.len();
            let polled = poll_next(&mut fixture, Waiting::Idle, || {
                let outcome = publish(&session, "a");
                assert_eq!(outcome == EnqueueOutcome::EnqueuedForFlusher, is_sent, "room {room}, pong {is_pong}");
                pipe.add_room(100);
                flush(&session);
            });
            assert!(polled.is_pending());
            if !is_sent {
                let polled = poll_next(&mut fixture, Waiting::Idle, || {});
                assert!(matches!(polled, Poll::Ready(Ok(IoEvent::Event))), "room {room}, pong {is_pong}");
                fixture.io.deliver().await.unwrap();
                fixture.io.flush().await.unwrap();
            }
            assert_eq!(pipe.received(), [expected, frames(&["a"])].concat(), "room {room}, pong {is_pong}");
        }
    }
}

#[tokio::test]
async fn event_that_is_queued_precedes_a_frame_that_has_arrived() {
    let mut fixture = fixture(1000);
    publish(&fixture.session, "a");
    fixture.pipe.send(PONG);
    let polled = poll_next(&mut fixture, Waiting::Idle, || {});
    assert!(matches!(polled, Poll::Ready(Ok(IoEvent::Event))));
    fixture.io.deliver().await.unwrap();
    let polled = poll_next(&mut fixture, Waiting::Idle, || {});
    assert!(matches!(polled, Poll::Ready(Ok(IoEvent::Frame(Some(Incoming::Pong))))));
}

/// Streams whose values are always ready.
#[tokio::test]
async fn detached_tasks_that_are_always_ready_leave_room_for_events_and_frames() {
    for waiting in [Waiting::Idle, Waiting::Busy { is_reading: true }, Waiting::Busy { is_reading: false }] {
        let mut fixture = fixture(1000);
        publish(&fixture.session, "a");
        fixture.pipe.send(PONG);
        let mut order = Vec::new();
        for _ in 0..6 {
            match fixture.io.next_event(waiting, |_| Poll::Ready(IoNeed::Nothing)).await.unwrap() {
                IoEvent::Detached => order.push("detached"),
                IoEvent::Event => {
                    order.push("event");
                    fixture.io.deliver().await.unwrap();
                }
                IoEvent::Frame(_) => order.push("frame"),
                IoEvent::Rest => order.push("rest"),
            }
        }
        let is_reading = waiting != (Waiting::Busy { is_reading: false });
        let begin = if is_reading {
            &["detached", "event", "frame", "detached"][..]
        } else {
            &["detached", "event", "detached"]
        };
        assert_eq!(order[..begin.len()], *begin, "{waiting:?}");
    }
}

#[tokio::test]
async fn task_that_stops_waiting_delivers_itself() {
    let mut fixture = fixture(1000);
    let (session, pipe) = (fixture.session.clone(), fixture.pipe.clone());
    for is_queued in [false, true] {
        let polled = poll_next(&mut fixture, Waiting::Idle, || {
            if is_queued {
                assert_eq!(publish(&session, "b"), EnqueueOutcome::EnqueuedForFlusher);
            }
        });
        assert!(polled.is_pending());
        let received = pipe.received();
        publish(&session, "c");
        flush(&session);
        assert_eq!(pipe.received(), received);
        fixture.io.deliver().await.unwrap();
        fixture.io.flush().await.unwrap();
    }
    assert_eq!(pipe.received(), frames(&["c", "b", "c"]));
}

/// Whether the task is woken by the flusher or stops waiting for another reason.
#[tokio::test]
async fn task_sends_the_rest_of_a_frame_before_anything_else() {
    for room in 1..6 {
        for stops in [false, true] {
            let mut fixture = fixture(room);
            let (session, pipe) = (fixture.session.clone(), fixture.pipe.clone());
            let Fixture { io, wakes, .. } = &mut fixture;
            let waker = wakes.clone().into();
            let mut cx = Context::from_waker(&waker);
            {
                let mut next = pin!(io.next_event(Waiting::Idle, |_| Poll::Pending));
                assert!(next.as_mut().poll(&mut cx).is_pending());
                publish(&session, "a");
                publish(&session, "b");
                flush(&session);
                assert_eq!((pipe.received().len(), wakes.get()), (room, 1));
                if !stops {
                    let polled = next.as_mut().poll(&mut cx);
                    let is_rest = matches!(polled, Poll::Ready(Ok(IoEvent::Rest)));
                    assert_eq!(is_rest, !room.is_multiple_of(3), "room {room}");
                }
            }
            pipe.add_room(100);
            io.feed("r").await.unwrap();
            io.deliver().await.unwrap();
            io.flush().await.unwrap();
            let expected = if room <= 3 { ["a", "r", "b"] } else { ["a", "b", "r"] };
            assert_eq!(pipe.received(), frames(&expected), "room {room}, stops {stops}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rest_of_a_frame_is_subject_to_the_send_timeout() {
    let mut fixture = fixture(1);
    let session = fixture.session.clone();
    let polled = poll_next(&mut fixture, Waiting::Idle, || {
        publish(&session, "a");
        flush(&session);
    });
    assert!(polled.is_pending());
    let before = Instant::now();
    assert_eq!(fixture.io.flush().await, Err(ConnectionEnd::PeerGone));
    assert_eq!(before.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn flusher_delivers_nothing_from_the_expiry_on() {
    let mut fixture = fixture(1000);
    let (session, pipe) = (fixture.session.clone(), fixture.pipe.clone());
    let Fixture { io, wakes, .. } = &mut fixture;
    io.set_expiry(Some((Instant::now() + Duration::from_secs(5), CloseReason::Expired)));
    let waker = wakes.clone().into();
    let mut cx = Context::from_waker(&waker);
    let mut next = pin!(io.next_event(Waiting::Idle, |_| Poll::Pending));
    assert!(next.as_mut().poll(&mut cx).is_pending());
    for text in ["a", "b"] {
        publish(&session, text);
        flush(&session);
        assert_eq!(pipe.received(), frames(&["a"]), "{text}");
        tokio::time::advance(Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn connection_that_is_to_end_ends_while_it_is_parked() {
    let mut fixture = fixture(1000);
    let (session, pipe) = (fixture.session.clone(), fixture.pipe.clone());
    let Fixture { io, wakes, .. } = &mut fixture;
    let waker = wakes.clone().into();
    let mut cx = Context::from_waker(&waker);
    {
        let mut next = pin!(io.next_event(Waiting::Idle, |_| Poll::Pending));
        assert!(next.as_mut().poll(&mut cx).is_pending());
        publish(&session, "a");
        session.close_with(CloseReason::Revoked);
        flush(&session);
        assert!(wakes.get() > 0);
        let polled = next.as_mut().poll(&mut cx);
        assert!(matches!(polled, Poll::Ready(Err(ConnectionEnd::Close(CloseReason::Revoked)))));
    }
    io.end(ConnectionEnd::Close(CloseReason::Revoked));
    assert_eq!(pipe.received(), b"");
}

/// A reader that its socket had blocked before it parked.
#[tokio::test]
async fn parked_connection_is_not_stalled() {
    let mut fixture = fixture(1000);
    let session = fixture.session.clone();
    session.send_queue.stall();
    let polled = poll_next(&mut fixture, Waiting::Idle, || {
        (0..100).for_each(|_| assert_ne!(publish(&session, "a"), EnqueueOutcome::Discarded));
        assert!(!session.is_closing(), "it has four times the capacity");
    });
    assert!(polled.is_pending());
}
