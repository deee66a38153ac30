//! Request ids, typed events and typed streams.

use futures_util::FutureExt;

use super::{Posted, Wall, board, client_with_kept_events, open, panic_of};

#[tokio::test]
async fn request_id_replaces_the_number_of_the_call() {
    let mut client = open(&board()).await;
    assert_eq!(client.call("ping").request_id("mine").await.value()["request_id"], "mine");
    assert_eq!(client.call("ping").await.value()["request_id"], 3);
}

#[tokio::test]
async fn event_as_returns_the_data_of_the_named_event_and_keeps_other_frames() {
    let mut client = client_with_kept_events(&[1, 2]).await;
    client.send(r#"{"action":"ping"}"#);
    assert_eq!(client.event_as::<u32>("posted").await, 1);
    let panic = panic_of(client.event_as::<String>("posted")).await;
    assert!(panic.starts_with("the data is not a `alloc::string::String` ("), "{panic}");
    assert!(panic.ends_with(r#"{"event":"posted","data":2}"#), "{panic}");
    assert!(client.event_as::<u32>("other").now_or_never().is_none());
    assert_eq!(client.reply().await.data_as::<String>(), "pong");
    client.expect_silence().await;
}

#[tokio::test]
async fn reply_knows_whether_it_is_an_event_and_whether_it_is_the_last() {
    let mut client = client_with_kept_events(&[1]).await;
    let event = client.event().await;
    assert_eq!((event.event_name(), event.is_last()), (Some("posted"), true));
    let value = client.call("count").with("to", 1).await;
    assert_eq!((value.event_name(), value.is_last(), value.data_as()), (None, false, 1));
    assert!(client.reply().await.is_last());
}

#[tokio::test]
async fn stream_returns_its_values_and_then_the_last_reply() {
    let board = board();
    let mut client = open(&board).await;
    board.publisher().publish(&Wall, Posted(7));
    let (values, last) = client.call("count").with("to", 2).stream::<u32>().collect().await;
    assert_eq!((values, last.status(), last.is_last()), (vec![1, 2], 200, true));
    let (values, last) = client.call("count").request_id("mine").with("to", 9).stream::<u32>().collect().await;
    assert_eq!((values, last.code()), (vec![1, 2, 3], "conflict"));
    assert_eq!(client.event_as::<u32>("posted").await, 7);
    client.expect_silence().await;
}

#[tokio::test]
async fn stream_that_is_refused_has_no_values() {
    let mut client = open(&board()).await;
    let (values, last) = client.call("count").stream::<u32>().collect().await;
    assert_eq!((values, last.status()), (vec![], 400));
    assert_eq!(client.call("nothing").stream::<u32>().last().await.status(), 405);
}

#[tokio::test]
async fn last_reply_of_a_stream_after_an_unread_value_panics_with_the_value() {
    let mut client = open(&board()).await;
    let mut replies = client.call("count").with("to", 2).stream::<u32>();
    assert_eq!(replies.next().await, Some(1));
    let panic = panic_of(replies.last()).await;
    assert!(
        panic.starts_with(r#"expected the last reply of a stream, but received {"errors":[],"data":2,"#),
        "{panic}"
    );
    let mut replies = client.call("count").with("to", 1).stream::<String>();
    assert!(panic_of(replies.next()).await.starts_with("the data is not a `alloc::string::String`"));
    assert_eq!((replies.next().await, replies.next().await), (None, None));
}
