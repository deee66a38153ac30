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
use crate::transport::{CloseCode, Incoming, Transport};

/// Why the loop ended.
enum End {
    /// The client is gone, or has said that it goes.
    Gone,
    /// The client is to be told to go.
    Close(CloseCode),
}

impl From<crate::transport::Gone> for End {
    fn from(_: crate::transport::Gone) -> End {
        End::Gone
    }
}

/// Serves a connection from `#[connect]` to `#[disconnect]`.
pub(crate) async fn run<C: Consumer, T: Transport>(
    transport: T,
    consumer: Arc<C>,
    mut scope: Scope<C::User>,
    limits: Arc<Limits>,
) {
    let outbox = Outbox { transport, patience: limits.idle };
    if let Err(code) = connected(&*consumer, &mut scope, &limits).await {
        return outbox.close(code).await;
    }
    let answerer = Answerer { consumer, scope: Arc::new(scope), bounds: limits.bounds(), time: limits.action };
    let mut connection = Connection {
        outbox,
        heartbeat: Heartbeat::new(limits.ping, limits.idle),
        answerer,
        limits,
        reply: Reply::new(),
        ahead: VecDeque::new(),
    };
    let end = connection.serve().await;
    let Connection { outbox, answerer, .. } = connection;
    if let End::Close(code) = end {
        outbox.close(code).await;
    }
    let leaving = AssertUnwindSafe(answerer.consumer.disconnected(&answerer.scope)).catch_unwind();
    if deadline(answerer.time, leaving).await.is_none_or(|left| left.is_err()) {
        tracing::error!(user = %answerer.scope.user_id(), "`#[disconnect]` panicked or took too long");
    }
}

/// Runs `#[connect]`; its error says how to close.
async fn connected<C: Consumer>(consumer: &C, scope: &mut Scope<C::User>, limits: &Limits) -> Result<(), CloseCode> {
    let head = Connect::<C::User>::head();
    let connect = Connect::new(scope, &head);
    let running = AssertUnwindSafe(consumer.connected(&connect)).catch_unwind();
    let error = match deadline(limits.action, running).await {
        Some(Ok(Ok(()))) => {
            let inserted = connect.into_inserted();
            scope.extend(inserted);
            return Ok(());
        }
        Some(Ok(Err(error))) => error,
        Some(Err(panic)) => panicked(&*panic),
        None => Error::internal("`#[connect]` took too long"),
    };
    report(connect.call(), &error);
    Err(if error.is_fault() { CloseCode::Failed } else { CloseCode::Refused })
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

impl<C: Consumer, T: Transport> Connection<C, T> {
    async fn serve(&mut self) -> End {
        loop {
            if let ControlFlow::Break(end) = self.turn().await {
                return end;
            }
        }
    }

    /// Waits for something to do, and does all that is there to do before one flush.
    async fn turn(&mut self) -> ControlFlow<End> {
        let first = tokio::select! {
            biased;
            frame = self.outbox.transport.next() => frame,
            beat = self.heartbeat.beat() => return self.beat(&beat).await,
        };
        self.heartbeat.heard();
        let mut next = Some(first);
        while let Some(frame) = next {
            let Some(frame) = frame else { return ControlFlow::Break(End::Gone) };
            self.frame(frame).await?;
            next = match self.ahead.pop_front() {
                Some(frame) => Some(Some(frame)),
                None => self.outbox.transport.next().now_or_never(),
            };
        }
        self.reply.rest();
        gone(self.outbox.flush().await)
    }

    async fn beat(&mut self, beat: &Beat) -> ControlFlow<End> {
        match beat {
            Beat::Ping => gone(self.outbox.ping().await),
            Beat::GiveUp => ControlFlow::Break(End::Close(CloseCode::Idle)),
        }
    }

    async fn frame(&mut self, frame: Incoming<T::Text>) -> ControlFlow<End> {
        let answer = match frame {
            Incoming::Text(text) => self.text(&text).await?,
            Incoming::Binary => Some(self.answerer.binary(&mut self.reply)),
            Incoming::Ping => None,
            Incoming::Broken(code) => return ControlFlow::Break(End::Close(code)),
        };
        match answer {
            Some(answer) => gone(self.outbox.feed(answer).await),
            None => ControlFlow::Continue(()),
        }
    }

    /// Answers one message. Only where its action waits does anything else happen meanwhile.
    async fn text(&mut self, text: &T::Text) -> ControlFlow<End, Option<bytes::Bytes>> {
        let Connection { outbox, heartbeat, answerer, limits, reply, ahead } = self;
        let mut answering = pin!(answerer.text(text, reply));
        if let Poll::Ready(answer) = futures_util::poll!(&mut answering) {
            return ControlFlow::Continue(answer);
        }
        gone(outbox.flush().await)?;
        loop {
            tokio::select! {
                biased;
                answer = &mut answering => return ControlFlow::Continue(answer),
                frame = outbox.transport.next(), if ahead.len() < limits.read_ahead => {
                    heartbeat.heard();
                    match frame {
                        Some(Incoming::Ping) => {}
                        Some(frame) => ahead.push_back(frame),
                        None => return ControlFlow::Break(End::Gone),
                    }
                }
                beat = heartbeat.beat() => match beat {
                    Beat::Ping => gone(outbox.ping().await)?,
                    // Nobody listens while the queue is full, so silence says nothing then.
                    Beat::GiveUp if ahead.len() >= limits.read_ahead => heartbeat.heard(),
                    Beat::GiveUp => return ControlFlow::Break(End::Close(CloseCode::Idle)),
                },
            }
        }
    }
}

fn gone(sent: Result<(), crate::transport::Gone>) -> ControlFlow<End> {
    match sent {
        Ok(()) => ControlFlow::Continue(()),
        Err(gone) => ControlFlow::Break(gone.into()),
    }
}
