//! Actions with several replies.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;

use super::into_reply::IntoReply;
use crate::error::{Error, Result};
use crate::message::{Reply, Values};
use crate::panic::Contained;

/// A reply per item of a stream, then a last reply.
///
/// The reply of an item has `"last":false`; the last reply has `null` as data and `"last":true`. An item may be of any type
/// that an action may return, except a stream. An error ends the stream, and its reply is the last.
///
/// Each item has the time limit of its action. The stream does not hold up later messages, unless the action is `in_order`;
/// a connection has at most [`Limits::max_streams`](crate::Limits::max_streams). It is dropped with the connection. It is
/// polled on an async worker thread, so it must not block, even if a `blocking` action returns it. The chapter on
/// [`action`](macro@crate::action) has the order of values, other replies and side effects.
///
/// ```
/// use futures_util::{Stream, stream};
/// use portcullis::{AllowAny, Streamed, consumer};
///
/// struct Count;
///
/// #[consumer]
/// impl Count {
///     #[action(permission = AllowAny)]
///     async fn count(&self, to: u32) -> Streamed<impl Stream<Item = u32> + use<>> {
///         Streamed(stream::iter(1..=to))
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Streamed<S>(pub S);

/// Marks streams of replies.
#[derive(Debug)]
pub struct StreamReply<M>(std::marker::PhantomData<M>);

impl<S, M> IntoReply<StreamReply<M>> for Streamed<S>
where
    S: Stream + Send + 'static,
    S::Item: IntoReply<M>,
    M: 'static,
{
    const STREAMS: bool = true;

    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.set_values(Box::pin(StreamedValues {
            stream: Contained::new(Box::pin(self.0)),
            marker: std::marker::PhantomData::<fn(M)>,
        }));
        Ok(())
    }
}

/// The stream of a [`Streamed`] reply. Contains panics of the stream's `Drop`.
struct StreamedValues<S, M> {
    stream: Contained<Pin<Box<S>>>,
    marker: std::marker::PhantomData<fn(M)>,
}

impl<S, M> Values for StreamedValues<S, M>
where
    S: Stream + Send,
    S::Item: IntoReply<M>,
{
    fn poll_value(mut self: Pin<&mut Self>, cx: &mut Context<'_>, reply: &mut Reply) -> Poll<Option<Result<()>>> {
        let value = ready!(self.stream.as_mut().poll_next(cx));
        Poll::Ready(value.map(|value| {
            value.into_reply(reply)?;
            match reply.take_values() {
                None => Ok(()),
                Some(_) => {
                    Err(Error::internal("an item of a stream is a stream; return the items of both in one stream"))
                }
            }
        }))
    }
}
