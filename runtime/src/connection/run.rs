//! The loop of one connection: one message at a time, in order, while pings are sent and answered beside it.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use futures_util::{FutureExt, StreamExt};

use super::heartbeat::{Beat, Heartbeat};
use super::limits::Limits;
use super::outbox::{Lost, Next, Outbox};
use crate::consumer::Consumer;
use crate::error::Error;
use crate::group::Seat;
use crate::message::{self, Effect, Reply, Request, Values};
use crate::router::{Answerer, Value, deadline, panicked, report};
use crate::scope::{Connect, Scope};
use crate::transport::{CloseCode, Incoming, Transport};

/// Why the loop ended.
enum End {
    /// The client is gone, or has said that it goes.
    Gone,
    /// The client is to be told to go.
    Close(CloseCode),
}

impl From<Lost> for End {
    fn from(lost: Lost) -> End {
        match lost {
            Lost::Gone => End::Gone,
            Lost::Ended(code) => End::Close(code),
        }
    }
}

/// Takes a connection out of its groups, on whatever way it ends.
struct Leaving<C: Consumer>(Arc<Seat<C>>);

impl<C: Consumer> Drop for Leaving<C> {
    fn drop(&mut self) {
        self.0.leave_all();
    }
}

struct Connection<C: Consumer, T: Transport> {
    outbox: Outbox<C, T>,
    answerer: Answerer<C>,
    reply: Reply,
    aside: Aside<T::Text>,
}

/// Serves a connection from `#[connect]` to `#[disconnect]`.
///
/// `asked_at` counts the changes of what people may do that there had been when the door began to ask.
///
/// An idle connection is as large as this future. So nothing is moved within it, and what happens once is boxed.
pub(crate) fn run<C: Consumer, T: Transport>(
    transport: T,
    seat: Arc<Seat<C>>,
    asked_at: u64,
    scope: Arc<Scope<C::User>>,
    limits: &Limits,
) -> impl Future<Output = ()> + Send + use<C, T> {
    let mut connection = Connection {
        outbox: Outbox::new(transport, seat.mailbox.clone(), limits.idle),
        answerer: Answerer { seat: seat.clone(), scope, bounds: limits.bounds(), time: limits.action, blocking: false },
        reply: Reply::new(),
        aside: Aside {
            heartbeat: Heartbeat::new(limits.ping, limits.idle),
            ahead: VecDeque::new(),
            most: limits.read_ahead,
            streaming: false,
        },
    };
    let leaving = Leaving(seat);
    async move {
        let connected = AssertUnwindSafe(Box::pin(connection.connected(asked_at))).catch_unwind().await;
        let connected = connected.unwrap_or_else(|panic| {
            tracing::error!(cause = ?panicked(&*panic), "a connection panicked");
            Err(CloseCode::Failed)
        });
        if let Err(code) = connected {
            drop(leaving);
            return Box::pin(connection.outbox.close(code)).await;
        }
        connection.aside.heartbeat.heard();
        let served = AssertUnwindSafe(connection.serve()).catch_unwind().await;
        // Before the goodbye, which takes a while.
        drop(leaving);
        match served {
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
    async fn connected(&mut self, asked_at: u64) -> Result<(), CloseCode> {
        let Answerer { seat, scope, time, .. } = &mut self.answerer;
        let head = Connect::<C::User>::head();
        let connect = Connect::new(scope, &head).with_seat(&*seat);
        let running = AssertUnwindSafe(seat.consumer().connected(&connect)).catch_unwind();
        let error = match deadline(*time, running).await {
            Some(Ok(Ok(()))) => {
                let (inserted, effects) = connect.into_outcome();
                // Nobody else has the scope yet.
                if let Some(scope) = Arc::get_mut(scope) {
                    scope.extend(inserted);
                }
                seat.take(scope);
                message::after(effects);
                seat.catch_up_with(asked_at).await;
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
        let Answerer { seat, scope, time, .. } = &self.answerer;
        let leaving = AssertUnwindSafe(seat.consumer().disconnected(scope)).catch_unwind();
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
            next = self.outbox.next(true) => match gone(next)? {
                Next::Frame(frame) => frame,
                Next::Event => {
                    gone(self.outbox.deliver().await)?;
                    return gone(self.outbox.flush().await);
                }
            },
            beat = self.aside.heartbeat.beat() => return self.beat(&beat).await,
        };
        self.aside.heartbeat.heard();
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
            next = match self.aside.ahead.pop_front() {
                Some(frame) => Some(frame),
                None => match self.outbox.transport.next().now_or_never() {
                    Some(frame) => frame,
                    None => break,
                },
            };
        }
        self.reply.rest();
        if self.outbox.has_events() {
            gone(self.outbox.deliver().await)?;
        }
        gone(self.outbox.flush().await)?;
        // What came in the meantime was heard too, and while it was answered nobody asked.
        self.aside.heartbeat.heard();
        ControlFlow::Continue(())
    }

    async fn beat(&mut self, beat: &Beat) -> ControlFlow<End> {
        match beat {
            Beat::Ping => {
                gone(self.outbox.ping().map_err(Lost::from))?;
                gone(self.outbox.flush().await)
            }
            Beat::GiveUp => ControlFlow::Break(End::Close(CloseCode::Idle)),
        }
    }

    /// Answers one message.
    async fn text(&mut self, text: &T::Text) -> ControlFlow<End> {
        // Before the checks: what changes after them is seen by a stream that they let through.
        let epoch = self.answerer.seat.mailbox.epoch();
        let replied = self.answered(text).await?;
        let (values, effects) = (self.reply.take_values(), self.reply.take_effects());
        match values {
            Some(values) => Box::pin(self.stream(text, values, epoch, effects)).await,
            None if effects.is_empty() => {
                if replied {
                    gone(self.outbox.feed(self.reply.take()).await)?;
                }
                ControlFlow::Continue(())
            }
            None => Box::pin(self.caused(replied, effects)).await,
        }
    }

    /// Sends the reply among what the action has caused: nothing of a group that it left follows, and what it joined and
    /// published comes after.
    async fn caused(&mut self, replied: bool, effects: Vec<Effect>) -> ControlFlow<End> {
        let rest = message::before(effects);
        let place = self.outbox.place();
        // At once, so that a client who does not read its reply holds up nobody; its own copies wait behind that place.
        message::after(rest);
        gone(self.outbox.deliver_before(gone(place)?).await)?;
        if replied {
            gone(self.outbox.feed(self.reply.take()).await)?;
        }
        ControlFlow::Continue(())
    }

    /// Writes the reply to one message. Only where its action waits does anything else happen meanwhile.
    async fn answered(&mut self, text: &T::Text) -> ControlFlow<End, bool> {
        let Connection { outbox, answerer, reply, aside, .. } = self;
        let mut answering = pin!(answerer.text(text, reply));
        if let Poll::Ready(answered) = futures_util::poll!(&mut answering) {
            return ControlFlow::Continue(answered);
        }
        aside.until(outbox, answering).await
    }

    /// Answers one message with several replies, each sent at once.
    async fn stream(
        &mut self,
        text: &T::Text,
        mut values: Pin<Box<dyn Values>>,
        epoch: u64,
        effects: Vec<Effect>,
    ) -> ControlFlow<End> {
        let mut request = Request::default();
        // It was read before, by the action's own walk.
        let _ = request.read(text.as_ref(), self.answerer.bounds);
        let Connection { outbox, answerer, reply, aside } = self;
        aside.streaming = true;
        let well = loop {
            match aside.until(outbox, pin!(answerer.next(&request.head, &mut values, epoch, reply))).await? {
                Value::More => {}
                Value::Last => break true,
                Value::Failed => break false,
            }
            gone(outbox.feed(reply.take()).await)?;
            reply.rest();
            gone(outbox.flush().await)?;
            // A stream that is always ready must leave room for others, on this thread and on this socket.
            aside.until(outbox, pin!(tokio::task::yield_now())).await?;
        };
        aside.streaming = false;
        self.caused(true, if well { effects } else { Vec::new() }).await
    }
}

/// What goes on beside an action: frames are read ahead, and the clock goes on.
struct Aside<X> {
    heartbeat: Heartbeat,
    /// What came in while an action was running.
    ahead: VecDeque<Incoming<X>>,
    most: usize,
    /// Whether it is beside a stream, which need not end by itself.
    streaming: bool,
}

impl<X> Aside<X> {
    /// Nothing comes after what cannot be read, so then it is not to be taken for the end.
    fn reading(&self) -> bool {
        self.ahead.len() < self.most && !matches!(self.ahead.back(), Some(Incoming::Broken(_)))
    }

    /// Goes on until the future is done.
    async fn until<C, T, F>(
        &mut self,
        outbox: &mut Outbox<C, T>,
        mut answering: Pin<&mut F>,
    ) -> ControlFlow<End, F::Output>
    where
        C: Consumer,
        T: Transport<Text = X>,
        F: Future,
    {
        loop {
            let reading = self.reading();
            tokio::select! {
                biased;
                answered = &mut answering => return ControlFlow::Continue(answered),
                next = outbox.next(reading) => match gone(next)? {
                    Next::Frame(frame) => self.came(frame)?,
                    Next::Event => gone(outbox.deliver_one())?,
                },
                beat = self.heartbeat.beat() => match beat {
                    Beat::Ping => gone(outbox.ping().map_err(Lost::from))?,
                    // Nobody listens, or nobody has asked, so silence says nothing. An action ends; a stream may not.
                    Beat::GiveUp if (!reading && !self.streaming) || outbox.caught_up() => self.heartbeat.heard(),
                    Beat::GiveUp => return ControlFlow::Break(End::Close(CloseCode::Idle)),
                },
            }
        }
    }

    fn came(&mut self, frame: Option<Incoming<X>>) -> ControlFlow<End> {
        self.heartbeat.heard();
        match frame {
            Some(Incoming::Ping) => {}
            Some(Incoming::Broken(code)) if self.streaming => return ControlFlow::Break(End::Close(code)),
            Some(frame) => self.ahead.push_back(frame),
            None => return ControlFlow::Break(End::Gone),
        }
        ControlFlow::Continue(())
    }
}

fn gone<S>(sent: Result<S, Lost>) -> ControlFlow<End, S> {
    match sent {
        Ok(done) => ControlFlow::Continue(done),
        Err(lost) => ControlFlow::Break(lost.into()),
    }
}
