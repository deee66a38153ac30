//! An echo over the transport, for the conformance tests: binary messages have no other way through it.

use std::future::poll_fn;
use std::time::Duration;

use tokio::time::timeout;

use super::super::codec::BINARY;
use super::*;

/// Sends every message back until the connection ends.
pub(crate) async fn echo<S>(mut transport: WebSocketTransport<S>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    while let Some(decoded) = poll_fn(|cx| transport.poll_decoded(cx)).await {
        match decoded {
            Ok(Decoded::Text(text)) => transport.send_back(TEXT, text.as_bytes()),
            Ok(Decoded::Binary(payload)) => transport.send_back(BINARY, &payload),
            Ok(other) => {
                transport.receive(other);
            }
            Err(reason) => {
                transport.push_close(Some(reason.as_u16()), "");
                break;
            }
        }
        if poll_fn(|cx| transport.poll_flush(cx)).await.is_err() {
            return;
        }
    }
    if poll_fn(|cx| transport.poll_close(cx)).await.is_ok() {
        // Unread bytes would reset the connection before the client has read the close frame.
        let _ = timeout(Duration::from_secs(2), poll_fn(|cx| transport.poll_decoded(cx))).await;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> WebSocketTransport<S> {
    fn send_back(&mut self, opcode: u8, payload: &[u8]) {
        self.prepare_output();
        encode(opcode, payload, &mut self.output);
    }
}
