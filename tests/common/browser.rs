//! Serves an example, and drives its page in a headless Chromium over the `DevTools` protocol.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::env::consts::EXE_EXTENSION;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The longest wait before a test fails: a browser on a busy machine starts slowly.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process that ends with its children when it is dropped.
pub struct Process {
    child: Child,
    /// Disconnected when no process is left that could print.
    output_open: Receiver<()>,
    /// The lines that were printed and not consumed yet.
    printed: UnboundedReceiver<String>,
}

impl Process {
    /// Starts a program, waits for a line with this prefix, and returns the rest of the line.
    pub async fn start(command: &mut Command, beginning: &str) -> (Process, String) {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (lines, mut printed) = unbounded_channel();
        let (open_output, output_open) = std::sync::mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let (lines, open_output) = (lines.clone(), open_output.clone());
            // Later output is read too, so that no pipe fills up.
            std::thread::spawn(move || {
                BufReader::new(output).lines().map_while(Result::ok).for_each(|line| drop(lines.send(line)));
                drop(open_output);
            });
        }
        drop((lines, open_output));
        let found = first(beginning, &mut printed).await;
        (Process { child, output_open, printed }, found)
    }

    /// Waits for the next line with this prefix, and returns the rest of the line.
    pub async fn line(&mut self, beginning: &str) -> String {
        first(beginning, &mut self.printed).await
    }
}

impl Process {
    /// Sends a signal, for example `STOP`.
    pub fn signal(&self, name: &str) {
        let kill = ["-c", "kill -$1 $0", &self.child.id().to_string(), name];
        assert!(Command::new("sh").args(kill).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A browser is many processes; its children end a moment after it.
        let _ = self.output_open.recv_timeout(PATIENCE);
    }
}

/// Returns the rest of the first line with this prefix.
async fn first(beginning: &str, lines: &mut UnboundedReceiver<String>) -> String {
    let mut seen = String::new();
    let search = async {
        while let Some(line) = lines.recv().await {
            if let Some(rest) = line.strip_prefix(beginning) {
                return Some(rest.to_owned());
            }
            seen += &line;
            seen.push('\n');
        }
        None
    };
    let found = timeout(PATIENCE, search).await.ok().flatten();
    found.unwrap_or_else(|| panic!("`{beginning}` was never printed, only:\n{seen}"))
}

/// A temporary directory that is removed on drop.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Directory {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("portcullis-page-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Starts a built example on a free port and returns its address.
pub async fn serve(name: &str) -> (Process, String) {
    serve_with(name, &[]).await
}

/// Starts a built example on a free port with more arguments, and returns its address.
pub async fn serve_with(name: &str, arguments: &[&str]) -> (Process, String) {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().unwrap().parent().unwrap().join("examples").join(name).with_extension(EXE_EXTENSION);
    assert!(built.is_file(), "{} is not there; build the examples first", built.display());
    Process::start(Command::new(built).args(["--port", "0"]).args(arguments), "listening on ").await
}

/// Returns the path of Chromium. Panics if it is missing on CI; elsewhere the test is skipped.
pub fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain(["/usr/bin".into()]).map(|folder| folder.join("chromium"));
    let found = places.find(|place| place.is_file());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "Chromium is not installed");
        // Not with `eprintln!`: its output is captured in a passing test.
        let notice = "\n*** SKIPPED: Chromium is not installed, so the page of an example was NOT tested ***\n";
        let _ = std::io::stderr().write_all(notice.as_bytes());
    }
    found
}

/// One page of a headless browser, driven over the `DevTools` protocol.
pub struct Browser {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    calls: u64,
    /// Messages that arrived and were not consumed yet.
    events: Vec<Value>,
    // Dropped in this order: the browser ends before its directory is removed.
    _process: Process,
    _profile: Directory,
}

impl Browser {
    pub async fn start(program: PathBuf) -> Browser {
        let profile = Directory::new();
        let mut command = Command::new(program);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg("--remote-debugging-port=0").arg(format!("--user-data-dir={}", profile.0.display()));
        let (process, address) = Process::start(&mut command, "DevTools listening on ").await;
        let (socket, _) = connect_async(address).await.unwrap();
        Browser { socket, session: None, calls: 0, events: Vec::new(), _process: process, _profile: profile }
    }

    /// Opens a page and waits until it has navigated to the address.
    pub async fn open(&mut self, address: &str) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", attach).await;
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        self.call("Page.enable", json!({})).await;
        let navigated = self.call("Page.navigate", json!({ "url": address })).await;
        assert_eq!(navigated["errorText"], Value::Null, "{navigated}");
        self.next(|event| event["method"] == "Page.frameNavigated" && event["params"]["frame"]["url"] == address).await;
    }

    /// Calls a method of the protocol and returns its result.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut message = json!({ "id": self.calls, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.socket.send(Message::text(message.to_string())).await.unwrap();
        let id = self.calls;
        let mut answer = self.next(|message| message["id"] == id).await;
        assert_eq!(answer["error"], Value::Null, "{method}: {answer}");
        answer["result"].take()
    }

    /// Returns the first message that matches, including messages that arrived before.
    pub async fn next(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.events.iter().position(&is_it) {
            return self.events.remove(at);
        }
        let search = async {
            loop {
                let frame = self.socket.next().await.expect("the browser is gone").unwrap();
                let Message::Text(text) = frame else { continue };
                let message: Value = serde_json::from_str(&text).unwrap();
                if is_it(&message) {
                    return message;
                }
                self.events.push(message);
            }
        };
        timeout(PATIENCE, search).await.expect("the browser does not answer")
    }

    /// Evaluates an expression in the page, and awaits it if it is a promise.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut outcome = self.call("Runtime.evaluate", params).await;
        assert_eq!(outcome["exceptionDetails"], Value::Null, "{expression}");
        outcome["result"]["value"].take()
    }

    /// Waits until an expression is truthy and returns its value; evaluates it at every change of the page.
    pub async fn wait_for(&mut self, expression: &str) -> Value {
        self.evaluate(&format!(
            "new Promise((resolve) => {{
                const watcher = new MutationObserver(look);
                function look() {{
                    const found = {expression};
                    if (found) {{ watcher.disconnect(); resolve(found); }}
                }}
                watcher.observe(document, {{ subtree: true, childList: true, attributes: true }});
                look();
            }})"
        ))
        .await
    }
}
