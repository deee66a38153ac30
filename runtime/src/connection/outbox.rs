//! Frames on their way out: fed one by one, flushed together, and never waited for without end.

use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};

use crate::router::deadline;
use crate::transport::{CloseCode, Gone, Incoming, Outgoing, Transport};

/// How long a client may take to answer a close, so that it reads the code before the socket is gone.
const GOODBYE: Duration = Duration::from_secs(2);

/// The sending side of a connection. It gives up on a client that does not take what is sent to it.
pub(super) struct Outbox<T> {
    pub(super) transport: T,
    patience: Duration,
    /// Whether something was fed that is not flushed yet.
    unsent: bool,
    /// Whether a ping could not be sent for what the client had not taken yet.
    skipped: bool,
}

impl<T: Transport> Outbox<T> {
    pub(super) fn new(transport: T, patience: Duration) -> Outbox<T> {
        Outbox { transport, patience, unsent: false, skipped: false }
    }

    pub(super) async fn feed(&mut self, text: Bytes) -> Result<(), Gone> {
        let room = poll_fn(|cx| self.transport.poll_ready_unpin(cx));
        deadline(self.patience, room).await.ok_or(Gone)??;
        self.unsent = true;
        self.transport.start_send_unpin(Outgoing::Text(text))
    }

    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        deadline(self.patience, self.transport.flush()).await.ok_or(Gone)??;
        self.unsent = false;
        Ok(())
    }

    /// Feeds a ping, unless the client does not even take what it has been sent before.
    pub(super) fn ping(&mut self) -> Result<(), Gone> {
        let Some(ready) = poll_fn(|cx| self.transport.poll_ready_unpin(cx)).now_or_never() else {
            self.skipped = true;
            return Ok(());
        };
        ready?;
        self.unsent = true;
        self.transport.start_send_unpin(Outgoing::Ping)
    }

    /// Whether the client has taken everything since it last could not be asked for a sign of life.
    pub(super) fn caught_up(&mut self) -> bool {
        !self.unsent && std::mem::take(&mut self.skipped)
    }

    /// The next frame, while what was fed goes out beside. Without `reading` no frame comes. Cancel-safe.
    pub(super) async fn next(&mut self, reading: bool) -> Result<Option<Incoming<T::Text>>, Gone> {
        poll_fn(|cx| {
            if self.unsent && self.transport.poll_flush_unpin(cx)?.is_ready() {
                self.unsent = false;
            }
            if reading { self.transport.poll_next_unpin(cx).map(Ok) } else { Poll::Pending }
        })
        .await
    }

    /// Sends what is left to a client that has said that it goes, the answer to that included.
    pub(super) async fn part(&mut self) {
        let _ = deadline(GOODBYE, self.transport.flush()).await;
    }

    /// Says why, and stays for a moment: bytes that nobody reads would reset the connection under the reason.
    pub(super) async fn close(&mut self, code: CloseCode) {
        let goodbye = async {
            if self.transport.send(Outgoing::Close(code)).await.is_ok() {
                while self.transport.next().await.is_some() {}
                // After what cannot be read nothing more is read, so that the client's own end is not seen.
                if code.is_unreadable() {
                    pending::<()>().await;
                }
            }
        };
        let _ = deadline(GOODBYE, goodbye).await;
    }
}
