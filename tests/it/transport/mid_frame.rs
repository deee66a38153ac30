//! Clients that disappear in the middle of a frame: of one that they send, or of one that is sent to them. The other members
//! of their group miss nothing.

use portcullis::{DisconnectReason, OverflowPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::page_feed::{Member, Page, Readers, Server};
use crate::common::raw_socket;

/// How a client disappears.
#[derive(Debug, Clone, Copy)]
enum Death {
    /// The process ends: the kernel sends a FIN, or a RST if something was not read.
    Close,
    /// The kernel sends a FIN, and the client goes on to hold the socket.
    HalfClose,
    Reset,
}

const DEATHS: [Death; 3] = [Death::Close, Death::HalfClose, Death::Reset];

impl Death {
    /// Lets the client disappear. Returns its socket if the client keeps it.
    async fn strike(self, mut stream: TcpStream) -> Option<TcpStream> {
        match self {
            Death::Close => None,
            Death::HalfClose => {
                stream.shutdown().await.unwrap();
                Some(stream)
            }
            Death::Reset => {
                stream.set_zero_linger().unwrap();
                None
            }
        }
    }
}

#[tokio::test]
async fn client_gone_within_a_frame_that_it_sends_harms_no_other_member() {
    let mut server = Server::new(256, OverflowPolicy::Close);
    let address = server.serve().await;
    let mut others = [Member::open(&address).await, Member::open(&address).await];
    let long = [&[0x81, 0xFE, 0xFF, 0xFF, 1, 2, 3, 4][..], &vec![b'x'; 40_000]].concat();
    let cut_frames: [&[u8]; 6] = [
        &[0x81],
        &[0x81, 0xFE, 1],
        &[0x81, 0x85, 1, 2],
        &raw_socket::frame(r#"{"action":"ping"}"#)[..10],
        // A fragment, and a part of the next one.
        &[0x01, 0x81, 0, 0, 0, 0, b'x', 0x80, 0x83, 0, 0, 0, 0, b'x'],
        &long,
    ];
    let mut number = 0;
    for death in DEATHS {
        for cut_frame in cut_frames {
            let mut leaving = Member::open(&address).await;
            server.publisher.publish(&Readers, Page(number, 100));
            leaving.0.write_all(cut_frame).await.unwrap();
            server.publisher.publish(&Readers, Page(number + 1, 100));
            let _held = death.strike(leaving.0).await;
            server.publisher.publish(&Readers, Page(number + 2, 100));
            assert_eq!(server.ended().await, DisconnectReason::PeerGone, "{death:?}, {cut_frame:?}");
            assert_eq!(server.members(), others.len());
            for other in &mut others {
                other.expect_pages(number..number + 3).await;
            }
            number += 3;
        }
    }
}

/// Connects with a small receive buffer, so that a large frame is sent in many parts.
async fn connect_with_small_buffer(address: &str) -> Member {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(address.parse().unwrap()).await.unwrap();
    Member::joined(raw_socket::upgrade(stream).await).await
}

#[tokio::test]
async fn client_gone_within_a_frame_that_is_sent_to_it_harms_no_other_member() {
    // The largest event of the default limits, and more of them than the buffers of a socket hold.
    const PAGE_BYTES: usize = 1000 * 1024;
    const PAGES: usize = 8;
    let mut server = Server::new(256, OverflowPolicy::Close);
    let address = server.serve().await;
    let mut others = [Member::open(&address).await, Member::open(&address).await];
    // A FIN is not noticed while the connection waits for the client to read: the send timeout ends it.
    for death in [Death::Close, Death::Reset] {
        for is_reading in [false, true] {
            let mut leaving = connect_with_small_buffer(&address).await;
            for number in 0..PAGES {
                server.publisher.publish(&Readers, Page(number, PAGE_BYTES));
            }
            for other in &mut others {
                other.expect_pages(0..PAGES).await;
            }
            if is_reading {
                // A part of the first frame.
                leaving.0.read_exact(&mut [0; 10_000]).await.unwrap();
            }
            assert_eq!(server.members(), 3, "the frames wait for the client");
            let _held = death.strike(leaving.0).await;
            for number in PAGES..PAGES + 3 {
                server.publisher.publish(&Readers, Page(number, 100));
            }
            assert_eq!(server.ended().await, DisconnectReason::PeerGone, "{death:?}, {is_reading}");
            assert_eq!(server.members(), others.len());
            for other in &mut others {
                other.expect_pages(PAGES..PAGES + 3).await;
            }
        }
    }
}
