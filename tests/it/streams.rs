//! Streams: each value is sent at once, then a last reply.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt, stream};
use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, Created, DenyAll, Error, Limits, NoReply, Result, Streamed, consumer};
use tokio::sync::mpsc;

type Values<T> = Streamed<Pin<Box<dyn Stream<Item = T> + Send>>>;

struct DropNotifier(Arc<tokio::sync::Notify>);

impl Drop for DropNotifier {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[derive(Default)]
struct Numbers {
    dropped: Arc<tokio::sync::Notify>,
    live: std::sync::Mutex<Option<mpsc::UnboundedReceiver<u32>>>,
}

#[consumer]
impl Numbers {
    #[action(permission = AllowAny)]
    async fn count(&self, to: u32) -> Result<Streamed<impl Stream<Item = u32> + use<>>> {
        if to > 10_000 { Err(Error::bad_request("That is too far.")) } else { Ok(Streamed(stream::iter(1..=to))) }
    }

    #[action(permission = AllowAny, in_order)]
    async fn count_in_order(&self, to: u32) -> Result<Streamed<impl Stream<Item = u32> + use<>>> {
        self.count(to).await
    }

    #[action(permission = AllowAny)]
    async fn mixed(&self) -> Values<Result<Created<&'static str>>> {
        let values = [Ok(Created("made")), Err(Error::conflict("No more.")), Ok(Created("never"))];
        Streamed(stream::iter(values).boxed())
    }

    #[action(permission = AllowAny)]
    async fn quiet(&self) -> Values<Result<NoReply>> {
        Streamed(stream::iter([Ok(NoReply), Ok(NoReply)]).boxed())
    }

    #[action(permission = AllowAny)]
    async fn silent(&self) -> Values<NoReply> {
        let dropped = DropNotifier(self.dropped.clone());
        Streamed(
            stream::repeat(())
                .map(move |()| {
                    let _held = &dropped;
                    NoReply
                })
                .boxed(),
        )
    }

    #[action(permission = AllowAny, blocking)]
    fn threaded(&self) -> Values<u32> {
        Streamed(stream::iter([5]).boxed())
    }

    #[action(permission = AllowAny)]
    async fn panics(&self) -> Values<u32> {
        Streamed(stream::iter(0..3).map(|n| if n == 1 { panic!("a secret") } else { n }).boxed())
    }

    #[action(permission = AllowAny)]
    async fn stalls(&self) -> Values<u32> {
        Streamed(stream::iter([1]).chain(stream::pending()).boxed())
    }

    #[action(permission = AllowAny)]
    async fn live(&self) -> Values<u32> {
        let receiver = self.live.lock().unwrap().take().unwrap();
        Streamed(stream::unfold(receiver, async |mut values| values.recv().await.map(|value| (value, values))).boxed())
    }

    #[action(permission = AllowAny)]
    async fn endless(&self) -> Values<u32> {
        let dropped = DropNotifier(self.dropped.clone());
        Streamed(
            stream::repeat(7)
                .map(move |n| {
                    let _held = &dropped;
                    n
                })
                .boxed(),
        )
    }

    #[action(permission = AllowAny)]
    async fn nested(&self) -> Values<Streamed<stream::Empty<u32>>> {
        Streamed(stream::iter([Streamed(stream::empty())]).boxed())
    }

    /// Sends one value every eight seconds.
    #[action(permission = AllowAny)]
    async fn slow(&self) -> Values<u32> {
        let every = Duration::from_secs(8);
        Streamed(stream::iter(0..).then(move |n| tokio::time::sleep(every).map(move |()| n)).boxed())
    }

    #[action(permission = DenyAll)]
    async fn secret(&self) -> Values<u32> {
        Streamed(stream::iter([1]).boxed())
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) -> &'static str {
        "pong"
    }
}

async fn client(feed: Numbers) -> Client {
    connect(&portcullis::websocket(feed)).open().await.unwrap()
}

async fn replies(client: &mut Client, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(client.reply().await.text().to_owned());
    }
    all
}

#[tokio::test]
async fn stream_values_are_replies_and_the_end_is_marked_last() {
    let mut client = client(Numbers::default()).await;
    client.send(r#"{"action":"count_in_order","to":2,"request_id":[7]}"#);
    client.send(r#"{"action":"ping"}"#);
    let wanted = [
        r#"{"errors":[],"data":1,"action":"count_in_order","route":"","status":200,"last":false,"request_id":[7]}"#,
        r#"{"errors":[],"data":2,"action":"count_in_order","route":"","status":200,"last":false,"request_id":[7]}"#,
        r#"{"errors":[],"data":null,"action":"count_in_order","route":"","status":200,"last":true,"request_id":[7]}"#,
        r#"{"errors":[],"data":"pong","action":"ping","route":"","status":200}"#,
    ];
    assert_eq!(replies(&mut client, 4).await, wanted);
    // More than is read ahead, so that messages arrive while the stream runs.
    client.send(r#"{"action":"count_in_order","to":1000}"#);
    for _ in 0..100 {
        client.send(r#"{"action":"ping"}"#);
    }
    let all = replies(&mut client, 1101).await;
    assert!(all[..1000].iter().all(|reply| reply.contains(r#""last":false"#)));
    assert!(all[1000].contains(r#""last":true"#));
    assert!(all[1001..].iter().all(|reply| reply.contains("pong")));
}

#[tokio::test(start_paused = true)]
async fn stream_error_is_the_last_reply() {
    let mut client = client(Numbers::default()).await;
    client.send(r#"{"action":"mixed"}"#);
    let wanted = [
        r#"{"errors":[],"data":"made","action":"mixed","route":"","status":201,"last":false}"#,
        r#"{"errors":[{"code":"conflict","detail":"No more."}],"data":null,"action":"mixed","route":"","status":409,"last":true}"#,
    ];
    assert_eq!(replies(&mut client, 2).await, wanted);
    for (action, status) in [("panics", 500), ("stalls", 408)] {
        client.send(format!(r#"{{"action":"{action}"}}"#));
        assert_eq!(client.reply().await.status(), 200);
        let last = client.reply().await;
        assert_eq!((last.status(), &last.value()["last"]), (status, &true.into()), "{last:?}");
        assert!(!last.text().contains("secret"));
    }
    client.send(r#"{"action":"quiet"}"#);
    assert_eq!(client.reply().await.value()["last"], true);
    assert_eq!(client.call("ping").await.data(), "pong");
}

#[tokio::test]
async fn action_that_fails_before_its_stream_sends_one_reply() {
    let mut client = client(Numbers::default()).await;
    for (reply, status) in [(client.call("secret").await, 403), (client.call("count").with("to", 20_000).await, 400)] {
        assert_eq!(reply.status(), status);
        assert!(!reply.text().contains("last"), "{reply:?}");
    }
    assert_eq!(client.call("ping").await.data(), "pong");
}

#[tokio::test]
async fn stream_values_are_sent_as_they_are_produced() {
    let (send, receive) = mpsc::unbounded_channel();
    let feed = Numbers::default();
    *feed.live.lock().unwrap() = Some(receive);
    let mut client = client(feed).await;
    client.send(r#"{"action":"live"}"#);
    for value in [3, 1, 4] {
        client.expect_silence().await;
        send.send(value).unwrap();
        assert_eq!(client.reply().await.data(), value);
    }
    drop(send);
    assert_eq!(client.reply().await.value()["last"], true);
}

#[tokio::test]
async fn stream_that_is_always_ready_ends_with_its_connection() {
    let feed = Numbers::default();
    let dropped = feed.dropped.clone();
    let limits = Limits { action_timeout: Duration::from_secs(5), ..Limits::default() };
    let endpoint = portcullis::websocket(feed).limits(limits);
    let mut client = connect(&endpoint).open().await.unwrap();
    client.send(r#"{"action":"endless"}"#);
    assert_eq!(client.reply().await.data(), 7);
    // Other connections on this thread are served meanwhile.
    let mut other = connect(&endpoint).open().await.unwrap();
    assert_eq!(other.call("ping").await.data(), "pong");
    drop(client);
    dropped.notified().await;
    other.send(r#"{"action":"silent"}"#);
    let mut third = connect(&endpoint).open().await.unwrap();
    assert_eq!(third.call("ping").await.data(), "pong");
    drop(other);
    dropped.notified().await;
}

#[tokio::test]
async fn blocking_action_can_return_a_stream() {
    let mut client = client(Numbers::default()).await;
    client.send(r#"{"action":"threaded"}"#);
    assert_eq!(client.reply().await.data(), 5);
    assert_eq!(client.reply().await.value()["last"], true);
    assert_eq!(client.call("ping").await.data(), "pong");
}

#[tokio::test]
async fn stream_ends_when_an_oversized_frame_arrives() {
    let feed = Numbers::default();
    let dropped = feed.dropped.clone();
    let endpoint = portcullis::websocket(feed).limits(Limits { max_frame_bytes: 100, ..Limits::default() });
    let mut client = connect(&endpoint).open().await.unwrap();
    client.send(r#"{"action":"endless"}"#);
    client.send("x".repeat(101));
    dropped.notified().await;
}

#[tokio::test]
async fn stream_as_a_stream_value_is_answered_with_500() {
    let mut client = client(Numbers::default()).await;
    client.send(r#"{"action":"nested"}"#);
    let reply = client.reply().await;
    assert_eq!((reply.status(), &reply.value()["last"]), (500, &true.into()));
}

#[tokio::test(start_paused = true)]
async fn silent_client_of_a_stream_is_pinged_before_it_is_closed() {
    let limits = Limits {
        ping_interval: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(25),
        send_timeout: Duration::from_secs(25),
        ..Limits::default()
    };
    let endpoint = portcullis::websocket(Numbers::default()).limits(limits);
    let mut client = connect(&endpoint).answer_pings(false).open().await.unwrap();
    client.send(r#"{"action":"slow"}"#);
    for value in 0..3 {
        assert_eq!(client.reply().await.data(), value);
    }
    assert_eq!((client.pings(), client.closed().await), (2, 4508));
}
