//! Shows: what a server holds and survives: many idle connections, then busy ones, some of them hostile, with failing sources.
//! Run:   `cargo run --release --example load -- [--idle N] [--busy N] [--seconds N] [--seed N]` (Linux, loopback only;
//!        without options 10,000 idle connections, then 2,000 busy ones for ten minutes).
//! Look at: the report, a table in Markdown; the program fails if a rule in `rules.rs` does not hold: a reply is lost or
//!        wrong, an event leaks or is missed, a connection ends without a reason, or a rule had nothing to compare.

mod clients;
mod idle;
mod inbox;
mod ledger;
mod report;
mod requests;
mod rights;
mod rules;
mod server;

use std::error::Error;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use peak_alloc::PeakAlloc;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use ledger::{Ledger, Mistake};
use report::{Memory, Report};
use server::{Ended, Server};

/// Counts the bytes that are allocated.
#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// How long clients may take to notice that the drain has closed them. One that has sent garbage reads for 15 seconds.
const CLIENTS_END: Duration = Duration::from_secs(30);

/// The command-line options.
#[derive(Debug, Clone, Copy)]
struct Options {
    idle: usize,
    busy: usize,
    duration: Duration,
    seed: u64,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
        let mut options = Options { idle: 10_000, busy: 2000, duration: Duration::from_mins(10), seed: 1 };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                arguments.next().ok_or(format!("{argument} needs a number"))?.parse().map_err(Box::<dyn Error>::from)
            };
            match &*argument {
                "--idle" => options.idle = usize::try_from(number()?)?,
                "--busy" => options.busy = usize::try_from(number()?)?,
                "--seconds" => options.duration = Duration::from_secs(number()?),
                "--seed" => options.seed = number()?,
                _ => {
                    return Err(
                        format!("unknown option {argument}; see the first lines of examples/load/main.rs").into()
                    );
                }
            }
        }
        if options.busy < rules::MIN_CLIENTS {
            return Err(format!("--busy must be at least {}: one client of each kind", rules::MIN_CLIENTS).into());
        }
        Ok(options)
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|argument| argument == idle::HOLD).is_some() {
        let (address, count) = (arguments.next().ok_or("no address")?, arguments.next().ok_or("no number")?);
        runtime("clients", 1)?.block_on(idle::hold(address.parse()?, count.parse()?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::read(arguments)?;
    server::count_panics();
    let servers = runtime("server", std::thread::available_parallelism().map_or(1, NonZeroUsize::get))?;
    let idle = servers.block_on(idle::measure(options.idle, options.duration))?;
    let report = run(&servers, options, idle)?;
    println!("{report}");
    let failures = report.failures();
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    for mistake in report.ledger.described() {
        eprintln!("  for example {mistake}");
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn runtime(name: &str, workers: usize) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(workers).thread_name(name).enable_all().build()
}

/// Runs the busy phase: clients, faults, revocations and publications at once, then a drain.
fn run(servers: &Runtime, options: Options, idle: Option<idle::Idle>) -> Result<Report, Box<dyn Error>> {
    // What is allocated once, by the first connections.
    let warm_up = Arc::new(Ledger::new(8, 1));
    phase(servers, &warm_up, Duration::from_secs(2), options.seed, &ProgressBar::hidden())?;
    let ledger = Arc::new(Ledger::new(options.busy, server::rooms(options.busy)));
    let tasks_at_start = servers.metrics().num_alive_tasks();
    let memory_at_start = ALLOCATED.current_usage();

    let progress = progress_bar(options.duration);
    ALLOCATED.reset_peak_usage();
    let ended = phase(servers, &ledger, options.duration, options.seed, &progress)?;
    progress.finish_and_clear();
    let memory = Memory {
        start: memory_at_start,
        peak: ALLOCATED.peak_usage(),
        end: ALLOCATED.current_usage().saturating_sub(ledger.own_bytes()),
    };
    let tasks = (tasks_at_start, servers.metrics().num_alive_tasks());
    ledger.add_mistakes(&warm_up);
    Ok(Report { options, idle, ledger, ended, memory, tasks })
}

/// Serves and loads for some time, drains, and waits until all has ended.
fn phase(
    servers: &Runtime,
    ledger: &Arc<Ledger>,
    duration: Duration,
    seed: u64,
    progress: &ProgressBar,
) -> Result<Ended, Box<dyn Error>> {
    let mut server = servers.block_on(Server::start(ledger.clone(), seed))?;
    // The clients have a thread of their own: while the server is busy, they are not.
    let loads = runtime("clients", 1)?;
    let clients = loads.spawn(clients::run(server.address, ledger.clone(), seed));
    let (started, publisher) = (Instant::now(), server.endpoint.publisher());
    while started.elapsed() < duration {
        std::thread::sleep(Duration::from_millis(200).min(duration.saturating_sub(started.elapsed())));
        progress.set_position(started.elapsed().as_millis().try_into()?);
        progress.set_message(ledger.summary(publisher.counters().delivered));
    }
    drop(publisher);
    progress.set_message("the connections are closed");
    let ended = servers.block_on(server.drain());
    match loads.block_on(async { timeout(CLIENTS_END, clients).await }) {
        Ok(ended) => ended?,
        Err(_) => ledger.record_mistakes(Mistake::Close, 1, || "clients are connected after the drain".to_owned()),
    }
    loads.shutdown_timeout(Duration::from_secs(5));
    servers.block_on(server.stop());
    Ok(ended)
}

fn progress_bar(duration: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed} {wide_bar} {eta}  {msg}");
    let bar = ProgressBar::new(duration.as_millis().try_into().unwrap_or(u64::MAX));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
