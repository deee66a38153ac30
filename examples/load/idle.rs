//! The idle phase: a process of its own holds connections, and the memory of the server's process is measured.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use portcullis::{AllowAny, consumer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The option by which the program is the process of the clients.
pub(crate) const HOLD: &str = "--hold";
/// How long the connections are held: longer than the interval of pings, but not longer than the busy phase.
const HELD_FOR: Duration = Duration::from_secs(30);
/// How many handshakes are in progress at the same time.
const CONCURRENT_HANDSHAKES: usize = 200;

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    pub(crate) connections: usize,
    pub(crate) open_time: Duration,
    /// Resident memory of the server's process, in bytes: before, while the connections were open, and after.
    pub(crate) resident: [usize; 3],
    /// The CPU time of the process while nothing happened but pings.
    pub(crate) cpu: Duration,
    pub(crate) held_for: Duration,
}

struct Silent;

#[consumer]
impl Silent {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

/// Holds this number of idle connections, at most for this time. `None` if it is zero.
pub(crate) async fn measure(connections: usize, max_time: Duration) -> Result<Option<Idle>, Box<dyn Error>> {
    if connections == 0 {
        return Ok(None);
    }
    let endpoint = portcullis::websocket(Silent);
    let observer = endpoint.connections();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = axum::Router::new().route("/ws", endpoint.into_route());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let before = resident()?;
    let started = Instant::now();
    let mut clients = Command::new(std::env::current_exe()?)
        .args([HOLD.to_owned(), address.to_string(), connections.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut output = clients.stdout.take().ok_or("no output")?;
    let mut byte = [0];
    output.read_exact(&mut byte).await.map_err(|_| "the clients failed; is `ulimit -n` large enough?")?;
    let open_time = started.elapsed();
    let held_for = HELD_FOR.min(max_time);
    let progress = ProgressBar::new(held_for.as_secs());
    progress.set_style(ProgressStyle::with_template("{elapsed} {wide_bar} {eta}  {msg}")?);
    progress.set_message(format!("{connections} idle connections"));
    let cpu = cpu_time()?;
    for second in 0..held_for.as_secs() {
        progress.set_position(second);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    progress.finish_and_clear();
    let (cpu, while_open) = (cpu_time()?.saturating_sub(cpu), resident()?);
    drop(clients.stdin.take());
    clients.wait().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = resident()?;
    server.abort();
    drop(observer);
    Ok(Some(Idle { connections, open_time, resident: [before, while_open, after], cpu, held_for }))
}

/// Opens connections, reports that they are open, and answers pings until its input ends.
pub(crate) async fn hold(address: SocketAddr, count: usize) -> Result<(), Box<dyn Error>> {
    let mut connections = JoinSet::new();
    let handshakes = Arc::new(Semaphore::new(CONCURRENT_HANDSHAKES));
    let opened = Arc::new(Semaphore::new(0));
    for _ in 0..count {
        let permit = handshakes.clone().acquire_owned().await?;
        let opened = opened.clone();
        connections.spawn(async move {
            let mut stream = open(address).await?;
            drop(permit);
            opened.add_permits(1);
            answer_pings(&mut stream).await
        });
    }
    tokio::select! {
        all = opened.acquire_many(u32::try_from(count)?) => all?.forget(),
        Some(ended) = connections.join_next() => return Err(format!("a connection ended: {ended:?}").into()),
    }
    io::stdout().write_all(b"+")?;
    io::stdout().flush()?;
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    Ok(())
}

/// Performs a handshake.
async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\n") {
        response.push(stream.read_u8().await?);
    }
    if response.starts_with(b"HTTP/1.1 101") { Ok(stream) } else { Err(io::Error::other("the handshake was rejected")) }
}

/// Answers pings, which are all that the server sends, until the connection ends.
async fn answer_pings(stream: &mut TcpStream) -> io::Result<()> {
    let mut head = [0; 2];
    loop {
        stream.read_exact(&mut head).await?;
        let mut pong = vec![0; usize::from(head[1])];
        stream.read_exact(&mut pong).await?;
        // A mask of zeros.
        pong.splice(..0, [0x8A, 0x80 | head[1], 0, 0, 0, 0]);
        stream.write_all(&pong).await?;
    }
}

/// Returns the resident memory of this process, in bytes.
fn resident() -> Result<usize, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1024)
}

/// Returns the CPU time of this process.
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("no name")?.1.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    // A tick is a hundredth of a second on Linux.
    Ok(Duration::from_millis(ticks * 10))
}
