//! Who asks again and hears no answer, or an error, has heard a no; the log knows more.

use super::state::Says;
use super::{call, is_alive, world};
use crate::common::log_capture::LogCapture;

const WAYS: [(Says, &[&str]); 5] = [
    (Says::No, &["INFO", "leaf=\"May(\\\"own\\\")\"", "status=403"]),
    (Says::Refuses, &["INFO", "leaf=\"May(\\\"own\\\")\"", "status=409"]),
    (Says::Fails, &["ERROR", "leaf=\"May(\\\"own\\\")\"", "status=500", "a leaf's secret"]),
    (Says::Panics, &["ERROR", "leaf=\"May(\\\"own\\\")\"", "status=500", "panicked: a leaf's secret"]),
    (Says::Hangs, &["ERROR", "leaf=\"May(\\\"own\\\")\"", "status=500", "the check took too long"]),
];

#[tokio::test(start_paused = true)]
async fn reauthorization_that_denies_fails_or_hangs_is_answered_with_403() {
    let log = LogCapture::start();
    for action in ["wait", "wait_aside", "stream", "stream_aside"] {
        for (says, parts) in WAYS {
            let world = world();
            let mut client = world.open(1).await;
            drop(log.take());
            let message = format!(r#"{{"action":"{action}","count":3}}"#);
            let reply = world.reply_after(&mut client, &message, |truth| truth.set("own", says)).await;
            assert_eq!((reply.status(), reply.code()), (403, "permission_denied"), "{says:?}");
            assert!(!reply.text().contains("secret") && reply.value()["errors"][0].get("id").is_none(), "{reply:?}");
            let last = action.starts_with("stream").then_some(true);
            assert_eq!(reply.value()["last"].as_bool(), last, "{reply:?}");
            let lines = log.take();
            let told = |line: &&String| parts.iter().all(|part| line.contains(part)) && line.contains(action);
            assert_eq!(lines.iter().filter(told).count(), 1, "{says:?}: {lines:?}");
            assert_eq!(world.runs(), 1);
            is_alive(&mut client).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_reauthorization_delays_no_other_message() {
    let world = world();
    let mut client = world.open(1).await;
    world.change_amid(&mut client, &call("wait_aside"), |truth| truth.set("own", Says::Hangs)).await;
    // Beside the queue, so nobody behind it waits.
    for _ in 0..3 {
        assert_eq!(client.call("ping").await.data(), "pong");
    }
    assert_eq!(client.reply().await.status(), 403);
    is_alive(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn change_during_reauthorization_evaluates_once_more() {
    for action in ["wait", "wait_aside"] {
        for takes in [true, false] {
            let world = world();
            let mut client = world.open(1).await;
            world.change_amid(&mut client, &call(action), |truth| truth.set("own", Says::Waits)).await;
            world.truth.asked.notified().await;
            world.truth.says.lock().unwrap().clear();
            if takes {
                world.truth.set("own", Says::No);
            }
            world.sessions.refresh_user("1").await;
            // A yes of before this change.
            world.truth.answer.add_permits(1);
            let reply = client.reply().await;
            assert_eq!(reply.status() == 403, takes, "{reply:?}");
            assert_eq!(world.runs(), 1);
            is_alive(&mut client).await;
        }
    }
}
