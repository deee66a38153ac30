//! Shows: the costs of Portcullis compared with the same server written by hand, as ratios of CPU and memory.
//! Run: `cargo run --release --example bench -- [--rounds N] [--against-itself] [--workers N]` (Linux; a minute or two).
//! Or:  the same with `--with metrics|observer`: the cost of metrics, or of metrics and an observer, compared with neither.
//! Or:  the same with `--sizes`: the cost of a message of 146 to 60000 bytes.
//! Or:  the same with `--deliveries [--members N]`: the cost of an event per member of a group, over sockets.
//! Or:  `cargo run --release --example bench -- --checks`: the cost of one check of a codename.
//! Or:  `cargo run --release --example bench -- --events`: the cost of one event to many members, without sockets.
//! Or:  `cargo run --release --example bench -- --serve ours|metrics|observer|hand [--port N] [--workers N]` for another load generator.
//!
//! Absolute times drift by tens of percent within seconds on shared machines. So both servers run at once and are measured
//! in turn in short windows, and the result is the ratio within a round. `--against-itself` measures the hand-written
//! server twice: the distance of that ratio from 1.00 is the noise of the machine. The servers have one core and the load
//! another. With `--workers 2` or more, the servers have so many threads on all cores and share them with the load.

mod checks;
mod deliveries;
mod driver;
mod events;
mod hand;
mod load;
mod measure;
mod observed;
mod ours;
mod report;
mod server;
mod sizes;
mod start_up;
mod world;

use std::error::Error;

use axum::serve::ListenerExt;
use server::{Kind, Placement};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// What is measured.
enum Mode {
    Costs,
    Sizes,
    Deliveries,
    Checks,
    Events,
}

/// The command-line options.
struct Options {
    serve: Option<Kind>,
    port: u16,
    mode: Mode,
    rounds: u32,
    kinds: [Kind; 2],
    members: u32,
    workers: Option<usize>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
        let mut options = Options {
            serve: None,
            port: 0,
            mode: Mode::Costs,
            rounds: 30,
            kinds: [Kind::Ours, Kind::Hand],
            members: 500,
            workers: None,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--serve" => {
                    let kind = Kind::named(&value()?);
                    options.serve = Some(kind.ok_or("--serve is for `ours`, `metrics`, `observer` or `hand`")?);
                }
                "--port" => options.port = value()?.parse()?,
                "--rounds" => options.rounds = value()?.parse()?,
                "--against-itself" => options.kinds = [Kind::Hand, Kind::Hand],
                "--with" => {
                    let kind = Kind::named(&value()?).filter(|kind| matches!(kind, Kind::Metrics | Kind::Observer));
                    options.kinds = [kind.ok_or("--with is for `metrics` or `observer`")?, Kind::Ours];
                }
                "--members" => options.members = value()?.parse()?,
                "--workers" => options.workers = Some(value()?.parse()?),
                "--sizes" => options.mode = Mode::Sizes,
                "--deliveries" => options.mode = Mode::Deliveries,
                "--checks" => options.mode = Mode::Checks,
                "--events" => options.mode = Mode::Events,
                _ => return Err(format!("unknown option {argument}").into()),
            }
        }
        if options.rounds == 0 || options.members == 0 || options.workers == Some(0) {
            return Err("--rounds, --members and --workers must be at least 1".into());
        }
        Ok(options)
    }
}

/// Serves until the process is ended. The address goes to standard output.
async fn serve(kind: Kind, port: u16) -> Result<(), Box<dyn Error>> {
    let app = match kind {
        Kind::Ours => ours::app(),
        Kind::Metrics => observed::metrics_app(),
        Kind::Observer => observed::observer_app(),
        Kind::Hand => hand::app(),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // Without it, the measurement would include delays by Nagle's algorithm.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    if !cfg!(target_os = "linux") {
        println!("This benchmark reads the costs of a process from /proc, so it runs on Linux only.");
        return Ok(());
    }
    let options = Options::read(std::env::args().skip(1))?;
    if let Some(kind) = options.serve {
        let mut runtime = Builder::new_multi_thread();
        if let Some(workers) = options.workers {
            runtime.worker_threads(workers);
        }
        return runtime.enable_all().build()?.block_on(serve(kind, options.port));
    }
    if cfg!(debug_assertions) {
        return Err("without --release this would measure nothing".into());
    }
    // One thread makes the load, so that it stays on its core.
    Builder::new_current_thread().enable_all().build()?.block_on(run(&options))
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let Options { rounds, members, kinds, .. } = *options;
    let placement = || Placement::new(options.workers);
    match options.mode {
        Mode::Costs => println!("{}", driver::run(kinds, placement()?, rounds).await?),
        Mode::Sizes => print!("{}", sizes::run(kinds, placement()?, rounds).await?),
        Mode::Deliveries => print!("{}", deliveries::run(kinds, placement()?, rounds, members).await?),
        Mode::Checks => checks::run(rounds).await?,
        Mode::Events => events::run(rounds).await?,
    }
    Ok(())
}
