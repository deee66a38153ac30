//! Shows: the costs of Portcullis compared with the same server written by hand, as ratios of CPU and memory.
//! Run: `cargo run --release --example bench -- [--rounds N] [--against-itself]` (Linux; a minute or two).
//! Or:  `cargo run --release --example bench -- --checks`: the cost of one check of a codename.
//! Or:  `cargo run --release --example bench -- --events`: the cost of one event to many members.
//! Or:  `cargo run --release --example bench -- --serve ours|hand --port N` for another load generator, on `/ws`.
//!
//! Absolute times drift by tens of percent within seconds on shared machines. So both servers run at once and are measured
//! in turn in short windows, and the result is the ratio within a round. `--against-itself` measures the hand-written
//! server twice: the distance of that ratio from 1.00 is the noise of the machine.

mod checks;
mod driver;
mod events;
mod hand;
mod load;
mod measure;
mod ours;
mod report;
mod server;
mod world;

use std::error::Error;

use axum::serve::ListenerExt;
use server::Kind;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// The command-line options.
struct Options {
    serve: Option<Kind>,
    port: u16,
    rounds: u32,
    against_itself: bool,
    checks: bool,
    events: bool,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
        let mut options =
            Options { serve: None, port: 0, rounds: 30, against_itself: false, checks: false, events: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--serve" => options.serve = Some(Kind::named(&value()?).ok_or("--serve is for `ours` or `hand`")?),
                "--port" => options.port = value()?.parse()?,
                "--rounds" => options.rounds = value()?.parse()?,
                "--against-itself" => options.against_itself = true,
                "--checks" => options.checks = true,
                "--events" => options.events = true,
                _ => return Err(format!("unknown option {argument}").into()),
            }
        }
        if options.rounds == 0 {
            return Err("--rounds must be at least 1".into());
        }
        Ok(options)
    }
}

/// Serves until the process is ended. The address goes to standard output.
async fn serve(kind: Kind, port: u16) -> Result<(), Box<dyn Error>> {
    let app = match kind {
        Kind::Ours => ours::app(),
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
        return Builder::new_multi_thread().enable_all().build()?.block_on(serve(kind, options.port));
    }
    if cfg!(debug_assertions) {
        return Err("without --release this would measure nothing".into());
    }
    if options.checks {
        return Builder::new_current_thread().enable_all().build()?.block_on(checks::run(options.rounds));
    }
    if options.events {
        return Builder::new_current_thread().enable_all().build()?.block_on(events::run(options.rounds));
    }
    let kinds = if options.against_itself { [Kind::Hand, Kind::Hand] } else { [Kind::Ours, Kind::Hand] };
    // One thread makes the load, so that it stays on its core.
    let results = Builder::new_current_thread().enable_all().build()?.block_on(driver::run(kinds, options.rounds))?;
    println!("{results}");
    Ok(())
}
