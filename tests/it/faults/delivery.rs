//! Faults while an event is delivered: its permission, the grants that it needs, its frame and its data.

use std::time::Duration;

use tokio::time::sleep;

use super::depot::{BoardId, Framed, Granted, Hall, Packed, Posted, Watched, Weighed};
use super::{BYSTANDER, Fault, Fixture, PATIENCE, Place, SUBJECT, assert_table, outcome, table};

impl Fixture {
    /// Publishes an event whose delivery calls this place.
    fn publish_at(&self, place: Place, number: u32) {
        let publisher = self.depot.publisher();
        match place {
            "Watch" => publisher.publish(&Hall, Watched(number)),
            "Ruled" => publisher.publish(&Hall, Weighed(number)),
            "uploads.read" | "coalesce_key" => publisher.publish(&Hall, Granted(number)),
            "uploads.read(board)" => {
                publisher.publish(&Hall, Posted { board: BoardId(SUBJECT), number });
            }
            "framed" => publisher.publish(&Hall, Framed(number)),
            "packed" => publisher.publish(&Hall, Packed(number)),
            other => panic!("no event has {other}"),
        }
    }
}

/// Returns what the log has about a fault at this place.
fn log_text(place: Place) -> &'static str {
    match place {
        "Watch" => "event=\"watched\" permission=Watch",
        "Ruled" => "Ruled",
        "uploads.read(board)" => "event=\"posted\" permission=uploads.read(board)",
        "framed" => "event=\"framed\"",
        "packed" => "event=\"packed\"",
        _ => "event=\"granted\" permission=uploads.read",
    }
}

/// Publishes three events and returns what the subject observes.
async fn deliver(place: Place, fault: Fault) -> String {
    let mut fixture = Fixture::new();
    let (mut subject, mut bystander) = (fixture.open(SUBJECT).await, fixture.open(BYSTANDER).await);
    // Grants are loaded at the first event.
    fixture.state.arm(place, fault);
    let numbers = [100, 101, 102];
    for number in numbers {
        fixture.publish_at(place, number);
    }
    if place != "uploads.read(board)" {
        for number in numbers {
            assert_eq!(bystander.event().await.data(), number);
        }
        fixture.assert_undisturbed(&mut bystander).await;
    }
    sleep(PATIENCE).await;
    // A rule that has to wait is a mistake of the program, and so is data that cannot be serialized.
    let is_logged = match place {
        "Ruled" => fault != Fault::Refuse,
        "uploads.read" | "uploads.read(board)" => fault != Fault::Slow,
        _ => true,
    };
    fixture.assert_logged_if(is_logged, log_text(place), fault);
    fixture.state.disarm();
    subject.send(r#"{"action":"ping"}"#);
    sleep(Duration::from_secs(1)).await;
    outcome(subject, &numbers).await
}

#[tokio::test(start_paused = true)]
async fn fault_during_a_delivery_refuses_or_delays_it_for_one_connection() {
    let places = ["Watch", "Ruled", "uploads.read", "coalesce_key", "uploads.read(board)", "framed", "packed"];
    assert_table(
        &table(&places, &Fault::ALL, deliver).await,
        "
                       Refuse         Fail           Panic          Hang           Slow           FailOnce
Watch                  -              -              none           -              -              -
Ruled                  none           none           none           none           none           [101, 102]
uploads.read           none           none 4500      none 4500      none 4500      all            all
coalesce_key           -              -              none 4500      -              -              -
uploads.read(board)    none           none 4500      none 4500      none 4500      all            all
framed                 -              -              none           -              -              -
packed                 none           none           none           -              -              [101, 102]
",
    );
}
