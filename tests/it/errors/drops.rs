//! Values of the application whose `Drop` panics.

use std::time::Duration;

use portcullis::Limits;

use super::*;
use crate::common::log_capture::LogCapture;

#[tokio::test]
async fn user_whose_drop_panics_leaves_its_groups_and_is_logged() {
    let log = LogCapture::start();
    let (state, chat) = chat();
    let (mut first, second) = (open(&chat, member(1)).await, open(&chat, explosive(2)).await);
    drop(second);
    state.gone.notified().await;
    assert_eq!(first.call("say").with("number", 5).await.status(), 200);
    assert_eq!(first.reply().await.data(), 5);
    drop((first, chat));
    state.gone.notified().await;
    tokio::task::yield_now().await;
    let lines = log.take();
    assert!(lines.iter().any(|line| line.contains("Member") && line.contains("in `Drop`")), "{lines:?}");
}

#[tokio::test]
async fn user_whose_drop_panics_is_rejected_in_the_handshake_with_403() {
    let (state, chat) = chat();
    state.refuse();
    assert_eq!(connect(&chat).user(explosive(2)).open().await.unwrap_err().status(), 403);
}

#[tokio::test]
async fn user_whose_drop_panics_is_rejected_by_authenticate_with_403() {
    let (_, chat) = chat();
    let mut client = open(&chat, member(2)).await;
    let reply = client.call("authenticate").with("id", 3).with("explodes", true).await;
    assert_eq!(reply.status(), 403, "{reply:?}");
    assert_alive(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn authentication_cancelled_while_it_holds_a_bomb_times_out() {
    let (_, chat) = chat();
    let chat = chat.limits(Limits { action_timeout: Duration::from_secs(1), ..Limits::default() });
    let mut client = open(&chat, member(2)).await;
    assert_eq!(client.call("authenticate").with("id", 2).with("hangs", true).await.status(), 408);
    assert_alive(&mut client).await;
}

#[tokio::test]
async fn event_whose_drop_panics_is_contained() {
    let (state, chat) = chat();
    let (mut first, mut second) = (open(&chat, member(1)).await, open(&chat, member(2)).await);
    // To a group with members, and to an empty one.
    for room in [1, 5] {
        assert_eq!(first.call("explode").with("room", room).with("fails", false).await.status(), 200);
    }
    assert_eq!(first.call("explode").with("room", 1).with("fails", true).await.status(), 409);
    assert_alive(&mut first).await;
    // The frame is encoded once per call of `publish`, also for an empty group and for an action that then fails.
    assert_eq!((second.reply().await.data(), state.seen.load(Ordering::SeqCst)), (&0.into(), 3));
    assert_alive(&mut second).await;
}

#[tokio::test]
async fn stream_whose_drop_panics_is_contained() {
    let (_, chat) = chat();
    let mut client = open(&chat, member(1)).await;
    assert_eq!(client.call("stream_holding_a_bomb").await.data(), 1);
    assert_eq!(client.reply().await.data(), 2);
    assert_eq!(client.reply().await.value()["last"], true);
    assert_alive(&mut client).await;
}

#[tokio::test]
async fn group_key_whose_drop_panics_is_left_with_all_other_groups() {
    let (state, chat) = chat();
    let (mut first, mut second) = (open(&chat, member(1)).await, open(&chat, member(2)).await);
    for client in [&mut first, &mut second] {
        assert_eq!(client.call("enter_vault").with("fails", true).await.status(), 409);
        assert_eq!(client.call("enter_vault").with("fails", false).await.status(), 200);
        assert_alive(client).await;
    }
    drop(second);
    state.gone.notified().await;
    let vault = std::mem::ManuallyDrop::new(Vault(Bomb));
    chat.publisher().publish(&*vault, Said(3));
    chat.publisher().publish(&Room(1), Said(4));
    assert_eq!((first.reply().await.data(), first.reply().await.data()), (&3.into(), &4.into()));
    assert_eq!(first.call("leave_vault").await.status(), 200);
    chat.publisher().publish(&*vault, Said(5));
    assert_alive(&mut first).await;
}

#[tokio::test]
async fn value_inserted_by_a_refusing_connect_whose_drop_panics_is_contained() {
    let (state, chat) = chat();
    let mut client = connect(&chat).user(member(2)).open().await.unwrap();
    // The connection is accepted; `#[connect]` runs once the test waits.
    state.refuse();
    assert_eq!(client.closed().await, 4403);
}
