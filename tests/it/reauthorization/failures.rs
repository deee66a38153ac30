//! Reauthorizations that fail: the client gets 403, and the log has the cause.

use super::state::LeafResult;
use super::{assert_alive, call, fixture};
use crate::common::log_capture::LogCapture;

const WAYS: [(LeafResult, &[&str]); 5] = [
    (LeafResult::No, &["INFO", "leaf=\"May(\\\"own\\\")\"", "status=403"]),
    (LeafResult::Refuses, &["INFO", "leaf=\"May(\\\"own\\\")\"", "status=409"]),
    (LeafResult::Fails, &["ERROR", "leaf=\"May(\\\"own\\\")\"", "status=500", "a leaf's secret"]),
    (LeafResult::Panics, &["ERROR", "leaf=\"May(\\\"own\\\")\"", "status=500", "panicked: a leaf's secret"]),
    (LeafResult::Hangs, &["ERROR", "leaf=\"May(\\\"own\\\")\"", "status=500", "the check took too long"]),
];

#[tokio::test(start_paused = true)]
async fn reauthorization_that_denies_fails_or_hangs_is_answered_with_403() {
    let log = LogCapture::start();
    for action in ["wait", "wait_detached", "stream", "stream_detached"] {
        for (results, parts) in WAYS {
            let fixture = fixture();
            let mut client = fixture.open(1).await;
            drop(log.take());
            let message = format!(r#"{{"action":"{action}","count":3}}"#);
            let reply = fixture.reply_after(&mut client, &message, |state| state.set("own", results)).await;
            assert_eq!((reply.status(), reply.code()), (403, "rights_changed"), "{results:?}");
            assert!(!reply.text().contains("secret") && reply.value()["errors"][0].get("id").is_none(), "{reply:?}");
            let last = action.starts_with("stream").then_some(true);
            assert_eq!(reply.value()["last"].as_bool(), last, "{reply:?}");
            let lines = log.take();
            let told = |line: &&String| parts.iter().all(|part| line.contains(part)) && line.contains(action);
            assert_eq!(lines.iter().filter(told).count(), 1, "{results:?}: {lines:?}");
            assert_eq!(fixture.take_runs(), 1);
            if action.starts_with("stream") {
                assert_eq!(client.event().await.data(), 3, "its publication");
            }
            assert_alive(&mut client).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_reauthorization_delays_no_other_message() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    fixture.change_during(&mut client, &call("wait_detached"), |state| state.set("own", LeafResult::Hangs)).await;
    // The action is detached, so later messages do not wait.
    for _ in 0..3 {
        assert_eq!(client.call("ping").await.data(), "pong");
    }
    assert_eq!(client.reply().await.status(), 403);
    assert_alive(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn change_during_reauthorization_evaluates_once_more() {
    for action in ["wait", "wait_detached"] {
        for takes in [true, false] {
            let fixture = fixture();
            let mut client = fixture.open(1).await;
            fixture.change_during(&mut client, &call(action), |state| state.set("own", LeafResult::Waits)).await;
            fixture.state.evaluating.notified().await;
            fixture.state.results.lock().unwrap().clear();
            if takes {
                fixture.state.set("own", LeafResult::No);
            }
            assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
            // The evaluation before this change allows.
            fixture.state.evaluation_permits.add_permits(1);
            let reply = client.reply().await;
            assert_eq!(reply.status() == 403, takes, "{reply:?}");
            assert_eq!(fixture.take_runs(), 1);
            assert_alive(&mut client).await;
        }
    }
}
