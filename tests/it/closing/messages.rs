//! What begins and what ends after an action has closed its connection.

use super::{assert_goodbye, lounge, message, open, send_all};

#[tokio::test(start_paused = true)]
async fn messages_behind_a_closing_action_do_not_begin() {
    for action in ["quit", "quit_waiting", "quit_and_fail"] {
        let (state, lounge) = lounge();
        let mut client = open(&lounge, 1).await;
        send_all(&mut client, &[action, "note", "wait_detached", "note"]);
        state.resume(1);
        assert!(client.reply().await.status() >= 200);
        assert_goodbye(&mut client, &state).await;
        assert_eq!(state.log(), ["disconnected: 4000, left []"], "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn running_detached_action_ends_and_one_that_has_not_begun_does_not_begin() {
    for action in ["quit", "quit_detached"] {
        let (state, lounge) = lounge();
        let (mut other, mut client) = (open(&lounge, 2).await, open(&lounge, 1).await);
        assert_eq!(other.call("enter").await.status(), 200);
        send_all(&mut client, &["wait_detached", "hang_detached"]);
        state.started(2).await;
        client.send(message(action));
        assert_eq!(client.reply().await.status(), 200);
        assert_eq!(client.closed().await, 4000);
        assert!(state.log().is_empty(), "`#[disconnect]` waits for the action");
        state.resume(1);
        assert_eq!(other.event().await.data(), "detached");
        state.disconnected.notified().await;
        assert_eq!(state.log(), ["disconnected: 4000, left []"], "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_order_action_that_runs_when_a_detached_one_closes_ends() {
    let (state, lounge) = lounge();
    let (mut other, mut client) = (open(&lounge, 2).await, open(&lounge, 1).await);
    assert_eq!(other.call("enter").await.status(), 200);
    client.send(r#"{"action":"quit_waiting_detached","code":4000}"#);
    state.started(1).await;
    send_all(&mut client, &["wait", "note"]);
    state.started(1).await;
    // The permits are given in the order in which the actions have begun.
    state.resume(1);
    assert_eq!(client.reply().await.status(), 200);
    assert_eq!(client.closed().await, 4000);
    assert!(state.log().is_empty(), "`#[disconnect]` waits for the action");
    state.resume(1);
    assert_eq!(other.event().await.data(), "waited");
    state.disconnected.notified().await;
    assert_eq!(state.log(), ["disconnected: 4000, left []"]);
}
