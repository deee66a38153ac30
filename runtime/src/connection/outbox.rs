//! Frames on their way out: fed one by one, flushed together, and never waited for without end.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};

use crate::router::deadline;
use crate::transport::{CloseCode, Gone, Outgoing, Transport};

/// How long a client may take to answer a close, so that it reads the code before the socket is gone.
const GOODBYE: Duration = Duration::from_secs(2);

/// The sending side of a connection. It gives up on a client that does not take what is sent to it.
pub(super) struct Outbox<T> {
    pub(super) transport: T,
    pub(super) patience: Duration,
}

impl<T: Transport> Outbox<T> {
    pub(super) async fn feed(&mut self, text: Bytes) -> Result<(), Gone> {
        let room = poll_fn(|cx| self.transport.poll_ready_unpin(cx));
        deadline(self.patience, room).await.ok_or(Gone)??;
        self.transport.start_send_unpin(Outgoing::Text(text))
    }

    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        deadline(self.patience, self.transport.flush()).await.ok_or(Gone)?
    }

    pub(super) async fn ping(&mut self) -> Result<(), Gone> {
        deadline(self.patience, self.transport.send(Outgoing::Ping)).await.ok_or(Gone)?
    }

    /// Says why, and reads on for a moment: bytes that nobody reads would reset the connection under the reason.
    pub(super) async fn close(&mut self, code: CloseCode) {
        let goodbye = async {
            if self.transport.send(Outgoing::Close(code)).await.is_ok() {
                while self.transport.next().await.is_some() {}
            }
        };
        let _ = deadline(GOODBYE, goodbye).await;
    }
}
