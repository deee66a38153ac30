//! What a message to `cancel` does to running actions, checks, queued messages and streams.

use serde_json::json;

use super::{Annex, Said, cancel, foundry, message, next, open, pair, sorted};

#[tokio::test]
async fn running_action_stops_by_itself_and_is_answered_with_499() {
    for action in ["cast", "cast_detached", "cast_blocking"] {
        let (progress, foundry) = foundry();
        let mut client = open(&foundry).await;
        client.send(message(action, 1));
        progress.started(1).await;
        client.send(cancel(1));
        // What it has published goes out, its join has no effect.
        let frames = sorted(&mut client, 3).await;
        assert_eq!(frames, [pair("1", 499), pair("cancel", 204), pair("event", 0)], "{action}");
        assert_eq!(progress.log(), ["1 stops"], "{action}");
        foundry.publisher().publish(&Annex, Said("no member".to_owned()));
        client.send(message("ping", 2));
        assert_eq!(next(&mut client).await, pair("2", 200), "{action}: later messages are not cancelled");
        client.send(message("cast", 3));
        progress.started(1).await;
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn reply_to_a_cancelled_message_is_an_error() {
    let (progress, foundry) = foundry();
    let mut client = open(&foundry).await;
    client.send(message("measure", 1));
    progress.started(1).await;
    client.send(cancel(1));
    let mut replies = [client.reply().await.value().clone(), client.reply().await.value().clone()];
    replies.sort_by_key(|reply| reply["status"].as_u64());
    assert_eq!(
        replies,
        [
            json!({"errors": [], "data": null, "action": "cancel", "route": "", "status": 204, "request_id": "cancel"}),
            json!({
                "errors": [{"code": "cancelled", "detail": "The action was cancelled."}],
                "data": null, "action": "measure", "route": "", "status": 499, "request_id": 1,
            }),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn action_that_does_not_stop_runs_to_its_end_and_is_answered_with_499() {
    let (progress, foundry) = foundry();
    let mut client = open(&foundry).await;
    client.send(message("finish", 1));
    progress.started(1).await;
    client.send(cancel(1));
    assert_eq!(next(&mut client).await, pair("cancel", 204));
    client.expect_silence().await;
    progress.resume(1);
    assert_eq!(next(&mut client).await, pair("1", 499));
    assert_eq!(progress.log(), ["1 ends"]);
}

#[tokio::test(start_paused = true)]
async fn droppable_action_is_dropped() {
    for action in ["measure", "measure_detached"] {
        let (progress, foundry) = foundry();
        let mut client = open(&foundry).await;
        client.send(message(action, 1));
        progress.started(1).await;
        client.send(cancel(1));
        assert_eq!(sorted(&mut client, 2).await, [pair("1", 499), pair("cancel", 204)], "{action}");
        progress.resume(1);
        assert_eq!(client.call("ping").await.status(), 200);
        assert_eq!(progress.log(), [""; 0], "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn message_whose_check_is_running_does_not_begin() {
    for action in ["unreachable", "unreachable_detached"] {
        let (progress, foundry) = foundry();
        let mut client = open(&foundry).await;
        client.send(message(action, 1));
        progress.started(1).await;
        client.send(cancel(1));
        assert_eq!(sorted(&mut client, 2).await, [pair("1", 499), pair("cancel", 204)], "{action}");
        assert_eq!((client.call("ping").await.status(), progress.log()), (200, Vec::<String>::new()), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn queued_message_is_taken_out() {
    let (progress, foundry) = foundry();
    let mut client = open(&foundry).await;
    client.send(message("measure", 1));
    for id in 2..=4 {
        client.send(message("note", id));
    }
    client.send(cancel(3));
    assert_eq!(sorted(&mut client, 2).await, [pair("3", 499), pair("cancel", 204)]);
    progress.resume(1);
    for id in ["1", "2", "4"] {
        assert_eq!(next(&mut client).await, pair(id, 200));
    }
    assert_eq!(progress.log(), ["1 ends", "2", "4"]);
}

#[tokio::test(start_paused = true)]
async fn messages_behind_a_cancelled_one_begin_although_the_client_leaves() {
    let (progress, foundry) = foundry();
    let mut client = open(&foundry).await;
    client.send(message("finish_in_order", 1));
    client.send(cancel(1));
    assert_eq!(next(&mut client).await, pair("cancel", 204));
    client.send(message("note", 2));
    client.send(message("note_detached", 3));
    drop(client);
    tokio::task::yield_now().await;
    progress.resume(1);
    progress.disconnected.notified().await;
    assert_eq!(progress.log(), ["1 ends", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn stream_ends_with_499_and_sends_no_further_value() {
    for action in ["pour", "pour_in_order", "pour_detached"] {
        let (progress, foundry) = foundry();
        let mut client = open(&foundry).await;
        client.send(message(action, 1));
        progress.resume(1);
        assert_eq!(client.reply().await.data(), 1);
        progress.started(2).await;
        client.send(cancel(1));
        let mut replies = [client.reply().await.value().clone(), client.reply().await.value().clone()];
        replies.sort_by_key(|reply| reply["status"].as_u64());
        assert_eq!((&replies[0]["status"], &replies[1]["status"]), (&json!(204), &json!(499)), "{action}");
        assert_eq!(replies[1]["last"], true, "{action}");
        progress.resume(5);
        assert_eq!(client.call("ping").await.status(), 200, "{action}");
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn stream_is_cancelled_before_its_first_value() {
    for action in ["pour", "pour_in_order", "pour_detached"] {
        let (_, foundry) = foundry();
        let mut client = open(&foundry).await;
        client.send(message(action, 1));
        client.send(cancel(1));
        assert_eq!(sorted(&mut client, 2).await, [pair("1", 499), pair("cancel", 204)], "{action}");
        assert_eq!(client.call("ping").await.status(), 200, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn cancel_of_nothing_is_answered_with_204() {
    let (progress, foundry) = foundry();
    let (mut client, mut other) = (open(&foundry).await, open(&foundry).await);
    other.send(message("measure", 1));
    progress.started(1).await;
    client.send(message("ping", 1));
    assert_eq!(next(&mut client).await, pair("1", 200));
    for target in [1, 2] {
        client.send(cancel(target));
        assert_eq!(next(&mut client).await, pair("cancel", 204));
    }
    other.expect_silence().await;
    progress.resume(1);
    assert_eq!(next(&mut other).await, pair("1", 200), "a message of another connection is not found");
    // Ids are compared as they were written.
    client.send(message("measure", 7));
    progress.started(1).await;
    for target in ["7.0", "\"7\"", "70"] {
        client.send(format!(r#"{{"action":"cancel","target":{target}}}"#));
        assert_eq!(client.reply().await.status(), 204);
    }
    progress.resume(1);
    assert_eq!(next(&mut client).await, pair("7", 200));
}

#[tokio::test(start_paused = true)]
async fn cancel_without_a_target_is_answered_with_400() {
    let (progress, foundry) = foundry();
    let mut client = open(&foundry).await;
    for is_busy in [false, true] {
        if is_busy {
            client.send(message("measure", 1));
            progress.started(1).await;
        }
        let reply = client.call("cancel").await;
        assert_eq!((reply.status(), reply.code()), (400, "missing_argument"));
        assert_eq!(reply.value()["errors"][0]["field"], "target");
    }
}

#[tokio::test(start_paused = true)]
async fn all_messages_with_the_id_are_cancelled() {
    let (progress, foundry) = foundry();
    let mut client = open(&foundry).await;
    for action in ["measure_detached", "measure_detached", "pour", "measure", "note", "note"] {
        client.send(message(action, 1));
    }
    client.send(message("note", 2));
    progress.started(3).await;
    client.send(cancel(1));
    let frames = sorted(&mut client, 8).await;
    let mut expected = vec![pair("1", 499); 6];
    expected.extend([pair("2", 200), pair("cancel", 204)]);
    assert_eq!(frames, expected);
    assert_eq!(progress.log(), ["2"]);
}

#[tokio::test(start_paused = true)]
async fn messages_to_cancel_do_not_grow_the_memory_of_a_client_that_waits() {
    let (progress, foundry) = foundry();
    let mut client = open(&foundry).await;
    client.send(message("measure", 1));
    progress.started(1).await;
    for _ in 0..200 {
        client.send(cancel(9));
    }
    for _ in 0..200 {
        assert_eq!(next(&mut client).await, pair("cancel", 204));
    }
    progress.resume(1);
    assert_eq!(next(&mut client).await, pair("1", 200));
}
