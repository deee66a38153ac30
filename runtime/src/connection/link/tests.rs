use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::Stream;
use tokio::time::{Sleep, sleep};

use super::*;
use crate::panic::catch_unwind_future;
use crate::transport::CloseReason;

/// A transport whose client takes the frames when `taken` is over.
struct SlowTransport {
    taken: Pin<Box<Sleep>>,
    /// The codes of the close frames that were fed.
    closed: Arc<Mutex<Vec<u16>>>,
}

impl Stream for SlowTransport {
    type Item = Incoming;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Incoming>> {
        Poll::Ready(None)
    }
}

impl Transport for SlowTransport {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, frame: Outgoing<'_>) -> Result<(), Gone> {
        if let Outgoing::Close(frame) = frame {
            self.closed.lock().unwrap().push(frame.code);
        }
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.taken.as_mut().poll(cx).map(Ok)
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn close_frame_follows_frames_that_are_flushed_in_time() {
    for (flush_seconds, closed_after, is_closed) in [(10, 10, true), (70, 60, false)] {
        let (closed, before) = (Arc::<Mutex<_>>::default(), Instant::now());
        let taken = Box::pin(sleep(Duration::from_secs(flush_seconds)));
        let mut link = Link::Open(SlowTransport { taken, closed: closed.clone() }, None);
        let frame = CloseFrame { code: 4000, text: "goodbye".into() };
        link.close_when_flushed(frame, Duration::from_mins(1));
        poll_fn(|cx| link.poll_closed(cx)).await;
        assert_eq!(before.elapsed().as_secs(), closed_after);
        assert_eq!(closed.lock().unwrap().len(), usize::from(is_closed));
    }
}

/// A transport that cannot be flushed: the stream panics.
struct PanickingTransport;

impl Stream for PanickingTransport {
    type Item = Incoming;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Incoming>> {
        Poll::Ready(None)
    }
}

impl Transport for PanickingTransport {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, _: Outgoing<'_>) -> Result<(), Gone> {
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        panic!("flush")
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        panic!("close")
    }
}

#[tokio::test]
async fn closing_handshake_has_ended_after_a_panic_of_the_stream() {
    for end in [ConnectionEnd::PeerGone, ConnectionEnd::Close(CloseReason::Idle)] {
        let mut link = Link::Open(PanickingTransport, None);
        link.end(end);
        assert!(catch_unwind_future(poll_fn(|cx| link.poll_closed(cx))).await.is_err());
        poll_fn(|cx| link.poll_closed(cx)).await;
    }
}
