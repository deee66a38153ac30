//! The loop of one connection: one message at a time, in order, while pings are sent and answered beside it.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::{FutureExt, StreamExt};

use super::heartbeat::{Beat, Heartbeat};
use super::limits::Limits;
use super::outbox::Outbox;
use crate::consumer::Consumer;
use crate::error::Error;
use crate::message::Reply;
use crate::router::{Answerer, deadline, panicked, report};
use crate::scope::{Connect, Scope};
use crate::transport::{CloseCode, Gone, Incoming, Transport};

/// Why the loop ended.
enum End {
    /// The client is gone, or has said that it goes.
    Gone,
    /// The client is to be told to go.
    Close(CloseCode),
}

impl From<Gone> for End {
    fn from(_: Gone) -> End {
        End::Gone
    }
}

struct Connection<C: Consumer, T: Transport> {
    outbox: Outbox<T>,
    heartbeat: Heartbeat,
    answerer: Answerer<C>,
    limits: Arc<Limits>,
    reply: Reply,
    /// What came in while an action was running.
    ahead: VecDeque<Incoming<T::Text>>,
}

/// Serves a connection from `#[connect]` to `#[disconnect]`.
///
/// An idle connection is as large as this future. So nothing is moved within it, and what happens once is boxed.
pub(crate) fn run<C: Consumer, T: Transport>(
    transport: T,
    consumer: Arc<C>,
    scope: Arc<Scope<C::User>>,
    limits: Arc<Limits>,
) -> impl Future<Output = ()> + Send {
    let mut connection = Connection {
        outbox: Outbox::new(transport, limits.idle),
        heartbeat: Heartbeat::new(limits.ping, limits.idle),
        answerer: Answerer { consumer, scope, bounds: limits.bounds(), time: limits.action },
        limits,
        reply: Reply::new(),
        ahead: VecDeque::new(),
    };
    async move {
        if let Err(code) = Box::pin(connection.connected()).await {
            return Box::pin(connection.outbox.close(code)).await;
        }
        connection.heartbeat.heard();
        match AssertUnwindSafe(connection.serve()).catch_unwind().await {
            Ok(End::Gone) => Box::pin(connection.outbox.part()).await,
            Ok(End::Close(code)) => Box::pin(connection.outbox.close(code)).await,
            Err(panic) => {
                tracing::error!(cause = ?panicked(&*panic), "a connection panicked");
                Box::pin(connection.outbox.close(CloseCode::Failed)).await;
            }
        }
        Box::pin(connection.disconnected()).await;
    }
}

impl<C: Consumer, T: Transport> Connection<C, T> {
    /// Runs `#[connect]`; its error says how to close.
    async fn connected(&mut self) -> Result<(), CloseCode> {
        let Answerer { consumer, scope, time, .. } = &mut self.answerer;
        let head = Connect::<C::User>::head();
        let connect = Connect::new(scope, &head);
        let running = AssertUnwindSafe(consumer.connected(&connect)).catch_unwind();
        let error = match deadline(*time, running).await {
            Some(Ok(Ok(()))) => {
                let inserted = connect.into_inserted();
                // Nobody else has the scope yet.
                if let Some(scope) = Arc::get_mut(scope) {
                    scope.extend(inserted);
                }
                return Ok(());
            }
            Some(Ok(Err(error))) => error,
            Some(Err(panic)) => panicked(&*panic),
            None => Error::internal("`#[connect]` took too long"),
        };
        report(connect.call(), &error);
        Err(if error.is_fault() { CloseCode::Failed } else { CloseCode::Refused })
    }

    /// Runs `#[disconnect]`.
    async fn disconnected(&mut self) {
        let Answerer { consumer, scope, time, .. } = &self.answerer;
        let leaving = AssertUnwindSafe(consumer.disconnected(scope)).catch_unwind();
        if deadline(*time, leaving).await.is_none_or(|left| left.is_err()) {
            tracing::error!("`#[disconnect]` panicked or took too long");
        }
    }

    async fn serve(&mut self) -> End {
        loop {
            if let ControlFlow::Break(end) = self.turn().await {
                return end;
            }
        }
    }

    /// Waits for something to do, and does all that is there to do before one flush.
    async fn turn(&mut self) -> ControlFlow<End> {
        let mut next = tokio::select! {
            biased;
            frame = self.outbox.transport.next() => frame,
            beat = self.heartbeat.beat() => return self.beat(&beat).await,
        };
        self.heartbeat.heard();
        loop {
            match next {
                Some(Incoming::Text(text)) => self.text(&text).await?,
                Some(Incoming::Binary) => {
                    Answerer::<C>::binary(&mut self.reply);
                    gone(self.outbox.feed(self.reply.take()).await)?;
                }
                Some(Incoming::Ping) => {}
                Some(Incoming::Broken(code)) => return ControlFlow::Break(End::Close(code)),
                None => return ControlFlow::Break(End::Gone),
            }
            next = match self.ahead.pop_front() {
                Some(frame) => Some(frame),
                None => match self.outbox.transport.next().now_or_never() {
                    Some(frame) => frame,
                    None => break,
                },
            };
        }
        self.reply.rest();
        gone(self.outbox.flush().await)
    }

    async fn beat(&mut self, beat: &Beat) -> ControlFlow<End> {
        match beat {
            Beat::Ping => {
                gone(self.outbox.ping())?;
                gone(self.outbox.flush().await)
            }
            Beat::GiveUp => ControlFlow::Break(End::Close(CloseCode::Idle)),
        }
    }

    /// Answers one message.
    async fn text(&mut self, text: &T::Text) -> ControlFlow<End> {
        if self.answered(text).await? {
            gone(self.outbox.feed(self.reply.take()).await)?;
        }
        ControlFlow::Continue(())
    }

    /// Writes the reply to one message. Only where its action waits does anything else happen meanwhile.
    async fn answered(&mut self, text: &T::Text) -> ControlFlow<End, bool> {
        let Connection { outbox, heartbeat, answerer, limits, reply, ahead } = self;
        let mut answering = pin!(answerer.text(text, reply));
        if let Poll::Ready(answered) = futures_util::poll!(&mut answering) {
            return ControlFlow::Continue(answered);
        }
        loop {
            // Nothing comes after what cannot be read, so it is not to be taken for the end.
            let reading = ahead.len() < limits.read_ahead && !matches!(ahead.back(), Some(Incoming::Broken(_)));
            tokio::select! {
                biased;
                answered = &mut answering => return ControlFlow::Continue(answered),
                frame = outbox.next(reading) => {
                    heartbeat.heard();
                    match frame {
                        Ok(Some(Incoming::Ping)) => {}
                        Ok(Some(frame)) => ahead.push_back(frame),
                        Ok(None) | Err(Gone) => return ControlFlow::Break(End::Gone),
                    }
                }
                beat = heartbeat.beat() => match beat {
                    Beat::Ping => gone(outbox.ping())?,
                    // Nobody listens, so silence says nothing.
                    Beat::GiveUp if !reading => heartbeat.heard(),
                    Beat::GiveUp => return ControlFlow::Break(End::Close(CloseCode::Idle)),
                },
            }
        }
    }
}

fn gone(sent: Result<(), Gone>) -> ControlFlow<End> {
    match sent {
        Ok(()) => ControlFlow::Continue(()),
        Err(gone) => ControlFlow::Break(gone.into()),
    }
}
