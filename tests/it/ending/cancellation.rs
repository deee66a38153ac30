//! `cx.cancelled()` and `#[action(cancel = drop)]`.

use super::{message, office, open, open_reader};

#[tokio::test]
async fn cancelled_completes_when_the_connection_ends() {
    for action in ["wait_cancelled", "wait_cancelled_detached", "wait_cancelled_blocking"] {
        for is_peer in [true, false] {
            let (state, office) = office();
            let (mut reader, mut client) = (open_reader(&office).await, open(&office, 1).await);
            client.send(message(action, "it"));
            state.started(1).await;
            if is_peer {
                drop(client);
            } else {
                assert!(office.connections().disconnect_user("1").await.is_acknowledged());
            }
            assert_eq!(reader.event().await.data(), "it", "{action}");
            state.disconnected.notified().await;
            assert_eq!(state.log()[..2], ["it begins", "it is cancelled"], "{action}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_completes_at_once_for_a_message_that_begins_after_the_end() {
    let (state, office) = office();
    let mut client = open(&office, 1).await;
    client.send(message("wait", "first"));
    client.send(message("wait_cancelled", "second"));
    state.started(1).await;
    drop(client);
    state.resume(1);
    state.disconnected.notified().await;
    assert_eq!(state.log()[..4], ["first begins", "first ends", "second begins", "second is cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn cancelled_does_not_complete_on_an_open_connection() {
    let (state, office) = office();
    let mut client = open(&office, 1).await;
    client.send(message("wait_cancelled", "it"));
    state.started(1).await;
    assert_eq!(client.reply().await.status(), 408);
    assert_eq!(state.log(), ["it begins"]);
}

#[tokio::test(start_paused = true)]
async fn droppable_action_is_dropped_at_its_next_await() {
    for action in ["wait_droppable", "wait_droppable_detached"] {
        for is_peer in [true, false] {
            let (state, office) = office();
            let mut client = open(&office, 1).await;
            client.send(message(action, "it"));
            state.started(1).await;
            if is_peer {
                drop(client);
            } else {
                assert!(office.connections().disconnect_user("1").await.is_acknowledged());
            }
            state.disconnected.notified().await;
            assert_eq!(state.log()[..2], ["it begins", "it is dropped"], "{action}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn droppable_action_is_answered_on_an_open_connection() {
    let (state, office) = office();
    let mut client = open(&office, 1).await;
    client.send(message("wait_droppable", "it"));
    state.started(1).await;
    state.resume(1);
    assert_eq!(client.reply().await.status(), 200);
    assert_eq!(state.log(), ["it begins", "it ends"]);
}
