//! A subscriber that panics harms no connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::stream::{self, Stream};
use portcullis::testing::connect;
use portcullis::{AllowAny, Context, Disconnect, Result, Streamed, consumer, websocket};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{self, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::desk::Clerk;
use crate::common::log_capture::keep_enabled;

/// Panics in one method, for the spans of the library.
struct Panics {
    method: &'static str,
    count: Arc<AtomicUsize>,
}

impl Panics {
    fn call<S: Subscriber + for<'s> LookupSpan<'s>>(&self, method: &str, id: &Id, cx: &layer::Context<'_, S>) {
        let is_ours = cx.span(id).is_some_and(|span| span.name().starts_with("portcullis."));
        if self.method == method && is_ours {
            self.count.fetch_add(1, Ordering::Relaxed);
            panic!("the subscriber has no memory");
        }
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Panics {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, cx: layer::Context<'_, S>) {
        self.call("new_span", id, &cx);
    }

    fn on_record(&self, id: &Id, _: &Record<'_>, cx: layer::Context<'_, S>) {
        self.call("record", id, &cx);
    }

    fn on_follows_from(&self, id: &Id, _: &Id, cx: layer::Context<'_, S>) {
        self.call("follows_from", id, &cx);
    }

    fn on_enter(&self, id: &Id, cx: layer::Context<'_, S>) {
        self.call("enter", id, &cx);
    }

    fn on_exit(&self, id: &Id, cx: layer::Context<'_, S>) {
        self.call("exit", id, &cx);
    }

    fn on_close(&self, id: Id, cx: layer::Context<'_, S>) {
        self.call("close", &id, &cx);
    }
}

struct Shop {
    disconnected: Arc<Semaphore>,
}

#[consumer(user = Clerk)]
impl Shop {
    #[authenticate]
    async fn log_in(&self, name: String) -> Result<Option<Clerk>> {
        Ok(Some(Clerk(name)))
    }

    #[disconnect]
    async fn disconnect(&self, _: &Disconnect<'_, Clerk>) {
        self.disconnected.add_permits(1);
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {
        yield_now().await;
    }

    #[action(permission = AllowAny, detached)]
    async fn detached(&self) {
        yield_now().await;
    }

    #[action(permission = AllowAny, blocking)]
    fn block(&self) {}

    #[action(permission = AllowAny)]
    async fn panics(&self, _cx: &Context<'_, Clerk>) {
        yield_now().await;
        panic!("no memory")
    }

    #[action(permission = AllowAny)]
    async fn count(&self) -> Streamed<impl Stream<Item = u32> + use<>> {
        Streamed(stream::iter([1, 2]))
    }
}

#[tokio::test]
async fn subscriber_that_panics_in_a_span_breaks_no_connection() {
    keep_enabled();
    for method in ["new_span", "record", "follows_from", "enter", "exit", "close"] {
        let count = Arc::new(AtomicUsize::new(0));
        let layer = Panics { method, count: count.clone() };
        let subscriber = tracing_subscriber::registry().with(layer);
        let guard = tracing::subscriber::set_default(subscriber);
        let disconnected = Arc::new(Semaphore::new(0));
        let endpoint = websocket(Shop { disconnected: disconnected.clone() });
        let handshake = tracing::info_span!("request");
        let mut client = {
            let _entered = handshake.enter();
            connect(&endpoint).open().await.unwrap()
        };
        client.send(r#"{"action":"authenticate","name":"ada"}"#);
        assert_eq!(client.reply().await.status(), 204, "{method}");
        for (action, status) in [("ping", 200), ("detached", 200), ("block", 200), ("panics", 500), ("nothing", 405)] {
            assert_eq!(client.call(action).await.status(), status, "{method}: {action}");
        }
        let (values, _) = client.call("count").stream::<u32>().collect().await;
        assert_eq!(values, [1, 2], "{method}");
        drop(client);
        drop(disconnected.acquire().await.unwrap());
        drop(handshake);
        let snapshot = endpoint.snapshot();
        assert_eq!((snapshot.actions.failed, snapshot.connections.closed.len()), (1, 0), "{method}: {snapshot:#?}");
        assert!(tracing::Span::current().is_none(), "{method}: a span has not been left");
        drop(guard);
        assert!(count.load(Ordering::Relaxed) > 0, "{method}");
    }
}
