//! The idle phase: a process of its own holds connections, and the memory of the server's process is measured.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use portcullis::{AllowAny, SnapshotHandle, consumer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The option by which the program is the process of the clients.
pub(crate) const HOLD: &str = "--hold";
/// How long the connections are held: longer than the interval of pings, but not longer than the busy phase.
const HELD_FOR: Duration = Duration::from_secs(30);
/// How many handshakes are in progress at the same time.
const CONCURRENT_HANDSHAKES: usize = 200;
/// How long all replies at the end may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// The first bytes of frames.
const TEXT_FRAME: u8 = 0x81;
const PING_FRAME: u8 = 0x89;
const PONG_FRAME: u8 = 0x8A;

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    pub(crate) connections: usize,
    pub(crate) open_time: Duration,
    /// The connections that were open at the beginning and at the end of the time.
    pub(crate) open: [u64; 2],
    /// The connections on which an action was answered at the end.
    pub(crate) answered: usize,
    /// Resident memory of the server's process, in bytes: before, while the connections were open, and after.
    pub(crate) resident: [usize; 3],
    /// Allocated bytes of the server's process before and after.
    pub(crate) allocated: [usize; 2],
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
    let snapshots = endpoint.snapshot_handle();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = axum::Router::new().route("/ws", endpoint.into_route());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    // What is allocated once, by the first connections.
    let mut warm_up = Holder::start(address, 8).await?;
    warm_up.finish().await?;
    wait_until_closed(&snapshots).await;
    let (before, allocated_before) = (resident()?, crate::ALLOCATED.current_usage());
    let started = Instant::now();
    let mut holder = Holder::start(address, connections).await?;
    let open_time = started.elapsed();
    let open_at_start = snapshots.snapshot().connections.open;
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
    let open = [open_at_start, snapshots.snapshot().connections.open];
    let answered = holder.finish().await?;
    wait_until_closed(&snapshots).await;
    let (after, allocated_after) = (resident()?, crate::ALLOCATED.current_usage());
    server.abort();
    Ok(Some(Idle {
        connections,
        open_time,
        open,
        answered,
        resident: [before, while_open, after],
        allocated: [allocated_before, allocated_after],
        cpu,
        held_for,
    }))
}

/// Waits until the server has noticed that its clients have gone, but at most 10 seconds.
async fn wait_until_closed(snapshots: &SnapshotHandle) {
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if snapshots.snapshot().connections.open == 0 {
            return;
        }
    }
}

/// The process that holds connections.
struct Holder {
    process: Child,
    output: ChildStdout,
}

impl Holder {
    /// Starts the process, and waits until its connections are open.
    async fn start(address: SocketAddr, connections: usize) -> Result<Holder, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([HOLD.to_owned(), address.to_string(), connections.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut output = process.stdout.take().ok_or("no output")?;
        output.read_exact(&mut [0]).await.map_err(|_| "the clients failed; is `ulimit -n` large enough?")?;
        Ok(Holder { process, output })
    }

    /// Has the process call an action on each connection, and end. Returns how many were answered.
    async fn finish(&mut self) -> Result<usize, Box<dyn Error>> {
        drop(self.process.stdin.take());
        let mut answered = String::new();
        self.output.read_to_string(&mut answered).await?;
        let status = self.process.wait().await?;
        if status.success() { Ok(answered.parse()?) } else { Err(format!("the idle clients failed: {status}").into()) }
    }
}

/// Opens connections, reports that they are open, and answers pings until its input ends. Then calls an action on each, and
/// reports how many were answered.
pub(crate) async fn hold(address: SocketAddr, count: usize) -> Result<(), Box<dyn Error>> {
    let mut connections = JoinSet::new();
    let handshakes = Arc::new(Semaphore::new(CONCURRENT_HANDSHAKES));
    let opened = Arc::new(Semaphore::new(0));
    let (end, ended) = watch::channel(false);
    for _ in 0..count {
        let permit = handshakes.clone().acquire_owned().await?;
        let (opened, ended) = (opened.clone(), ended.clone());
        connections.spawn(async move {
            let stream = open(address).await?;
            drop(permit);
            opened.add_permits(1);
            stay_idle(stream, ended).await
        });
    }
    tokio::select! {
        all = opened.acquire_many(u32::try_from(count)?) => all?.forget(),
        Some(ended) = connections.join_next() => return Err(format!("a connection ended: {ended:?}").into()),
    }
    io::stdout().write_all(b"+")?;
    io::stdout().flush()?;
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    end.send_replace(true);
    let mut answered = 0;
    while let Some(ended) = connections.join_next().await {
        match ended? {
            Ok(()) => answered += 1,
            Err(error) => eprintln!("an idle connection: {error}"),
        }
    }
    print!("{answered}");
    Ok(io::stdout().flush()?)
}

/// Answers pings until the end, then calls an action and waits for its reply.
async fn stay_idle(stream: TcpStream, mut ended: watch::Receiver<bool>) -> io::Result<()> {
    let (mut reader, writer) = stream.into_split();
    let writer = Mutex::new(writer);
    let mut reply = pin!(read_reply(&mut reader, &writer));
    tokio::select! {
        early = &mut reply => return Err(io::Error::other(format!("ended early: {early:?}"))),
        // An error means that the sender is gone.
        _ = ended.wait_for(|has_ended| *has_ended) => {}
    }
    write_frame(&writer, TEXT_FRAME, br#"{"action":"ping","request_id":1}"#).await?;
    let reply = timeout(REPLY_TIMEOUT, reply).await??;
    let expected = br#"{"errors":[],"data":null,"action":"ping","route":"","status":200,"request_id":1}"#;
    if reply == expected { Ok(()) } else { Err(io::Error::other(String::from_utf8_lossy(&reply))) }
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

/// Answers pings until a text frame arrives, and returns its payload.
async fn read_reply(reader: &mut OwnedReadHalf, writer: &Mutex<OwnedWriteHalf>) -> io::Result<Vec<u8>> {
    let mut head = [0; 2];
    loop {
        reader.read_exact(&mut head).await?;
        let mut payload = vec![0; usize::from(head[1])];
        reader.read_exact(&mut payload).await?;
        match head[0] {
            TEXT_FRAME => return Ok(payload),
            PING_FRAME => write_frame(writer, PONG_FRAME, &payload).await?,
            other => return Err(io::Error::other(format!("a frame that begins with {other:#x}"))),
        }
    }
}

/// Writes a frame of at most 125 bytes.
async fn write_frame(writer: &Mutex<OwnedWriteHalf>, first_byte: u8, payload: &[u8]) -> io::Result<()> {
    let length = u8::try_from(payload.len()).map_err(io::Error::other)?;
    // A mask of zeros.
    let mut frame = vec![first_byte, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    writer.lock().await.write_all(&frame).await
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
