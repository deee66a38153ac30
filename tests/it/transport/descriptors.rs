//! File descriptors and sessions of connections that end in every way, at a low limit of descriptors.

use std::process::Command;
use std::time::Duration;

use axum::Router;
use portcullis::OverflowPolicy;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::page_feed::{Member, Page, Readers, Server};
use crate::common::raw_socket;

/// Set in the process that counts its descriptors: the number of connections.
const CONNECTS: &str = "PORTCULLIS_CONNECTS";
/// `PORTCULLIS_CONNECTS=21000` in the environment of the test makes this many, which takes longer.
const DEFAULT_CONNECTS: &str = "2100";
/// How many connections are open at once. Each has two descriptors, because server and clients are one process.
const BATCH: usize = 210;

/// Runs the test below in a process of its own, in which no other test opens descriptors.
#[test]
fn connections_that_have_ended_leave_no_descriptor_and_no_session() {
    let name = "transport::descriptors::connections_end_in_every_way";
    let test = std::env::current_exe().unwrap();
    let status = Command::new("sh")
        .args(["-c", r#"ulimit -n 600; exec "$0" "$1" --exact --ignored --nocapture"#])
        .arg(test)
        .arg(name)
        .env(CONNECTS, std::env::var(CONNECTS).unwrap_or_else(|_| DEFAULT_CONNECTS.to_owned()))
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Opens a connection that ends in one of many ways. `None` if the client has ended it before it was open.
async fn open(address: &str, number: usize) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = raw_socket::request("");
    match number % 7 {
        // Half a request.
        0 => {
            stream.write_all(&request.as_bytes()[..60]).await.unwrap();
            None
        }
        // Gone before the response.
        1 => {
            stream.write_all(request.as_bytes()).await.unwrap();
            None
        }
        // A frame in the same packet as the request.
        2 => {
            stream.write_all(&[request.as_bytes(), &raw_socket::frame(r#"{"action":"ping"}"#)].concat()).await.unwrap();
            None
        }
        _ => Some(Member::joined(raw_socket::upgrade(stream).await).await.0),
    }
}

/// Ends a member that has events to read.
async fn end(mut stream: TcpStream, number: usize) {
    match number % 7 {
        // Cut off within a frame, with a FIN or a RST.
        3 => stream.write_all(&raw_socket::frame(r#"{"action":"ping"}"#)[..9]).await.unwrap(),
        4 => {
            stream.write_all(&[0x81, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0, b'x']).await.unwrap();
            stream.set_zero_linger().unwrap();
        }
        // Has read nothing.
        5 => stream.set_zero_linger().unwrap(),
        // Violates the protocol, and reads up to the close frame.
        _ => {
            stream.write_all(&[0x83, 0x80, 0, 0, 0, 0]).await.unwrap();
            while raw_socket::read_frame(&mut stream).await.unwrap().0 != 0x88 {}
        }
    }
}

/// Serves the endpoint. The sockets hold little, so that events wait for clients that do not read.
fn serve(server: &Server) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(4096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1024).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = Router::new().route("/ws", server.endpoint.clone().into_route());
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Makes this many connections, and waits until all have ended.
async fn connect(server: &mut Server, address: &str, count: usize) {
    let mut members = Vec::new();
    let mut joined = 0;
    for number in 0..count {
        if let Some(stream) = open(address, number).await {
            members.push((stream, number));
            joined += 1;
        }
        if members.len() >= BATCH / 2 || number + 1 == count {
            for page in 0..3 {
                server.publisher.publish(&Readers, Page(page, 100_000));
            }
            for (stream, number) in members.drain(..) {
                end(stream, number).await;
            }
            while joined > 0 {
                server.ended().await;
                joined -= 1;
            }
        }
    }
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own"]
async fn connections_end_in_every_way() {
    let connects: usize = std::env::var(CONNECTS).unwrap().parse().unwrap();
    let mut server = Server::new(256, OverflowPolicy::Close);
    let address = serve(&server);
    // What the process opens once, for example for the time zone or random numbers.
    connect(&mut server, &address, 14).await;
    let settled = async |wanted| {
        while open_descriptors() > wanted {
            yield_now().await;
        }
    };
    let at_start = open_descriptors();
    connect(&mut server, &address, connects).await;
    let outcome = timeout(Duration::from_mins(1), settled(at_start)).await;
    assert!(outcome.is_ok(), "{} descriptors are open, and {at_start} were before", open_descriptors());
    assert_eq!(server.members(), 0);
    assert!(server.endpoint.connections().refresh_all().revalidated().await.is_acknowledged());
}
