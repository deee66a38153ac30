//! A message to `cancel` that is sent right after its target always finds it: counted over many runs, on several threads,
//! in process and on a real socket.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::{cancel, foundry, message, open, pair};
use crate::common::clients::{self, Socket, connect_member};

const RUNS: u32 = 300;

async fn next(socket: &mut Socket) -> Value {
    loop {
        let frame = socket.next().await.unwrap().unwrap();
        let value: Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
        if value["event"].is_null() {
            return value;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_right_after_its_target_always_finds_it() {
    // Each of these ends only if it is cancelled.
    for action in ["cast", "cast_detached", "pour", "pour_in_order", "pour_detached", "unreachable_detached"] {
        let (progress, foundry) = foundry();
        let mut client = open(&foundry).await;
        let mut cancelled = 0;
        for id in 0..RUNS {
            client.send(message(action, id));
            client.send(cancel(id));
            let mut frames = Vec::new();
            while frames.len() < 2 {
                let frame = super::next(&mut client).await;
                if frame.0 != "event" {
                    frames.push(frame);
                }
            }
            frames.sort_unstable();
            assert_eq!(frames, [pair(&id.to_string(), 499), pair("cancel", 204)], "{action}");
            cancelled += 1;
        }
        assert_eq!(cancelled, RUNS);
        assert!(!progress.log().contains(&"unreachable".to_owned()));
    }
}

/// All at once, so that some are running, some are checked, and some are queued.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_cancelled_messages_is_answered_once() {
    let (_, foundry) = foundry();
    let address = clients::serve(foundry).await;
    let mut socket = connect_member(&address).await;
    for round in 0..20 {
        let ids = round * 100..round * 100 + 10;
        for id in ids.clone() {
            let action = ["cast_detached", "pour", "measure_detached", "note"][id as usize % 4];
            socket.feed(Message::text(message(action, id))).await.unwrap();
        }
        for id in ids.clone() {
            socket.feed(Message::text(cancel(id))).await.unwrap();
        }
        socket.flush().await.unwrap();
        let mut answered = Vec::new();
        for _ in 0..20 {
            let reply = next(&mut socket).await;
            let status = reply["status"].as_u64().unwrap();
            match reply["request_id"].as_u64() {
                None => assert_eq!(status, 204),
                Some(id) => {
                    let is_note = reply["action"] == "note";
                    assert!(status == 499 || is_note && status == 200, "{reply}");
                    answered.push(u32::try_from(id).unwrap());
                }
            }
        }
        answered.sort_unstable();
        assert_eq!(answered, ids.collect::<Vec<_>>());
    }
}
