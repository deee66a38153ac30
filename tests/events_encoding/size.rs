//! Events that are larger than `Limits::max_event_bytes`.

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Endpoint, Event, Group, Limits, OverflowPolicy, Result, Scope, consumer,
    websocket,
};

use super::Member;

const MAX_EVENT_BYTES: usize = 200;

#[derive(Event)]
struct Shared(usize);

/// Its payload has this size for a connection with a path, and is small for others.
#[derive(Event)]
struct Personal(usize);

/// Cannot be encoded for clients.
#[derive(Event)]
struct Broken;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Board, permission = AllowAny, publish = members, events(Shared, Personal, Broken), public_name = "{0}"
)]
struct Wall(String);

struct Board;

#[consumer(user = Member)]
impl Board {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(wall()).await
    }

    #[event(permission = AllowAny)]
    fn shared(event: &Shared) -> String {
        "x".repeat(event.0)
    }

    #[event(permission = AllowAny)]
    fn personal(event: &Personal, scope: &Scope<Member>) -> Option<String> {
        let size = if scope.path() == "/" { 1 } else { event.0 };
        (size > 0).then(|| "x".repeat(size))
    }

    #[event(permission = AllowAny)]
    fn broken(_: &Broken) -> std::collections::BTreeMap<[u8; 1], u8> {
        [([1], 1)].into()
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn post(&self, cx: &Context<'_, Member>, size: usize) -> Result<()> {
        cx.publish(wall(), Shared(size)).await
    }

    #[action(permission = AllowAny)]
    async fn post_to_several(&self, cx: &Context<'_, Member>, size: usize) -> Result<()> {
        cx.publish_to_several([wall()], Shared(size)).await
    }

    #[action(permission = AllowAny)]
    async fn post_to_user(&self, cx: &Context<'_, Member>, size: usize) -> Result<()> {
        cx.publish_to_user::<Board, _>("7", Shared(size))
    }

    #[action(permission = AllowAny)]
    async fn post_with_permit(&self, cx: &Context<'_, Member>, size: usize) -> Result<()> {
        cx.publish_permit(wall()).await?.publish(Shared(size));
        Ok(())
    }

    #[action(permission = AllowAny)]
    async fn post_personal(&self, cx: &Context<'_, Member>, size: usize) -> Result<()> {
        cx.publish(wall(), Personal(size)).await
    }

    #[action(permission = AllowAny)]
    async fn post_broken(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.publish(wall(), Broken).await
    }
}

/// The name counts in the frame, but not for the limit.
fn wall() -> Wall {
    Wall("w".repeat(MAX_EVENT_BYTES))
}

/// The size of the largest payload of `shared`.
fn largest() -> usize {
    MAX_EVENT_BYTES - r#"{"event":"shared","data":""}"#.len()
}

async fn board() -> (Endpoint<Board>, Client) {
    let limits = Limits { max_event_bytes: MAX_EVENT_BYTES, ..Limits::default() };
    let board = websocket(Board).limits(limits).overflow_policy(OverflowPolicy::Close);
    let client = connected(&board, "/").await;
    (board, client)
}

async fn connected(board: &Endpoint<Board>, path: &str) -> Client {
    let mut client = connect(board).user(Member).path(path).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

#[tokio::test]
async fn oversized_event_of_an_action_is_an_error() {
    let (board, mut client) = board().await;
    for action in ["post", "post_to_several", "post_to_user"] {
        let reply = client.call(action).with("size", largest() + 1).await;
        assert_eq!((reply.status(), reply.code()), (413, "event_too_large"), "{action}");
        client.expect_silence().await;
        assert_eq!(client.call(action).with("size", largest()).await.status(), 200, "{action}");
        assert_eq!(client.event().await.data_as::<String>().len(), largest(), "{action}");
    }
    let counters = board.publisher().counters();
    assert_eq!((counters.too_large, counters.published, counters.failed), (3, 3, 0));
}

#[tokio::test]
async fn oversized_event_without_a_result_is_not_sent() {
    let (board, mut client) = board().await;
    let mut other = connected(&board, "/").await;
    let publisher = board.publisher();
    publisher.publish(&wall(), Shared(largest() + 1));
    assert_eq!(client.call("post_with_permit").with("size", largest() + 1).await.status(), 200);
    client.expect_silence().await;
    other.expect_silence().await;
    // Encoded once, however many subscribers there are.
    assert_eq!(publisher.counters().too_large, 2);
    publisher.publish(&wall(), Shared(largest()));
    assert_eq!(client.event().await.data_as::<String>().len(), largest());
}

#[tokio::test]
async fn oversized_personal_frame_skips_its_subscriber_only() {
    let (board, mut client) = board().await;
    let mut wide = connected(&board, "/wide").await;
    assert_eq!(client.call("post_personal").with("size", MAX_EVENT_BYTES).await.status(), 200);
    assert_eq!(client.event().await.data(), "x");
    wide.expect_silence().await;
    assert_eq!(board.publisher().counters().too_large, 1);
}

#[tokio::test]
async fn event_that_cannot_be_encoded_for_clients_is_an_error() {
    let (board, mut client) = board().await;
    assert_eq!(client.call("post_broken").await.status(), 500);
    client.expect_silence().await;
    assert_eq!(board.publisher().counters().failed, 1);
}
