//! A WebSocket client by hand, for bytes that a client library would not send.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Builds a masked text frame; the mask is zero, which leaves the text unchanged.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126);
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
}

/// Connects and upgrades, for writes that contain many frames.
pub(crate) async fn connect(address: &str) -> TcpStream {
    connect_with(address, "").await
}

/// Connects and upgrades a request with a query, which begins with `?`.
pub(crate) async fn connect_with(address: &str, query: &str) -> TcpStream {
    upgrade_with(TcpStream::connect(address).await.unwrap(), query).await
}

/// Upgrades a connection.
pub(crate) async fn upgrade(stream: TcpStream) -> TcpStream {
    upgrade_with(stream, "").await
}

async fn upgrade_with(mut stream: TcpStream, query: &str) -> TcpStream {
    stream.write_all(request(query).as_bytes()).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\n") {
        response.push(stream.read_u8().await.unwrap());
    }
    assert!(response.starts_with(b"HTTP/1.1 101"));
    stream
}

/// Returns the request that opens a connection.
pub(crate) fn request(query: &str) -> String {
    format!(
        "GET /ws{query} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// Reads a frame of the server. Returns its first byte, and its payload.
pub(crate) async fn read_frame(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let (first, length) = (stream.read_u8().await?, stream.read_u8().await?);
    let length = match length {
        126 => stream.read_u16().await?.into(),
        127 => usize::try_from(stream.read_u64().await?).unwrap(),
        length => length.into(),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await?;
    Ok((first, payload))
}
