//! `cx.close` together with failures, changes of rights, and other ends of the connection.

use std::sync::atomic::Ordering;

use super::{assert_goodbye, lounge, message, open, send_all};

/// An action may send an error and close. Its other side effects are discarded.
#[tokio::test(start_paused = true)]
async fn connection_closes_if_the_action_fails() {
    for (action, status) in [("quit_and_fail", 409), ("quit_and_panic", 500), ("quit_and_hang", 408)] {
        let (state, lounge) = lounge();
        let (mut other, mut client) = (open(&lounge, 2).await, open(&lounge, 1).await);
        assert_eq!(other.call("enter").await.status(), 200);
        client.send(message(action));
        assert_eq!(client.reply().await.status(), status, "{action}");
        assert_goodbye(&mut client, &state).await;
        assert_eq!(state.log(), ["disconnected: 4000, left []"], "{action}");
        other.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn connection_closes_if_an_extractor_closes_it_and_refuses() {
    let (_, lounge) = lounge();
    let mut client = open(&lounge, 1).await;
    assert_eq!(client.call("quit_by_extractor").await.status(), 400);
    assert_eq!((client.closed().await, client.close_reason()), (4000, Some("extracted")));
}

#[tokio::test(start_paused = true)]
async fn connection_closes_if_the_caller_has_lost_the_right_to_the_action() {
    let (state, lounge) = lounge();
    let (mut other, mut client) = (open(&lounge, 2).await, open(&lounge, 1).await);
    assert_eq!(other.call("enter").await.status(), 200);
    client.send(message("quit_waiting"));
    state.started(1).await;
    state.is_denied.store(true, Ordering::SeqCst);
    assert!(lounge.connections().refresh_user("1").await.is_acknowledged());
    state.resume(1);
    assert_eq!(client.reply().await.code(), "rights_changed");
    assert_goodbye(&mut client, &state).await;
    assert_eq!(other.event().await.data(), "late");
}

#[tokio::test(start_paused = true)]
async fn second_close_of_an_action_is_ignored() {
    let (state, lounge) = lounge();
    let mut client = open(&lounge, 1).await;
    assert_eq!(client.call("quit_twice").await.status(), 200);
    assert_goodbye(&mut client, &state).await;
}

#[tokio::test(start_paused = true)]
async fn close_by_two_actions_has_the_code_of_the_first_to_end() {
    let (state, lounge) = lounge();
    let mut client = open(&lounge, 1).await;
    for code in [4001, 4000] {
        client.send(format!(r#"{{"action":"quit_waiting_detached","code":{code}}}"#));
        state.started(1).await;
    }
    // The permits are given in the order in which the actions have begun.
    state.resume(1);
    assert_eq!(client.reply().await.status(), 200);
    assert_eq!(client.closed().await, 4001);
    state.resume(1);
    state.disconnected.notified().await;
    assert_eq!(state.log(), ["disconnected: 4001, left []"]);
}

#[tokio::test(start_paused = true)]
async fn disconnect_before_the_reply_closes_the_connection_instead() {
    let (state, lounge) = lounge();
    let mut client = open(&lounge, 1).await;
    client.send(message("quit_waiting"));
    state.started(1).await;
    assert!(lounge.connections().disconnect_user("1").await.is_acknowledged());
    state.resume(1);
    assert_eq!((client.closed().await, client.close_reason()), (4403, Some("revoked")));
    state.disconnected.notified().await;
    assert_eq!(state.log(), ["disconnected: 4403, left []"]);
}

/// The client is gone, and what it has sent before begins: nothing behind the action that closes.
#[tokio::test(start_paused = true)]
async fn nothing_begins_behind_a_closing_action_after_the_client_has_gone() {
    for (action, permits) in [("quit", 0), ("quit_waiting", 1), ("quit_and_fail", 0)] {
        let (state, lounge) = lounge();
        let mut client = open(&lounge, 1).await;
        send_all(&mut client, &["quit_waiting", "note"]);
        state.started(1).await;
        // Read while the first action runs, which ends after the client.
        drop(client);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        state.resume(1);
        state.disconnected.notified().await;
        assert_eq!(state.log(), ["disconnected: peer gone, left []"]);

        let mut client = open(&lounge, 1).await;
        send_all(&mut client, &["note", action, "note"]);
        drop(client);
        state.resume(permits);
        state.disconnected.notified().await;
        assert_eq!(state.log()[1..], ["note", "disconnected: peer gone, left []"], "{action}");
    }
}

/// The events that wait for the client when the action ends precede its reply.
#[tokio::test(start_paused = true)]
async fn queued_events_precede_the_last_reply() {
    let (state, lounge) = lounge();
    let mut client = open(&lounge, 1).await;
    assert_eq!(client.call("enter").await.status(), 200);
    // One turn of the connection: the events wait until its end, or for the reply of an action with side effects.
    (0..20).for_each(|_| client.send(message("say")));
    client.send(message("quit"));
    let (mut events, mut replies) = (0, 0);
    for _ in 0..41 {
        match client.reply().await.value().get("event") {
            Some(_) => events += 1,
            None => replies += 1,
        }
    }
    assert_eq!((events, replies), (20, 21));
    assert_goodbye(&mut client, &state).await;
}
