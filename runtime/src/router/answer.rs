//! From the text of a frame to the text of its reply: the one entry to all actions of a consumer.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use http::StatusCode;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use super::deadline::deadline;
use super::matching::Matched;
use super::refusal::{panicked, report};
use crate::consumer::Consumer;
use crate::dialect::native;
use crate::error::{Error, Result};
use crate::group::Seat;
use crate::message::{Bounds, Head, Reply, Request, Values};
use crate::scope::{Admitted, Call, Scope, User};

/// One of several replies.
pub(crate) enum Value {
    /// More will come.
    More,
    /// It is the last.
    Last,
    /// It is the last, because something went wrong.
    Failed,
}

/// How much longer than the walk of a blocking action its thread is waited for.
const HEAD_START: Duration = Duration::from_millis(100);

/// Answers the messages of one connection.
pub(crate) struct Answerer<C: Consumer> {
    pub(crate) seat: Arc<Seat<C>>,
    pub(crate) scope: Arc<Scope<C::User>>,
    pub(crate) bounds: Bounds,
    pub(crate) time: Duration,
    /// Whether this is on a thread that may be held up.
    pub(crate) blocking: bool,
}

impl<C: Consumer> Clone for Answerer<C> {
    fn clone(&self) -> Self {
        let Answerer { seat, scope, bounds, time, blocking } = self;
        Answerer { seat: seat.clone(), scope: scope.clone(), bounds: *bounds, time: *time, blocking: *blocking }
    }
}

impl<C: Consumer> Answerer<C> {
    /// Answers a text frame. `false`: the action answers nothing.
    pub(crate) async fn text<T>(&self, text: &T, reply: &mut Reply) -> bool
    where
        T: AsRef<str> + Clone + Send + Sync + 'static,
    {
        let mut request = Request::default();
        let readable = request.read(text.as_ref(), self.bounds);
        let mut matched = Matched::default();
        matched.find(self.seat.consumer().node(), &request.head.route);
        if readable.is_ok() && blocks(&matched, &request.head) {
            return Box::pin(self.blocking(text.clone(), reply)).await;
        }
        self.answer(&request, readable, &matched, reply).await
    }

    /// Writes the next of several replies to a message that was let through in that epoch. A stream does not go on once what
    /// its caller may do has changed.
    pub(crate) async fn next(
        &self,
        head: &Head<'_>,
        values: &mut Pin<Box<dyn Values>>,
        epoch: u64,
        reply: &mut Reply,
    ) -> Value {
        loop {
            native::begin(reply);
            let value = poll_fn(|cx| values.as_mut().poll_value(cx, reply));
            let value = deadline(self.time, AssertUnwindSafe(value).catch_unwind()).await;
            let error = match value {
                _ if self.seat.mailbox.epoch() != epoch => Error::denied(),
                Some(Ok(Some(Ok(())))) if reply.is_silent() => {
                    // Many such values in a row must leave room for others too.
                    tokio::task::yield_now().await;
                    continue;
                }
                Some(Ok(Some(Ok(())))) => {
                    native::finish_one(reply, head, false);
                    return Value::More;
                }
                Some(Ok(None)) => {
                    native::finish_one(reply, head, true);
                    return Value::Last;
                }
                Some(Ok(Some(Err(error)))) => error,
                Some(Err(panic)) => panicked(&*panic),
                None => Error::timeout(),
            };
            let id = report(&Call::new(&*self.scope, head, &[], &[], &[]), &error);
            native::refuse_the_rest(reply, head, &error, id.as_deref());
            return Value::Failed;
        }
    }

    /// Answers a binary frame.
    pub(crate) fn binary(reply: &mut Reply) {
        let error = Error::new(StatusCode::BAD_REQUEST, "binary_frame", "Messages are text frames.");
        native::refuse(reply, &Head::default(), &error, None);
    }

    async fn answer(
        &self,
        request: &Request<'_>,
        readable: Result<()>,
        matched: &Matched<'_>,
        reply: &mut Reply,
    ) -> bool {
        let call = Call::new(&*self.scope, &request.head, &request.fields, &matched.captures, &matched.steps)
            .with_objects(self.bounds.objects)
            .with_seat(&self.seat)
            .on_blocking_thread(self.blocking);
        let outcome = match readable {
            Ok(()) => {
                native::begin(reply);
                let way = self.seat.consumer().enter::<C>(&call, Admitted::at_the_door(), 0, reply);
                deadline(self.time, AssertUnwindSafe(way).catch_unwind()).await
            }
            Err(error) => Some(Ok(Err(error))),
        };
        match outcome {
            Some(Ok(Ok(()))) => {
                reply.cause(call.into_effects());
                if reply.is_silent() {
                    return false;
                }
                native::finish(reply, &request.head);
            }
            Some(Ok(Err(error))) => refuse(&call, &error, reply),
            Some(Err(panic)) => refuse(&call, &panicked(&*panic), reply),
            None => refuse(&call, &timed_out(&call), reply),
        }
        true
    }

    /// The same walk, on a thread that may block. An action that has begun there goes on when its time is over, or when
    /// the connection is; its reply does not. One that has not begun, checks included, never does.
    async fn blocking<T>(&self, text: T, reply: &mut Reply) -> bool
    where
        T: AsRef<str> + Clone + Send + Sync + 'static,
    {
        let (mut answerer, arrived) = (Answerer { blocking: true, ..self.clone() }, Instant::now());
        let there = text.clone();
        let (waiting, mut abandoned) = oneshot::channel::<()>();
        let thread = tokio::task::spawn_blocking(move || {
            answerer.time = answerer.time.saturating_sub(arrived.elapsed());
            if answerer.time.is_zero() {
                // Too late to begin: that it took too long is told by who waits.
                return None;
            }
            let mut request = Request::default();
            let readable = request.read(there.as_ref(), answerer.bounds);
            let mut matched = Matched::default();
            matched.find(answerer.seat.consumer().node(), &request.head.route);
            let mut reply = Reply::new();
            // Not the runtime's own way of blocking: within that an action could not block by its means.
            let replied = pollster::block_on(async {
                tokio::select! {
                    biased;
                    _ = &mut abandoned => false,
                    replied = answerer.answer(&request, readable, &matched, &mut reply) => replied,
                }
            });
            Some((replied, reply))
        });
        let running = AbortOnDrop { thread, _waiting: waiting };
        // The walk's own clock goes first: it knows whether a check or the action took too long.
        let error = match deadline(self.time.saturating_add(HEAD_START), running).await {
            Some(Ok(Some((replied, written)))) => {
                *reply = written;
                return replied;
            }
            Some(Err(stopped)) => Error::internal(stopped),
            Some(Ok(None)) | None => Error::timeout(),
        };
        let mut request = Request::default();
        // It was read before.
        let _ = request.read(text.as_ref(), self.bounds);
        refuse(&Call::new(&*self.scope, &request.head, &[], &[], &[]), &error, reply);
        true
    }
}

/// A thread's work that ends at the next place where it waits, or does not begin, once nobody waits for it.
struct AbortOnDrop<T> {
    thread: JoinHandle<T>,
    /// The thread sees it go.
    _waiting: oneshot::Sender<()>,
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.thread).poll(cx)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.thread.abort();
    }
}

fn blocks(matched: &Matched<'_>, head: &Head<'_>) -> bool {
    matched
        .node
        .is_some_and(|node| node.actions.iter().find(|row| row.name == head.action).is_some_and(|row| row.blocking))
}

/// A check that outlives its time is a fault of the server; an action that does is told so.
fn timed_out<U: User>(call: &Call<'_, U>) -> Error {
    match call.unanswered() {
        Some(leaf) => Error::internal("the check took too long").refused_by(leaf),
        None => Error::timeout(),
    }
}

/// The one place where a refusal is told, to the client and to the log.
fn refuse<U: User>(call: &Call<'_, U>, error: &Error, reply: &mut Reply) {
    let id = report(call, error);
    native::refuse(reply, call.head(), error, id.as_deref());
}
