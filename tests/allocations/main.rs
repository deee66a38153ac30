//! Allocations of a message through consumer, route, handler, permission, arguments and reply, over a real socket: counted
//! on the server's thread, in the steady state, compared with the socket alone and with a server written by hand.
//! `-- --nocapture` shows the numbers.

mod events;
#[path = "../../examples/bench/hand.rs"]
mod hand;
mod hostile;
#[path = "../../examples/bench/load.rs"]
#[allow(dead_code, reason = "the benchmark uses more of it")]
mod load;
#[path = "../../examples/bench/ours.rs"]
mod ours;
mod socket;
mod waiting_action;
#[path = "../../examples/bench/world.rs"]
mod world;

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use allocation_counter::measure;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use load::{Connection, FIRST_ID};

/// The batches per phase: the first warms up; the fixed cost of a phase is in both of the others.
const PHASES: [u32; 3] = [100, 200, 1200];
/// The maximal number of messages in flight.
const BATCH: u32 = 16;

#[test]
fn message_costs_at_most_two_allocations() {
    for in_flight in [1, BATCH] {
        let transport = allocations(transport, in_flight);
        let ours = allocations(ours::app, in_flight);
        let by_hand = allocations(hand::app, in_flight);
        let own = ours - transport;
        println!(
            "{in_flight} in flight, allocations per message: Portcullis {ours:.3}, by hand {by_hand:.3}; \
             the socket alone {transport:.3}, so Portcullis' own are {own:.3}"
        );
        assert!(by_hand >= 1.0, "a reply that is written into a fresh string is not counted: {by_hand}");
        assert!(own <= 2.0, "{own} allocations of our own, {in_flight} in flight");
    }
}

#[test]
fn action_that_waits_costs_at_most_four_allocations() {
    let own = allocations(waiting_action::app, 1) - allocations(transport, 1);
    println!("an action that waits: Portcullis' own allocations per message are {own:.3}");
    assert!(own <= 4.0, "{own} allocations of our own");
}

/// Returns the allocations of a server per message, with `in_flight` messages on one connection.
fn allocations(app: fn() -> Router, in_flight: u32) -> f64 {
    let (tell, address) = mpsc::channel();
    let (done, phases) = unbounded_channel();
    let server = thread::spawn(move || serve(app, &tell, phases));
    let address = address.recv().unwrap();
    runtime().block_on(async move {
        let mut connection = Connection::open(address, 7).await.unwrap();
        for batches in PHASES {
            for _ in 0..batches {
                connection.exchange(in_flight as usize).await.unwrap();
            }
            done.send(()).unwrap();
        }
    });
    let [_, short, long] = server.join().unwrap();
    let count = u32::try_from(long - short).unwrap();
    f64::from(count) / f64::from((PHASES[2] - PHASES[1]) * in_flight)
}

/// Serves on this thread and returns its allocations per phase.
fn serve(app: fn() -> Router, tell: &mpsc::Sender<SocketAddr>, mut phases: UnboundedReceiver<()>) -> [u64; 3] {
    let runtime = runtime();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    tell.send(listener.local_addr().unwrap()).unwrap();
    runtime.spawn(async move { axum::serve(listener, app()).await });
    PHASES.map(|_| measure(|| runtime.block_on(phases.recv()).unwrap()).count_total)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// The cost of axum's WebSocket alone: a server with replies that were built beforehand.
fn transport() -> Router {
    async fn serve(mut socket: WebSocket) {
        let messages = PHASES.iter().sum::<u32>() * BATCH;
        let mut replies = (FIRST_ID..).take(messages as usize).map(reply).collect::<Vec<_>>().into_iter();
        loop {
            let mut next = Some(socket.next().await);
            while let Some(message) = next {
                let Some(Ok(Message::Text(_))) = message else { return };
                socket.feed(Message::Text(replies.next().unwrap())).await.unwrap();
                next = socket.next().now_or_never();
            }
            socket.flush().await.unwrap();
        }
    }
    let upgrade = |upgrade: WebSocketUpgrade| async { upgrade.read_buffer_size(4 * 1024).on_upgrade(serve) };
    Router::new().route("/ws", any(upgrade))
}

/// Returns the reply that the load expects for this id.
fn reply(id: u32) -> Utf8Bytes {
    let start = r#"{"errors":[],"data":{"ok":true,"id":1},"action":"send_message","route":"rooms/7/","status":200,"#;
    format!(r#"{start}"request_id":{id}}}"#).into()
}
