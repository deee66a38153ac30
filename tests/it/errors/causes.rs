//! Errors per origin: the client is answered, the connection stays open, and the log has one escaped line.

use portcullis::testing::Reply;

use super::*;
use crate::common::log_capture::LogCapture;

/// Every place that an error of the application comes from, and the message of its log line.
const PLACES: &[(&str, &str)] = &[
    ("action", "failed"),
    ("detached", "failed"),
    ("stream", "failed"),
    ("permission", "failed"),
    ("handshake", "authentication failed"),
    ("connect permission", "failed"),
    ("connect", "failed"),
    ("authenticate", "failed"),
    ("authenticate during an action", "failed"),
    ("grants", "event delayed: grants could not be loaded"),
    ("group", "group permission could not be evaluated"),
    ("connect permission, revalidated", "connect permission could not be evaluated"),
    ("group, by publisher", "group join failed"),
];

/// Returns the log lines of a run in which `place` fails with `fault`. Panics unless the error is contained there.
async fn captured_log(place: &'static str, fault: Fault) -> Vec<String> {
    let log = LogCapture::start();
    match place {
        "handshake" | "connect permission" | "connect" => fail_during_handshake(place, fault).await,
        "grants" | "group" | "connect permission, revalidated" | "group, by publisher" => {
            fail_for_members(place, fault).await;
        }
        "authenticate during an action" => fail_during_action(fault).await,
        _ => fail_in_message(place, fault).await,
    }
    log.take()
}

fn assert_fault(reply: &Reply) {
    assert_eq!((reply.status(), reply.code()), (500, "internal_error"), "{reply:?}");
    assert_eq!(reply.value()["errors"][0]["id"].as_str().unwrap().len(), 16, "{reply:?}");
}

async fn fail_in_message(place: &'static str, fault: Fault) {
    let (state, chat) = chat();
    let mut client = open(&chat, member(2)).await;
    state.arm(place, fault);
    match place {
        "permission" | "action" => assert_fault(&client.call("act").await),
        "blocking" => assert_fault(&client.call("block").await),
        "detached" => assert_fault(&client.call("act_detached").await),
        "stream" => {
            assert_eq!(client.call("stream").await.data(), 1);
            assert_fault(&client.reply().await);
        }
        _ => {
            assert_fault(&client.call("authenticate").with("id", 2).await);
            assert_eq!(client.call("authenticate").with("id", 2).await.status(), 204);
        }
    }
    assert_alive(&mut client).await;
}

async fn fail_during_action(fault: Fault) {
    let (state, chat) = chat();
    let mut client = open(&chat, member(2)).await;
    client.send(r#"{"action":"hold","request_id":"hold"}"#);
    state.begun.notified().await;
    state.arm("authenticate", fault);
    assert_fault(&client.call("authenticate").with("id", 2).await);
    assert_eq!(client.call("authenticate").with("id", 2).await.status(), 204);
    state.go_on.notify_one();
    assert_eq!(client.reply().await.value()["request_id"], "hold");
    assert_alive(&mut client).await;
}

async fn fail_during_handshake(place: &'static str, fault: Fault) {
    let (state, chat) = chat();
    state.arm(place, fault);
    let handshake_state = state.clone();
    let chat = chat.authenticate(move |_: &http::request::Parts| {
        let answer = handshake_state.check("handshake").map(|()| Some(member(2)));
        async move { answer }
    });
    match connect(&chat).open().await {
        Err(refused) => assert_eq!((refused.status(), place == "connect"), (500, false)),
        Ok(mut client) => assert_eq!((client.closed().await, place), (4500, "connect")),
    }
    assert_alive(&mut open(&chat, member(3)).await).await;
}

async fn fail_for_members(place: &'static str, fault: Fault) {
    let (state, chat) = chat();
    let (mut first, mut second) = (open(&chat, member(1)).await, open(&chat, member(2)).await);
    state.arm(place.split(',').next().unwrap(), fault);
    if place == "grants" {
        assert_eq!(first.call("upload").with("number", 5).await.status(), 200);
        assert_eq!((first.reply().await.data(), second.reply().await.data()), (&5.into(), &5.into()), "loaded again");
        assert_eq!(first.call("say").with("number", 6).await.status(), 200);
        assert_eq!((first.reply().await.data(), second.reply().await.data()), (&6.into(), &6.into()));
    } else if place == "group" {
        assert!(chat.connections().refresh_user("2").revalidated().await.is_acknowledged());
        chat.publisher().publish(&Room(1), Said(6));
        assert_eq!(
            (first.reply().await.data(), second.reply().await.data()),
            (&6.into(), &6.into()),
            "evaluated again"
        );
    } else if place == "group, by publisher" {
        assert_eq!(chat.publisher().join("2", Room(2)).await, 0);
        assert_eq!(chat.publisher().join("2", Room(2)).await, 1);
        assert_alive(&mut second).await;
    } else {
        assert!(chat.connections().refresh_user("2").revalidated().await.is_acknowledged());
        assert_alive(&mut second).await;
    }
    assert_alive(&mut first).await;
}

/// Returns the only line with this message.
fn line<'l>(lines: &'l [String], message: &str) -> &'l str {
    let wanted = format!(" message={message} ");
    let found: Vec<_> = lines.iter().filter(|line| line.contains(&wanted)).collect();
    assert_eq!(found.len(), 1, "{message}: {lines:?}");
    found[0]
}

#[tokio::test]
async fn error_text_is_escaped_and_truncated_in_the_log() {
    for (place, message) in PLACES {
        let lines = captured_log(place, Fault::HostileText).await;
        let line = line(&lines, message);
        assert!(line.contains(r"first\nsecond \u{1b}[31m\u{202e}x"), "{place}: {line}");
        assert!(!line.contains(['\n', '\u{1b}', '\u{202e}']) && line.len() < 1300, "{place}: {line}");
    }
}

/// A blocking action writes its log on a thread of the pool, so only the reply is checked.
#[tokio::test]
async fn error_of_a_blocking_action_is_contained() {
    for fault in [Fault::DisplayPanics, Fault::DropPanics, Fault::PayloadPanics] {
        fail_in_message("blocking", fault).await;
    }
}

#[tokio::test]
async fn error_text_of_an_event_is_escaped_in_the_log() {
    let log = LogCapture::start();
    let (_, chat) = chat();
    let mut client = open(&chat, member(1)).await;
    assert_eq!(client.call("break_event").await.status(), 200);
    assert_alive(&mut client).await;
    let lines = log.take();
    let line = line(&lines, "event not sent: encoding failed");
    assert!(line.contains(r"first\nsecond \u{1b}[31m") && !line.contains(['\n', '\u{1b}']), "{line}");
}

#[tokio::test]
async fn error_whose_display_panics_is_contained() {
    for (place, message) in PLACES {
        let lines = captured_log(place, Fault::DisplayPanics).await;
        let line = line(&lines, message);
        assert!(line.contains("[`Display` panicked]"), "{place}: {line}");
    }
}

#[tokio::test]
async fn error_whose_drop_panics_is_contained() {
    for (place, message) in PLACES {
        let lines = captured_log(place, Fault::DropPanics).await;
        line(&lines, message);
        let dropped = lines.iter().find(|line| line.contains("caught a panic in `Drop`")).unwrap();
        assert!(dropped.contains("dropped"), "{place}: {dropped}");
    }
}

#[tokio::test]
async fn panic_whose_payload_panics_is_contained() {
    for (place, message) in PLACES {
        let lines = captured_log(place, Fault::PayloadPanics).await;
        line(&lines, message);
    }
}

#[tokio::test]
async fn event_whose_code_panics_with_a_payload_that_panics_is_contained() {
    for (place, number) in [("event permission", 5), ("event", 99)] {
        let (state, chat) = chat();
        let (mut first, mut second) = (open(&chat, member(1)).await, open(&chat, member(2)).await);
        state.arm(place, Fault::PayloadPanics);
        // A frame that cannot be encoded is the error of its publisher.
        let status = if place == "event" { 500 } else { 200 };
        assert_eq!(first.call("say").with("number", number).await.status(), status);
        assert_eq!(first.call("say").with("number", 6).await.status(), 200);
        assert_eq!(second.reply().await.data(), 6, "{place}");
    }
}

#[tokio::test]
async fn disconnect_that_panics_with_a_payload_that_panics_is_contained() {
    let log = LogCapture::start();
    let (state, chat) = chat();
    let client = open(&chat, member(1)).await;
    state.arm("disconnect", Fault::PayloadPanics);
    drop(client);
    state.gone.notified().await;
    tokio::task::yield_now().await;
    let lines = log.take();
    assert!(lines.iter().any(|line| line.contains("`#[disconnect]` panicked")), "{lines:?}");
}
