//! The measurement: checks that both servers give the same replies, then measures them in turn.

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::load::{Connection, Fleet, NotOpen, Progress};
use super::measure::{Clocks, Spent, resident};
use super::report::{Noise, Results};
use super::server::{Kind, Server, allow_open_files, share_cores};
use super::world::MEMBERS;

const WARM_UP: Duration = Duration::from_millis(100);
const WINDOW: Duration = Duration::from_millis(300);
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
const OTHER_FILES: u32 = 200;
/// Connections that are opened before the measurement, so that one-time costs are not counted.
const FIRST: u32 = 50;

/// Measures both servers for a number of rounds.
pub(crate) async fn run(kinds: [Kind; 2], rounds: u32) -> io::Result<Results> {
    let core = share_cores()?;
    let held = HELD.min(allow_open_files(HELD + OTHER_FILES)?.saturating_sub(OTHER_FILES));
    let mut results = Results::new(kinds, rounds, held, core.is_some());
    under_load(kinds, core, rounds, &mut results).await?;
    when_idle(kinds, core, held, rounds.div_ceil(3), &mut results).await?;
    eprintln!();
    Ok(results)
}

async fn under_load(kinds: [Kind; 2], core: Option<u32>, rounds: u32, results: &mut Results) -> io::Result<()> {
    let mut sides = [Side::start(kinds[0], core).await?, Side::start(kinds[1], core).await?];
    check(&sides).await?;
    let Results { lone, busy, noise, .. } = results;
    for round in 0..rounds {
        progress("round", round, rounds, noise);
        for (mode, windows) in [&mut *lone, &mut *busy].into_iter().enumerate() {
            let mut pair = [None; 2];
            for side in order(round) {
                let Side { server, fleets } = &mut sides[side];
                let measured = quietest(noise, async || window(server, &mut fleets[mode]).await).await?;
                pair[side] = Some(measured);
            }
            windows.extend(pair[0].zip(pair[1]));
        }
    }
    Ok(())
}

async fn when_idle(
    kinds: [Kind; 2],
    core: Option<u32>,
    connections: u32,
    rounds: u32,
    results: &mut Results,
) -> io::Result<()> {
    for round in 0..rounds {
        progress("fresh processes", round, rounds, &results.noise);
        let mut pair = [None; 2];
        for side in order(round) {
            let measured = quietest(&mut results.noise, async || idle(kinds[side], core, connections).await).await?;
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
struct Side {
    server: Server,
    fleets: [Fleet; 2],
}

impl Side {
    async fn start(kind: Kind, core: Option<u32>) -> io::Result<Side> {
        let server = Server::start(kind, core)?;
        let fleets = [Fleet::open(server.address, LONE, 1).await?, Fleet::open(server.address, BUSY, IN_FLIGHT).await?];
        Ok(Side { server, fleets })
    }
}

/// The result of one window for a server.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    /// Microseconds of the server's CPU.
    pub(crate) cpu: f64,
    pub(crate) requests_per_second: f64,
    /// The share of its core that the load used.
    pub(crate) load: f64,
}

async fn window(server: &Server, fleet: &mut Fleet) -> io::Result<(Spent, Window)> {
    let sample = |progress: &Progress| Ok((Clocks::read(server.process())?, progress.answered.load(Ordering::Relaxed)));
    let ((before, first), (after, last)) = fleet.work(WARM_UP, WINDOW, sample).await?;
    let spent = before.until(after);
    let requests = u32::try_from(last - first).ok().filter(|&requests| requests > 0);
    let requests = f64::from(requests.ok_or_else(|| io::Error::other("a window without a reply"))?);
    let time = spent.time.as_secs_f64();
    let window = Window {
        cpu: spent.server.as_secs_f64() * 1e6 / requests,
        requests_per_second: requests / time,
        load: spent.own.as_secs_f64() / time,
    };
    Ok((spent, window))
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
async fn idle(kind: Kind, core: Option<u32>, connections: u32) -> io::Result<(Spent, Idle)> {
    let server = Server::start(kind, core)?;
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

/// Checks that both servers reply to members, refuse outsiders and reject unknown tokens with identical bytes.
async fn check(sides: &[Side; 2]) -> io::Result<()> {
    let mut replies = Vec::new();
    for Side { server, .. } in sides {
        replies.push(collect_replies(server).await?);
    }
    if replies[0] != replies[1] {
        return Err(io::Error::other(format!("the servers reply differently:\n{}\n{}", replies[0], replies[1])));
    }
    Ok(())
}

/// The replies of a server to a member, an outsider and an unknown token.
async fn collect_replies(server: &Server) -> io::Result<String> {
    const ROUTED: &str = r#"{"action":"send_message","route":"rooms/5/","request_id":7,"text":"hi"}"#;
    const NAMED: &str = r#"{"action":"send_message","route":"chat","request_id":8,"room_id":5,"text":"hi"}"#;
    let mut replies = String::new();
    for (user, status) in [(7, 200), (MEMBERS, 403)] {
        let mut connection = Connection::open(server.address, user).await?;
        for message in [ROUTED, NAMED] {
            let reply = connection.call(message).await?;
            if !reply.contains(&format!(r#""status":{status},"#)) {
                return Err(io::Error::other(format!("user {user} should get status {status}, but got {reply}")));
            }
            replies = replies + &reply + "\n";
        }
    }
    match Connection::open(server.address, u32::MAX).await {
        Err(NotOpen::Refused(status)) => Ok(format!("{replies}{status}")),
        Err(NotOpen::Broken(error)) => Err(error),
        Ok(_) => Err(io::Error::other("an unknown token was let in")),
    }
}
