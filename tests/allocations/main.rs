//! Allocations of a message through consumer, route, handler, permission, arguments and reply, over a real socket: counted
//! on the server's thread, in the steady state, compared with a server written by hand.
//! `-- --nocapture` shows the numbers.

mod events;
#[path = "../../examples/bench/hand.rs"]
mod hand;
mod hostile;
#[path = "../../examples/bench/load.rs"]
#[allow(dead_code, reason = "the benchmark uses more of it")]
mod load;
#[path = "../../examples/bench/observed.rs"]
#[allow(dead_code, reason = "the benchmark uses more of it")]
mod observed;
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
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use load::Connection;

/// The batches per phase: the first warms up; the fixed cost of a phase is in both of the others.
const PHASES: [u32; 3] = [100, 200, 1200];
/// The maximal number of messages in flight.
const BATCH: u32 = 16;

#[test]
fn message_costs_at_most_two_allocations() {
    for in_flight in [1, BATCH] {
        let (ours, by_hand) = (allocations(ours::app, in_flight), allocations(hand::app, in_flight));
        println!("{in_flight} in flight, allocations per message: Portcullis {ours:.3}, by hand {by_hand:.3}");
        assert!(by_hand >= 1.0, "a reply that is written into a fresh string is not counted: {by_hand}");
        assert!(ours <= 2.0, "{ours} allocations, {in_flight} in flight");
    }
}

/// The recorder allocates a block for every few hundred durations.
#[test]
fn metrics_and_an_observer_add_no_allocation_to_a_message() {
    for in_flight in [1, BATCH] {
        let (observed, ours) = (allocations(observed::observer_app, in_flight), allocations(ours::app, in_flight));
        println!("{in_flight} in flight, allocations per message: {observed:.3}, without metrics {ours:.3}");
        assert!(observed <= ours + 0.05, "{observed} allocations, {in_flight} in flight");
    }
}

#[test]
fn action_that_waits_costs_at_most_four_allocations() {
    let ours = allocations(waiting_action::app, 1);
    println!("an action that waits: {ours:.3} allocations per message");
    assert!(ours <= 4.0, "{ours} allocations");
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
