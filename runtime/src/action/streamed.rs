//! Actions that answer more than once.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;

use super::into_reply::IntoReply;
use crate::error::{Error, Result};
use crate::message::{Reply, Values};
use crate::panic::Contained;

/// One reply for each value of a stream, then a last one.
///
/// Each reply carries `"last":false`; the last one has `null` as data and `"last":true`. An item may be anything that an
/// action may return but a stream; an error ends the stream, and its reply is the last. Each value has the time of an
/// action ([`Limits::action_timeout`](crate::Limits::action_timeout)). Messages that come meanwhile wait, as they do for every action,
/// and the stream is dropped with the connection. It is polled beside other connections, so it must not block, not even
/// where a `blocking` action returns it.
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

/// Marks replies that come one after the other.
#[derive(Debug)]
pub struct Several<M>(std::marker::PhantomData<M>);

impl<S, M> IntoReply<Several<M>> for Streamed<S>
where
    S: Stream + Send + 'static,
    S::Item: IntoReply<M>,
    M: 'static,
{
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.set_values(Box::pin(Each {
            stream: Contained::new(Box::pin(self.0)),
            marker: std::marker::PhantomData::<fn(M)>,
        }));
        Ok(())
    }
}

struct Each<S, M> {
    stream: Contained<Pin<Box<S>>>,
    marker: std::marker::PhantomData<fn(M)>,
}

impl<S, M> Values for Each<S, M>
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
                Some(_) => Err(Error::internal("a stream is no value of a stream")),
            }
        }))
    }
}
