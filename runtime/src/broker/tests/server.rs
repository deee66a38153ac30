//! A server that a test starts, stops and kills.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::super::Broker;
use crate::ConnectionId;

/// The programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    #[cfg(feature = "redis")]
    Redis,
    #[cfg(feature = "nats")]
    Nats,
}

/// A server at a port that was free, which is killed when the test ends.
pub(super) struct Server {
    program: Program,
    port: u16,
    folder: PathBuf,
    process: Option<Child>,
}

impl Program {
    fn command(self) -> &'static str {
        match self {
            #[cfg(feature = "redis")]
            Program::Redis => "redis-server",
            #[cfg(feature = "nats")]
            Program::Nats => "nats-server",
        }
    }
}

/// A port below those of outgoing connections. A link that connects to one of those while no server listens may be given
/// the same port for its own side, and is then connected to itself.
fn free_port() -> u16 {
    let ports = std::iter::repeat_with(|| 20_000 + (getrandom::u32().unwrap() % 12_000) as u16);
    let mut free_ports = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free_ports.next().expect("no port is free")
}

impl Server {
    /// Prepares a server that is not started yet. `None` if the program is not installed.
    pub(super) fn prepare(program: Program) -> Option<Server> {
        let command = program.command();
        if Command::new(command).arg("--version").stdout(Stdio::null()).status().is_err() {
            assert!(std::env::var_os("CI").is_none(), "{command} is not installed");
            eprintln!("*** SKIPPED: {command} is not installed ***");
            return None;
        }
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("portcullis-{}", ConnectionId::random().unwrap()));
        fs::create_dir(&folder).unwrap();
        Some(Server { program, port, folder, process: None })
    }

    /// Starts a server that answers.
    pub(super) async fn start(program: Program) -> Option<Server> {
        let mut server = Server::prepare(program)?;
        server.run(&[]).await;
        Some(server)
    }

    /// Starts the server with further arguments, and waits until it answers.
    pub(super) async fn run(&mut self, arguments: &[&str]) {
        let port = self.port.to_string();
        let mut command = Command::new(self.program.command());
        match self.program {
            #[cfg(feature = "redis")]
            Program::Redis => {
                command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"]);
            }
            #[cfg(feature = "nats")]
            Program::Nats => {
                command.args(["-a", "127.0.0.1", "-p", &port]);
            }
        }
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        self.process = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.answers().await {
            assert!(Instant::now() < deadline, "{:?} does not answer", self.program);
            // A process reports nothing when it listens.
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts a server that keeps logs, with what it had written before it ended, and waits until it answers.
    pub(super) async fn run_with_logs(&mut self) {
        match self.program {
            #[cfg(feature = "redis")]
            Program::Redis => self.run(&[]).await,
            #[cfg(feature = "nats")]
            Program::Nats => self.run(&["-js", "-sd", "data"]).await,
        }
    }

    /// Has a Redis server write what it has. A NATS server writes by itself.
    pub(super) async fn save(&self) {
        #[cfg(feature = "redis")]
        if self.program == Program::Redis {
            let client = redis::Client::open(self.url()).unwrap();
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            redis::cmd("SAVE").exec_async(&mut connection).await.unwrap();
        }
    }

    /// Removes what an ended server has written.
    pub(super) fn remove_data(&self) {
        assert!(self.process.is_none(), "the server runs");
        // A server may have written nothing.
        let _ = fs::remove_dir_all(self.folder.join("data"));
        let _ = fs::remove_file(self.folder.join("dump.rdb"));
    }

    /// Starts a NATS server with more lines in its configuration file, and waits until it answers.
    #[cfg(feature = "nats")]
    pub(super) async fn run_with_configuration(&mut self, configuration: &str) {
        fs::write(self.folder.join("nats.conf"), configuration).unwrap();
        self.run(&["-c", "nats.conf"]).await;
    }

    async fn answers(&self) -> bool {
        let answer = async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
            stream.write_all(b"PING\r\n").await.ok()?;
            let mut first = [0; 1];
            stream.read_exact(&mut first).await.ok()
        };
        matches!(timeout(Duration::from_secs(1), answer).await, Ok(Some(_)))
    }

    pub(super) fn broker(&self) -> Box<dyn Broker> {
        match self.program {
            #[cfg(feature = "redis")]
            Program::Redis => Box::new(crate::RedisBroker::new(&self.url(), "test").unwrap()),
            #[cfg(feature = "nats")]
            Program::Nats => Box::new(crate::NatsBroker::new(&self.url(), "test").unwrap()),
        }
    }

    pub(super) fn url(&self) -> String {
        match self.program {
            #[cfg(feature = "redis")]
            Program::Redis => format!("redis://127.0.0.1:{}", self.port),
            #[cfg(feature = "nats")]
            Program::Nats => format!("nats://127.0.0.1:{}", self.port),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Waits until this process has no connection to the server. Connections of one test only, because each has a server.
    pub(super) async fn closed_by_all(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.connection_count() > 0 {
            assert!(Instant::now() < deadline, "{} connections are open", self.connection_count());
            // The kernel reports nothing when a connection closes.
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The number of established connections to the server, which is zero where the kernel does not list them.
    fn connection_count(&self) -> usize {
        let table = fs::read_to_string("/proc/self/net/tcp").unwrap_or_default();
        let (address, established) = (format!("0100007F:{:04X}", self.port), "01");
        let connections = table.lines().map(|line| line.split_whitespace().skip(2).take(2).collect::<Vec<_>>());
        connections.filter(|fields| *fields == [&*address, established]).count()
    }

    /// Ends the server as a crash does.
    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Stops the server, which then reads and writes nothing, until [`Server::proceed`].
    pub(super) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(super) fn proceed(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("the server does not run").id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // What remains is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
