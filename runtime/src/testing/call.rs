//! Calls of an action by the test client, with one reply or a stream of them.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::client::Client;
use super::reply::Reply;

impl Client {
    /// Calls an action: `client.call("send").route("rooms/5/").with("text", "hi").await`.
    ///
    /// Awaiting it sends the message with a `request_id` and returns the reply with the same `request_id`. Frames that
    /// arrive before the reply are kept.
    ///
    /// # Panics
    ///
    /// Panics if the connection is closed instead, or if no reply arrives within five minutes of the runtime's clock.
    ///
    /// # Cancel safety
    ///
    /// If the call is dropped before its reply arrives, no frame is lost: frames received so far are kept, and a reply that
    /// arrives later is returned by [`reply`](Client::reply).
    pub fn call(&mut self, action: &str) -> ClientCall<'_> {
        let mut message = Map::new();
        message.insert("action".to_owned(), action.into());
        ClientCall { client: self, message }
    }
}

/// A call of an action, created by [`Client::call`]. It is sent when it is awaited, or when its
/// [`stream`](ClientCall::stream) is opened.
#[must_use = "a call is sent when it is awaited"]
pub struct ClientCall<'c> {
    client: &'c mut Client,
    message: Map<String, Value>,
}

impl<'c> ClientCall<'c> {
    /// Sets the route, for example `rooms/5/`. Default: the message has no route.
    pub fn route(mut self, route: &str) -> Self {
        self.message.insert("route".to_owned(), route.into());
        self
    }

    /// Sets an argument.
    ///
    /// # Panics
    ///
    /// Panics if the value cannot be serialized as JSON.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("an argument must be serializable as JSON");
        self.message.insert(name.to_owned(), value);
        self
    }

    /// Sets the `request_id`, for example of a subscription: `client.call("watch").request_id("list").await`. Default: the
    /// number of the call on this client, from 1.
    ///
    /// # Panics
    ///
    /// Panics if the value cannot be serialized as JSON.
    pub fn request_id(self, id: impl Serialize) -> Self {
        self.with("request_id", id)
    }

    /// Sends the call of an action that replies with a [`Streamed`](crate::Streamed), and returns its replies, each value
    /// deserialized as `T`.
    ///
    /// ```standalone_crate
    /// use futures_util::stream::{self, Stream};
    /// use portcullis::testing::connect;
    /// use portcullis::{AllowAny, Streamed, consumer};
    ///
    /// struct Numbers;
    ///
    /// #[consumer]
    /// impl Numbers {
    ///     #[action(permission = AllowAny)]
    ///     async fn count(&self, to: u32) -> Streamed<impl Stream<Item = u32> + use<>> { Streamed(stream::iter(1..=to)) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut client = connect(&portcullis::websocket(Numbers)).open().await.unwrap();
    /// let (values, last) = client.call("count").with("to", 3).stream::<u32>().collect().await;
    /// assert_eq!((values, last.status()), (vec![1, 2, 3], 200));
    ///
    /// let mut replies = client.call("count").with("to", 1).stream::<u32>();
    /// assert_eq!(replies.next().await, Some(1));
    /// assert_eq!(replies.next().await, None);
    /// assert_eq!(replies.last().await.status(), 200);
    /// # }
    /// ```
    pub fn stream<T: DeserializeOwned>(self) -> ClientStream<'c, T> {
        let (client, id, first) = self.send();
        ClientStream { client, id, first, last: None, values: PhantomData }
    }

    /// Sends the message. Returns its `request_id` and the index of the first frame that may be its reply: a frame that was
    /// kept before the call is not.
    fn send(mut self) -> (&'c mut Client, Value, usize) {
        let number = self.client.count_call();
        let id = self.message.entry("request_id").or_insert_with(|| number.into()).clone();
        self.client.send(Value::Object(self.message).to_string());
        let first = self.client.kept_frames();
        (self.client, id, first)
    }
}

impl<'c> IntoFuture for ClientCall<'c> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        let (client, id, first) = self.send();
        Box::pin(async move { client.receive_matching(first, |message| message["request_id"] == id).await })
    }
}

impl fmt::Debug for ClientCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientCall").field(&self.message).finish()
    }
}

/// The replies of a stream, returned by [`ClientCall::stream`]: values, then a last reply, which carries none.
///
/// Frames that belong to something else are kept by the client. If the action is refused, there are no values, and the last
/// reply is the refusal. Dropping it does not end the stream: replies that nothing has awaited are returned by
/// [`Client::reply`].
#[must_use = "the replies are received when they are awaited"]
pub struct ClientStream<'c, T> {
    client: &'c mut Client,
    id: Value,
    /// The index of the first kept frame that may be a reply of the stream.
    first: usize,
    /// The last reply, once it has arrived.
    last: Option<Reply>,
    values: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> ClientStream<'_, T> {
    /// Returns the next value, or `None` if the last reply has arrived.
    ///
    /// # Panics
    ///
    /// Panics if the value cannot be deserialized as `T`, if the connection is closed instead, or if no reply arrives within
    /// five minutes of the runtime's clock.
    ///
    /// # Cancel safety
    ///
    /// No frame is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<T> {
        Some(self.next_reply().await?.data_as())
    }

    /// Waits for the end of the stream and returns the last reply. Its status is 200 if the stream has ended, and that of the
    /// error if the action was refused or the stream has failed.
    ///
    /// # Panics
    ///
    /// Panics if a value comes before it (the panic quotes it), if the connection is closed instead, or if no reply arrives
    /// within five minutes of the runtime's clock.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before the last reply arrives, no frame is lost: [`Client::reply`] returns it.
    pub async fn last(mut self) -> Reply {
        if let Some(value) = self.next_reply().await {
            panic!("expected the last reply of a stream, but received {value:?}");
        }
        self.into_last()
    }

    /// Waits for the end of the stream and returns the values that were not returned yet, and the last reply.
    ///
    /// # Panics
    ///
    /// Panics if a value cannot be deserialized as `T`, if the connection is closed instead, or if no reply arrives within
    /// five minutes of the runtime's clock.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the values that it has received are lost.
    pub async fn collect(mut self) -> (Vec<T>, Reply) {
        let mut values = Vec::new();
        while let Some(value) = self.next().await {
            values.push(value);
        }
        (values, self.into_last())
    }

    /// Returns the next reply that carries a value, or `None` if the last reply has arrived.
    async fn next_reply(&mut self) -> Option<Reply> {
        if self.last.is_some() {
            return None;
        }
        let id = &self.id;
        let reply = self.client.receive_matching(self.first, |message| message["request_id"] == *id).await;
        if reply.is_last() {
            self.last = Some(reply);
            return None;
        }
        Some(reply)
    }

    fn into_last(self) -> Reply {
        self.last.expect("bug: the stream has not ended")
    }
}

impl<T> fmt::Debug for ClientStream<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStream").field("request_id", &self.id).finish_non_exhaustive()
    }
}
