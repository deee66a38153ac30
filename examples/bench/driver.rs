//! The measurement: checks that both servers do the same, then measures them in turn.

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::load::{Fleet, Progress};
use super::measure::{Clocks, Spent, resident};
use super::report::{Noise, Results};
use super::server::{Kind, Placement, Server, allow_open_files};
use super::start_up::check;

pub(crate) const WARM_UP: Duration = Duration::from_millis(100);
pub(crate) const WINDOW: Duration = Duration::from_millis(300);
/// The number of cores that other processes may use before a window is repeated.
const OTHERS: f64 = 0.15;
/// The number of measurements of a window before the least disturbed one is taken.
const ATTEMPTS: u32 = 6;
/// Connections with one message in flight each.
pub(crate) const LONE: u32 = 64;
/// Connections with several messages in flight each, and how many.
pub(crate) const BUSY: u32 = 16;
pub(crate) const IN_FLIGHT: usize = 16;
/// Connections that a server holds while its memory is measured, if the system allows so many open files.
const HELD: u32 = 2_000;
/// Open files that a process needs in addition.
pub(crate) const OTHER_FILES: u32 = 200;
/// Connections that are opened before the measurement, so that one-time costs are not counted.
const FIRST: u32 = 50;

/// Measures both servers for a number of rounds.
pub(crate) async fn run(kinds: [Kind; 2], placement: Placement, rounds: u32) -> io::Result<Results> {
    let held = HELD.min(allow_open_files(HELD + OTHER_FILES)?.saturating_sub(OTHER_FILES));
    let mut results = Results::new(kinds, rounds, held, placement);
    under_load(kinds, placement, rounds, &mut results).await?;
    when_idle(kinds, placement, held, rounds.div_ceil(3), &mut results).await?;
    eprintln!();
    Ok(results)
}

async fn under_load(kinds: [Kind; 2], placement: Placement, rounds: u32, results: &mut Results) -> io::Result<()> {
    let loads = [(LONE, 1, None), (BUSY, IN_FLIGHT, None)];
    let mut sides = [Side::start(kinds[0], placement, &loads).await?, Side::start(kinds[1], placement, &loads).await?];
    check([&sides[0].server, &sides[1].server]).await?;
    let Results { lone, busy, noise, .. } = results;
    in_turn(rounds, &mut [lone, busy], noise, async |side, load| sides[side].window(load).await).await
}

/// Measures the sides in turn with each load, by a function of the side and the load. Adds a pair per round to each of `all`.
pub(crate) async fn in_turn(
    rounds: u32,
    all: &mut [&mut Pairs],
    noise: &mut Noise,
    mut window: impl AsyncFnMut(usize, usize) -> io::Result<(Spent, Window)>,
) -> io::Result<()> {
    for round in 0..rounds {
        progress("round", round, rounds, noise);
        for (load, windows) in all.iter_mut().enumerate() {
            let mut pair = [None; 2];
            for side in order(round) {
                pair[side] = Some(quietest(noise, async || window(side, load).await).await?);
            }
            windows.extend(pair[0].zip(pair[1]));
        }
    }
    Ok(())
}

async fn when_idle(
    kinds: [Kind; 2],
    placement: Placement,
    connections: u32,
    rounds: u32,
    results: &mut Results,
) -> io::Result<()> {
    for round in 0..rounds {
        progress("fresh processes", round, rounds, &results.noise);
        let mut pair = [None; 2];
        for side in order(round) {
            let measured =
                quietest(&mut results.noise, async || idle(kinds[side], placement, connections).await).await?;
            pair[side] = Some(measured);
        }
        results.idle.extend(pair[0].zip(pair[1]));
    }
    Ok(())
}

/// Reverses every other round, so that the effect of the order cancels out.
fn order(round: u32) -> [usize; 2] {
    if round.is_multiple_of(2) { [0, 1] } else { [1, 0] }
}

fn progress(what: &str, done: u32, all: u32, noise: &Noise) {
    eprint!("\r{what} {} of {all}, {} windows repeated    ", done + 1, noise.repeated);
    // A failure to print the progress does not stop the measurement.
    let _ = io::stderr().flush();
}

/// A running server and its clients.
pub(crate) struct Side {
    pub(crate) server: Server,
    fleets: Vec<Fleet>,
}

impl Side {
    /// Starts a server and a fleet for each load: connections, messages in flight on each, and their size if not the usual.
    pub(crate) async fn start(
        kind: Kind,
        placement: Placement,
        loads: &[(u32, usize, Option<usize>)],
    ) -> io::Result<Side> {
        let server = Server::start(kind, placement)?;
        let mut fleets = Vec::new();
        for &(connections, in_flight, size) in loads {
            let fleet = Fleet::open(server.address, connections, in_flight).await?;
            fleets.push(match size {
                Some(bytes) => fleet.with_size(bytes),
                None => fleet,
            });
        }
        Ok(Side { server, fleets })
    }

    pub(crate) async fn window(&mut self, load: usize) -> io::Result<(Spent, Window)> {
        let server = self.server.process();
        let sample = |progress: &Progress| Ok((Clocks::read(server)?, progress.answered.load(Ordering::Relaxed)));
        let (before, after) = self.fleets[load].work(WARM_UP, WINDOW, sample).await?;
        Window::between(before, after)
    }
}

/// The windows of one load, a pair per round.
pub(crate) type Pairs = Vec<(Window, Window)>;

/// The result of one window for a server.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    /// Microseconds of the server's CPU per message or delivery.
    pub(crate) cpu: f64,
    /// Messages or deliveries per second.
    pub(crate) per_second: f64,
    /// The share of its core that the load used.
    pub(crate) load: f64,
}

impl Window {
    /// Evaluates the clocks and the number of messages or deliveries at the beginning and the end of a window.
    pub(crate) fn between(first: (Clocks, u64), last: (Clocks, u64)) -> io::Result<(Spent, Window)> {
        let spent = first.0.until(last.0);
        let count = u32::try_from(last.1 - first.1).ok().filter(|&count| count > 0);
        let count = f64::from(count.ok_or_else(|| io::Error::other("a window in which nothing arrived"))?);
        let time = spent.time.as_secs_f64();
        let window = Window {
            cpu: spent.server.as_secs_f64() * 1e6 / count,
            per_second: count / time,
            load: spent.own.as_secs_f64() / time,
        };
        Ok((spent, window))
    }
}

/// The result of the idle measurement for a server.
#[derive(Clone, Copy)]
pub(crate) struct Idle {
    /// Memory of a connection that has sent one message, in KiB.
    pub(crate) memory: f64,
    /// CPU time of the server for a new connection, in microseconds.
    pub(crate) connect: f64,
}

/// Measures a fresh process: in an old one, memory that an earlier load freed would hide the growth.
async fn idle(kind: Kind, placement: Placement, connections: u32) -> io::Result<(Spent, Idle)> {
    let server = Server::start(kind, placement)?;
    let mut first = Fleet::open(server.address, FIRST, 1).await?;
    first.use_once().await?;
    let memory = resident(server.process())?;
    let before = Clocks::read(server.process())?;
    let mut fleet = Fleet::open(server.address, connections, 1).await?;
    let spent = before.until(Clocks::read(server.process())?);
    fleet.use_once().await?;
    let memory = resident(server.process())? - memory;
    let count = f64::from(connections);
    Ok((spent, Idle { memory: memory / count, connect: spent.server.as_secs_f64() * 1e6 / count }))
}

/// Repeats a measurement while other processes disturb it, and takes the least disturbed attempt in the end.
async fn quietest<T>(noise: &mut Noise, mut measure: impl AsyncFnMut() -> io::Result<(Spent, T)>) -> io::Result<T> {
    let (mut least, mut best) = measure().await?;
    for _ in 1..ATTEMPTS {
        if least.others <= OTHERS {
            return Ok(best);
        }
        noise.repeated += 1;
        let (spent, measured) = measure().await?;
        if spent.others < least.others {
            (least, best) = (spent, measured);
        }
    }
    noise.kept += u32::from(least.others > OTHERS);
    Ok(best)
}
