//! The end of a connection whose actions are not done. No body is dropped between its effects: what has begun runs on, within
//! its time limit, and what it publishes goes out. If the peer has ended the connection, the messages that were read before
//! begin too, in order; if the server has, nothing more begins. Replies are dropped. The deadline of a drain alone drops bodies
//! that still run.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::Instant;

use super::completion::Completion;
use super::event_loop::EventLoop;
use super::io::ConnectionIo;
use super::run::Connection;
use crate::consumer::Consumer;
use crate::dispatch::{Admission, Dispatcher, Outcome};
use crate::message::Reply;
use crate::panic::{drop_contained, log_entry};
use crate::session::DrainPhase;
use crate::time::deadline;
use crate::transport::{ConnectionEnd, FrameText, Incoming, Transport};

/// How long the connection waits for detached tasks after their time limit. They time out first, because they know what was
/// still running.
const DETACHED_GRACE_PERIOD: Duration = Duration::from_millis(200);

impl<C: Consumer> EventLoop<C> {
    /// Processes events until `body`, the dispatch of a message, is ready. If the connection ends before, the body runs on
    /// and what it has published goes out, unless it is dropped at the deadline of a drain.
    pub(super) async fn drive_body<T: Transport, F: Future<Output = Outcome>>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        dispatcher: &Dispatcher<C>,
        mut body: Pin<&mut F>,
    ) -> Result<Outcome, ConnectionEnd> {
        let end = match self.drive_until(io, dispatcher, body.as_mut()).await {
            Ok(outcome) => return Ok(outcome),
            Err(end) => end,
        };
        self.end(io, dispatcher, end);
        let drain = &dispatcher.session.registry.drain;
        let lingered = drain.run_until(DrainPhase::CuttingActions, self.linger_until(io, body)).await;
        let Some(outcome) = lingered else {
            self.is_cut = true;
            return Err(end);
        };
        if let Outcome::Authenticated { is_renewed: true, .. } = outcome {
            self.update_expiry(io, dispatcher);
        }
        Completion::new(outcome, &mut Reply::new(), dispatcher).complete_without_reply(dispatcher);
        Err(end)
    }

    /// Ends the connection, and counts its session as lingering if messages are still to begin.
    fn end<T: Transport>(&mut self, io: &mut ConnectionIo<C, T>, dispatcher: &Dispatcher<C>, end: ConnectionEnd) {
        io.end(end);
        let authentications = self.detached.take_queued_authentications().map(Incoming::Text);
        for authentication in authentications.rev() {
            // They do not wait for messages in front of them.
            self.read_ahead.push_front(authentication);
        }
        match end {
            ConnectionEnd::Close(_) | ConnectionEnd::ClosedByAction(_) => self.read_ahead.clear(),
            ConnectionEnd::PeerGone if self.read_ahead.is_empty() => {}
            ConnectionEnd::PeerGone => dispatcher.session.linger(self.max_lingering),
        }
    }

    /// Waits for `work` after the connection has ended. The closing handshake makes progress, and detached actions complete.
    async fn linger_until<T: Transport, F: Future>(
        &mut self,
        io: &mut ConnectionIo<C, T>,
        mut work: Pin<&mut F>,
    ) -> F::Output {
        poll_fn(|cx| {
            let _ = io.link.poll_closed(cx);
            let _ = self.detached.poll_ended(cx);
            work.as_mut().poll(cx)
        })
        .await
    }
}

impl<C: Consumer, T: Transport> Connection<C, T> {
    /// Ends the connection, begins the messages that were read before if the peer has ended it, and waits for the last action
    /// to end.
    pub(super) async fn linger(&mut self, end: ConnectionEnd) {
        self.event_loop.end(&mut self.io, &self.dispatcher, end);
        drop_contained(self.reply.take_stream());
        let action_timeout = self.dispatcher.action_timeout;
        while let Some(frame) = self.event_loop.read_ahead.pop_front() {
            match frame {
                Incoming::Text(text) => self.linger_for_message(&text, action_timeout).await,
                Incoming::Binary | Incoming::Ping | Incoming::Pong | Incoming::Excess(_) | Incoming::Broken(_) => {}
            }
        }
        let max_timeout = C::DESCRIPTOR.max_timeout().unwrap_or_default();
        let remaining = self.remaining(action_timeout.max(max_timeout)).saturating_add(DETACHED_GRACE_PERIOD);
        let Connection { io, event_loop, .. } = self;
        let ended = poll_fn(|cx| {
            let _ = io.link.poll_closed(cx);
            event_loop.detached.poll_ended(cx)
        });
        if deadline(remaining, ended).await.is_none() {
            log_entry!(ERROR, "detached tasks exceeded the action timeout");
        }
    }

    /// Processes a message after the peer has ended the connection, unless nothing more may begin.
    async fn linger_for_message(&mut self, text: &FrameText, action_timeout: Duration) {
        let Connection { io, dispatcher, event_loop, .. } = self;
        if dispatcher.session.pacer.is_held() {
            event_loop.linger_until(io, pin!(dispatcher.session.pacer.ready())).await;
        }
        let remaining = self.remaining(action_timeout);
        let Connection { io, dispatcher, reply, event_loop, .. } = self;
        if dispatcher.session.send_queue.start_gate().is_closed() || io.check_open().is_err() || remaining.is_zero() {
            return event_loop.read_ahead.clear();
        }
        (dispatcher.action_timeout, dispatcher.is_remaining_time) = (remaining, true);
        // The message before this one may have been cancelled.
        dispatcher.renew_cancellation();
        let mut outcome = event_loop.linger_until(io, pin!(dispatcher.dispatch(text, reply))).await;
        let mut _slot = None;
        if let Outcome::NeedsSlots(need) = outcome
            && let Ok(slot) = event_loop.detached.slots.take(need, None)
        {
            let admitted = dispatcher.with_admission(Admission::Admitted);
            if need.is_detached {
                return event_loop.detached.detach(admitted, text, slot);
            }
            _slot = Some(slot);
            outcome = event_loop.linger_until(io, pin!(admitted.dispatch(text, reply))).await;
        }
        if let Outcome::Authenticated { is_renewed: true, .. } = outcome {
            event_loop.update_expiry(io, dispatcher);
        }
        if let Outcome::Cancel = outcome {
            event_loop.cancel(dispatcher, text, reply);
        }
        Completion::new(outcome, reply, dispatcher).complete_without_reply(dispatcher);
        // Messages that are ready at once must not starve other tasks.
        tokio::task::yield_now().await;
    }

    /// Returns the rest of the time that all actions together have after the end of the connection.
    fn remaining(&self, action_timeout: Duration) -> Duration {
        let elapsed = self.io.link.ended_at().map_or(Duration::ZERO, |ended_at| Instant::now() - ended_at);
        action_timeout.saturating_sub(elapsed)
    }
}
