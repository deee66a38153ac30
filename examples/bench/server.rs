//! The servers as separate processes, by default on one core.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::measure;

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    /// Ours, with metrics.
    Metrics,
    /// Ours, with metrics and an observer.
    Observer,
    Hand,
}

impl Kind {
    pub(crate) fn named(name: &str) -> Option<Kind> {
        [Kind::Ours, Kind::Metrics, Kind::Observer, Kind::Hand].into_iter().find(|kind| kind.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Ours => "ours",
            Kind::Metrics => "metrics",
            Kind::Observer => "observer",
            Kind::Hand => "hand",
        }
    }
}

/// Where the servers run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    /// The core of the servers, or `None` if they share all cores with the load.
    pub(crate) core: Option<u32>,
    /// The number of worker threads of each server, or `None` for one per core that it may use.
    pub(crate) workers: Option<usize>,
}

impl Placement {
    /// Servers with several workers use all cores. Others and the load get a core each, if there are two.
    pub(crate) fn new(workers: Option<usize>) -> io::Result<Placement> {
        let core = if workers.is_some_and(|workers| workers > 1) { None } else { share_cores()? };
        Ok(Placement { core, workers })
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(kind: Kind, placement: Placement) -> io::Result<Server> {
        let this = std::env::current_exe()?;
        let mut command = match placement.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(this);
                command
            }
            None => Command::new(this),
        };
        if let Some(workers) = placement.workers {
            command.args(["--workers", &workers.to_string()]);
        }
        let mut process = command.args(["--serve", kind.name()]).stdout(Stdio::piped()).spawn()?;
        match address(&mut process) {
            Ok(address) => Ok(Server { process, address }),
            Err(error) => {
                end(&mut process);
                Err(error)
            }
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Reads the address that a server prints first.
fn address(process: &mut Child) -> io::Result<SocketAddr> {
    let output = process.stdout.take().ok_or_else(|| io::Error::other("the server has no output"))?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    line.trim().parse().map_err(|_| io::Error::other(format!("the server did not print its address, but {line:?}")))
}

fn end(process: &mut Child) {
    // The process may have ended already.
    let _ = process.kill();
    let _ = process.wait();
}

/// Moves this process to the second core that it may use and returns the first one, which is for the servers. Returns
/// `None` if there is only one core, or no `taskset`.
fn share_cores() -> io::Result<Option<u32>> {
    let [servers, load, ..] = measure::cores()?[..] else { return Ok(None) };
    let moved = quietly(Command::new("taskset").args(["-cp", &load.to_string(), &std::process::id().to_string()]));
    Ok(moved.then_some(servers))
}

/// Raises the limit of open files of this process and the servers, if the system permits it.
pub(crate) fn allow_open_files(wanted: u32) -> io::Result<u32> {
    if measure::open_files()? < wanted {
        let limit = format!("--nofile={wanted}:");
        quietly(Command::new("prlimit").args(["--pid", &std::process::id().to_string(), &limit]));
    }
    measure::open_files()
}

fn quietly(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
