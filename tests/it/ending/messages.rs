//! What happens to running actions, messages that were read, replies, joins and publications.

use std::time::Duration;

use portcullis::Limits;
use tokio::time::Instant;

use super::{REMOVALS, message, office, office_with, open, open_reader};
use crate::common::limits::without_heartbeat;

#[tokio::test]
async fn what_an_action_has_stored_is_published_after_the_client_is_gone() {
    for action in REMOVALS {
        let (state, office) = office();
        let (mut reader, mut client) = (open_reader(&office).await, open(&office, 1).await);
        client.send(message(action, "stored"));
        state.started(1).await;
        drop(client);
        state.resume(1);
        assert_eq!(reader.event().await.data(), "stored", "{action}");
        state.disconnected.notified().await;
        let log = ["stored begins", "stored ends", "disconnected: peer gone, left [Room(1)]"];
        assert_eq!(state.log(), log, "{action}");
    }
}

#[tokio::test]
async fn what_an_action_has_stored_is_published_after_the_server_has_closed() {
    for action in REMOVALS {
        let (state, office) = office();
        let (mut reader, mut client) = (open_reader(&office).await, open(&office, 1).await);
        client.send(message(action, "stored"));
        state.started(1).await;
        assert!(office.connections().disconnect_user("1").await.is_acknowledged());
        assert_eq!(client.closed().await, 4403, "{action}: the close does not wait for the action");
        state.resume(1);
        assert_eq!(reader.event().await.data(), "stored", "{action}");
        state.disconnected.notified().await;
        assert_eq!(state.log(), ["stored begins", "stored ends", "disconnected: 4403, left [Room(1)]"], "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_that_were_read_begin_in_order_after_the_client_is_gone() {
    let (state, office) = office();
    let mut client = open(&office, 1).await;
    client.send(message("wait", "first"));
    client.send(message("note", "second"));
    client.send(message("panic", ""));
    client.send("no message");
    client.send_binary();
    client.send(message("wait", "third"));
    state.started(1).await;
    drop(client);
    state.resume(2);
    state.disconnected.notified().await;
    let log = ["first begins", "first ends", "second", "third begins", "third ends"];
    assert_eq!(state.log()[..5], log);
    assert_eq!(state.log()[5..], ["disconnected: peer gone, left [Room(1)]"]);
}

#[tokio::test(start_paused = true)]
async fn messages_that_were_read_do_not_begin_after_the_server_has_closed() {
    for ending in ["disconnect", "too large"] {
        let (state, office) = office();
        let mut client = open(&office, 1).await;
        client.send(message("wait", "first"));
        client.send(message("note", "second"));
        if ending == "too large" {
            client.send("x".repeat(1024 * 1024));
            client.send(message("note", "after the violation"));
        }
        state.started(1).await;
        if ending == "disconnect" {
            assert!(office.connections().disconnect_user("1").await.is_acknowledged());
        }
        state.resume(1);
        state.disconnected.notified().await;
        let log = state.log();
        match ending {
            "disconnect" => assert_eq!(log, ["first begins", "first ends", "disconnected: 4403, left [Room(1)]"]),
            // In order: the messages in front of the violation are valid.
            _ => assert_eq!(log, ["first begins", "first ends", "second", "disconnected: 1009, left [Room(1)]"]),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_actions_after_the_end_share_one_action_timeout() {
    let (state, office) = office();
    let mut client = open(&office, 1).await;
    client.send(message("wait", "first"));
    client.send(message("wait", "second"));
    client.send(message("wait", "third"));
    state.started(1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    drop(client);
    let start = Instant::now();
    state.disconnected.notified().await;
    assert_eq!(start.elapsed().as_secs(), 5);
    let log = ["first begins", "first is dropped", "second begins", "second is dropped"];
    assert_eq!(state.log()[..4], log, "the first times out after 2 s, the second after 3 s");
    assert_eq!(state.log().len(), 5, "the third does not begin");
}

#[tokio::test(start_paused = true)]
async fn memberships_end_at_once_and_joins_have_no_effect() {
    let (state, office) = office();
    let (mut other, mut client) = (open(&office, 2).await, open(&office, 1).await);
    client.send(message("join", "joining"));
    state.started(1).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(other.call("ping").await.status(), 200);
    state.resume(1);
    state.disconnected.notified().await;
    let log = ["joining begins", "joining ends", "joined", "disconnected: peer gone, left [Room(1)]"];
    assert_eq!(state.log(), log);
}

#[tokio::test(start_paused = true)]
async fn action_may_publish_as_the_member_that_it_was() {
    for ending in ["peer", "server"] {
        let (state, office) = office();
        let (mut other, mut client) = (open(&office, 2).await, open(&office, 1).await);
        client.send(message("say", "hello"));
        state.started(1).await;
        match ending {
            "peer" => drop(client),
            _ => assert!(office.connections().disconnect_user("1").await.is_acknowledged()),
        }
        state.resume(1);
        assert_eq!(other.event().await.data(), "hello", "{ending}");
    }
}

#[tokio::test(start_paused = true)]
async fn stream_ends_and_its_publication_goes_out() {
    for action in ["values", "values_detached"] {
        let (state, office) = office();
        let (mut reader, mut client) = (open_reader(&office).await, open(&office, 1).await);
        client.send(message(action, "streamed"));
        state.started(1).await;
        assert_eq!(client.reply().await.data(), 1);
        let start = Instant::now();
        drop(client);
        assert_eq!(reader.event().await.data(), "streamed", "{action}");
        state.disconnected.notified().await;
        assert!(start.elapsed() < Duration::from_secs(1), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn disconnect_hook_does_not_wait_for_the_clients_close() {
    let (state, office) = office();
    // The client never answers the close.
    let client = open(&office, 1).await;
    let start = Instant::now();
    assert!(office.connections().disconnect_user("1").await.is_acknowledged());
    state.disconnected.notified().await;
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(state.log(), ["disconnected: 4403, left [Room(1)]"]);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn check_that_hangs_does_not_delay_a_close_by_the_server() {
    for action in ["unreachable", "unreachable_detached"] {
        let (state, office) = office();
        let mut client = open(&office, 1).await;
        client.send(message(action, ""));
        state.started(1).await;
        let start = Instant::now();
        assert!(office.connections().disconnect_user("1").await.is_acknowledged());
        state.disconnected.notified().await;
        assert!(start.elapsed() < Duration::from_secs(1), "{action}");
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn detached_action_over_the_limit_does_not_begin_after_the_client_is_gone() {
    let (state, office) = office_with(Limits { max_detached_actions: 1, ..without_heartbeat() });
    let mut client = open(&office, 1).await;
    client.send(message("wait", "first"));
    for name in ["second", "third"] {
        client.send(message("remove_detached", name));
    }
    client.send(message("note", "fourth"));
    state.started(1).await;
    drop(client);
    state.resume(1);
    state.started(1).await;
    state.resume(1);
    state.disconnected.notified().await;
    let mut log = state.log();
    log.truncate(5);
    log.sort_unstable();
    assert_eq!(log, ["first begins", "first ends", "fourth", "second begins", "second ends"]);
}
