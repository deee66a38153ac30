//! Random credentials between random events and actions: nothing is delivered on old rights.

use std::pin::Pin;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use portcullis::Propagation;
use serde_json::{Value, json};

use super::{Lobby, Personal, Room, Said, Uploaded, Whispered, fixture, send_action, send_authenticate};
use crate::common::rng::Rng;

/// The rights of a token, one per bit.
fn rights(bits: u64) -> String {
    let all = ["see", "hear", "inside", "call"].into_iter().enumerate();
    all.filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, right)| right).collect::<Vec<_>>().join(",")
}

/// What the client knows about its rights.
#[derive(Default)]
struct Expected {
    /// The rights of the last 204, unless an `authenticate` is pending.
    known_rights: Option<String>,
    /// The rights of the pending `authenticate`.
    pending: Option<String>,
    /// The number of evaluations.
    answered: u32,
    /// The number of frames per kind and status.
    counts: std::collections::BTreeMap<String, u32>,
}

impl Expected {
    fn check_frame(&mut self, frame: &Value) {
        let kind = frame["event"].as_str().or_else(|| frame["action"].as_str()).unwrap().to_owned();
        *self.counts.entry(format!("{kind} {}", frame["status"].as_u64().unwrap_or_default())).or_default() += 1;
        if kind == "authenticate" {
            assert_eq!(frame["status"], 204, "{frame}");
            self.known_rights = self.pending.take();
            self.answered += 1;
            return;
        }
        let Some(known_rights) = &self.known_rights else { return };
        let may = |right: &str| known_rights.split(',').any(|own| own == right);
        let allowed = match kind.as_str() {
            "uploaded" => may("see"),
            "whispered" => may("hear"),
            "said" => may("inside"),
            "personal" => frame["data"][1] == known_rights.as_str(),
            // An action that began before may return the user it began for.
            "whoami" => frame["request_id"] != self.answered || frame["data"][1] == known_rights.as_str(),
            // A refusal may result from the rights before.
            "call" => frame["status"] == 403 || may("call"),
            "uploads" => frame["status"] == 403 || may("see"),
            "enter" => frame["status"] == 403 || may("inside"),
            _ => true,
        };
        assert!(allowed, "with `{known_rights}` there came {frame}");
    }
}

#[tokio::test]
async fn random_reauthentications_deliver_nothing_on_old_rights() {
    let fixture = fixture();
    let mut client = fixture.open("1 see,hear,inside,call").await;
    let (publisher, connections) = (fixture.chat.publisher(), fixture.chat.connections());
    let mut rng = Rng(0x2545_f491_4f6c_dd1d);
    let mut expected = Expected { known_rights: Some(rights(15)), ..Expected::default() };
    let mut refreshing: Option<Pin<Box<dyn Future<Output = Propagation>>>> = None;
    for step in 0..50_000 {
        match rng.below(20) {
            0 | 1 => publisher.publish(&Lobby, Uploaded(step)),
            2 => publisher.publish(&Lobby, Whispered(step)),
            3 => publisher.publish(&Lobby, Personal(step)),
            4 | 5 => publisher.publish(&Room, Said(step)),
            6 => publisher.publish_to_user("1", Uploaded(step)),
            7 => send_action(&mut client, if rng.below(2) == 0 { "call" } else { "uploads" }),
            8 => client.send(json!({"action": "whoami", "request_id": expected.answered}).to_string()),
            9 if expected.pending.is_none() => {
                // Frames on the old rights may arrive until the reply.
                let fresh = rights(rng.below(16));
                send_authenticate(&mut client, &format!("1 {fresh}"), "renewed");
                expected.known_rights = None;
                expected.pending = Some(fresh);
                fixture.state.yields_per_evaluation.store(usize::try_from(rng.below(4)).unwrap(), Ordering::SeqCst);
            }
            10 if rng.below(4) == 0 => send_action(&mut client, "enter"),
            11 if refreshing.is_none() => {
                let connections = connections.clone();
                refreshing = Some(Box::pin(connections.refresh_user("1").revalidated()));
            }
            12 | 13 => {
                if let Some(refresh) = &mut refreshing
                    && futures_util::poll!(refresh).is_ready()
                {
                    refreshing = None;
                }
            }
            14..=16 => {
                for _ in 0..rng.below(20) {
                    tokio::task::yield_now().await;
                }
            }
            _ => {
                // Not always everything that has arrived.
                for _ in 0..rng.below(12) {
                    let Some(frame) = client.reply().now_or_never() else { break };
                    expected.check_frame(frame.value());
                }
            }
        }
    }
    let often = |kind: &str| expected.counts.get(kind).copied().unwrap_or_default();
    let kinds = [
        "authenticate 204",
        "uploaded 0",
        "whispered 0",
        "personal 0",
        "said 0",
        "call 200",
        "call 403",
        "uploads 200",
        "whoami 200",
        "enter 200",
        "enter 403",
    ];
    assert!(kinds.iter().all(|kind| often(kind) > 50), "too few frames of a kind: {:?}", expected.counts);
}
