//! A slow reader with detached actions, over a real socket, is closed like any other.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use portcullis::{AllowAny, ConnectContext, Event, Group, Limits, Publisher, Result, consumer};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::State;
use crate::common::Padding;
use crate::common::clients::{self, Socket, connect_member};
use crate::common::limits::{without_heartbeat, without_timeouts};

struct Ticker(Arc<State>);

/// So large that the buffers of a socket hold only a few.
#[derive(Event)]
struct Page;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Ticker, permission = AllowAny, publish = members, events(Page))]
struct Readers;

#[consumer]
impl Ticker {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        cx.join(Readers).await
    }

    #[event(permission = AllowAny)]
    fn page(&self, _: &Page) -> Padding {
        Padding(256 * 1024)
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny, detached, cancel = drop)]
    async fn wait_detached(&self, n: usize) -> usize {
        self.0.wait(n).await
    }

    /// Larger than the buffers of a socket.
    #[action(permission = AllowAny)]
    async fn book(&self) -> Padding {
        self.0.started.add_permits(1);
        Padding(64 * 1024 * 1024)
    }
}

async fn serve(limits: Limits) -> (Arc<State>, Publisher<Ticker>, String) {
    let state = State::new();
    let endpoint = portcullis::websocket(Ticker(state.clone())).limits(limits);
    let publisher = endpoint.publisher();
    let address = clients::serve(endpoint).await;
    (state, publisher, address)
}

/// Begins two detached actions.
async fn begin_two_actions(socket: &mut Socket, state: &State) {
    for n in [1, 2] {
        socket.send(Message::text(format!(r#"{{"action":"wait_detached","n":{n}}}"#))).await.unwrap();
    }
    state.started(2).await;
}

async fn assert_dropped(state: &State) {
    for n in 0..2 {
        let dropped = timeout(Duration::from_secs(20), state.dropped.notified()).await;
        assert!(dropped.is_ok(), "{n}");
        if state.running() == 0 {
            return;
        }
    }
}

#[tokio::test]
async fn slow_reader_of_events_is_closed_and_its_detached_actions_are_dropped() {
    let limits = Limits { max_queued_events: 16, max_queued_bytes: usize::MAX, ..without_timeouts() };
    let (state, publisher, address) = serve(limits).await;
    let (mut reading, mut stalled) = (connect_member(&address).await, connect_member(&address).await);
    begin_two_actions(&mut stalled, &state).await;
    for _ in 0..64 {
        publisher.publish(&Readers, Page);
        let frame = timeout(Duration::from_mins(1), reading.next()).await.expect("a reader is not delayed");
        assert!(frame.unwrap().unwrap().is_text());
    }
    assert_dropped(&state).await;
    assert_eq!(state.running(), 0);
}

#[tokio::test]
async fn slow_reader_of_a_reply_is_closed_after_the_send_timeout() {
    let limits = Limits {
        idle_timeout: Duration::from_hours(1),
        send_timeout: Duration::from_millis(500),
        action_timeout: Duration::from_hours(1),
        ..Limits::default()
    };
    let (state, _, address) = serve(limits).await;
    let mut stalled = connect_member(&address).await;
    begin_two_actions(&mut stalled, &state).await;
    stalled.send(Message::text(r#"{"action":"book"}"#)).await.unwrap();
    assert_dropped(&state).await;
    assert_eq!(state.running(), 0);
}

/// An action that stood still would keep its locks and pool slots from all others.
#[tokio::test]
async fn detached_actions_of_a_slow_reader_keep_running() {
    // Long enough that the first action ends before the second one times out, also on a busy machine.
    let limits = Limits { action_timeout: Duration::from_secs(10), ..without_heartbeat() };
    let (state, _, address) = serve(limits).await;
    let mut stalled = connect_member(&address).await;
    begin_two_actions(&mut stalled, &state).await;
    stalled.send(Message::text(r#"{"action":"book"}"#)).await.unwrap();
    state.started(1).await;
    state.resume(1);
    let ended = timeout(Duration::from_secs(20), state.dropped.notified()).await;
    assert!(ended.is_ok() && state.running() == 1, "one continues");
    let ended = timeout(Duration::from_mins(1), state.dropped.notified()).await;
    assert!(ended.is_ok() && state.running() == 0, "the other one times out");
    drop(stalled);
}
