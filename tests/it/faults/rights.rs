//! Faults of callbacks that are evaluated again when rights change, or when they are too old.

use std::time::Duration;

use portcullis::Limits;
use portcullis::testing::Client;
use tokio::time::{Instant, sleep};

use super::depot::{Archive, Board, BoardId, Entered, RuledGroup, Said};
use super::{ACTION_TIMEOUT, BYSTANDER, Fault, Fixture, PATIENCE, Place, SUBJECT, assert_table, outcome, table};
use crate::common::limits::without_heartbeat;

/// What is evaluated again: the connect permissions, and those of the groups of that name.
const PLACES: [Place; 7] =
    ["Opinion", "Strict", "Enter", "Ruled", "uploads.read", "coalesce_key", "uploads.read(board)"];

const MAX_AGE: Duration = Duration::from_mins(1);

impl Fixture {
    /// Publishes an event to the group that a place guards. For a place that guards none, to one that nothing guards.
    fn publish_to(&self, place: Place, number: u32) {
        let publisher = self.depot.publisher();
        match place {
            "Enter" => publisher.publish(&Entered, Said(number)),
            "Ruled" => publisher.publish(&RuledGroup, Said(number)),
            "uploads.read" | "coalesce_key" => publisher.publish(&Archive, Said(number)),
            "uploads.read(board)" => publisher.publish(&Board { board: BoardId(SUBJECT) }, Said(number)),
            _ => publisher.publish(&super::Hall, Said(number)),
        }
    }

    /// Opens a connection that is a member of the group, by a subscription or not.
    async fn open_in(&self, user: u32, place: Place, action: &str) -> Client {
        let mut client = self.open(user).await;
        if !matches!(place, "Opinion" | "Strict") {
            let call = client.call(action).with("group", place).with("board", user).request_id("s");
            assert_eq!(call.await.status(), 200);
        }
        client
    }
}

/// Publishes three events to the group after rights have changed, and returns what the subject observes.
async fn observe(
    mut fixture: Fixture,
    place: Place,
    fault: Fault,
    log_text: &str,
    [mut subject, mut bystander]: [Client; 2],
) -> String {
    let numbers = [100, 101, 102];
    for number in numbers {
        fixture.publish_to(place, number);
    }
    if place != "uploads.read(board)" {
        for number in numbers {
            assert_eq!(bystander.event_as::<u32>("said").await, number);
        }
    }
    fixture.assert_undisturbed(&mut bystander).await;
    sleep(PATIENCE).await;
    // A source of grants never refuses: whatever error it has is logged.
    let is_logged = fault != Fault::Slow && (fault != Fault::Refuse || log_text.starts_with("grants"));
    fixture.assert_logged_if(is_logged, log_text, fault);
    fixture.state.disarm();
    fixture.assert_undisturbed(&mut bystander).await;
    subject.send(r#"{"action":"ping"}"#);
    sleep(Duration::from_secs(1)).await;
    outcome(subject, &numbers).await
}

/// Returns what the log has about a fault at this place: the leaf, and the group that it guards.
fn log_text(place: Place) -> String {
    match place {
        "Opinion" | "Strict" => format!("leaf=\"{place}\""),
        "Enter" => "group=\"Entered\" leaf=\"Enter\"".to_owned(),
        "Ruled" => "group=\"RuledGroup\" leaf=\"Ruled\"".to_owned(),
        "uploads.read(board)" => "group=\"Board\" leaf=\"uploads.read(board)\"".to_owned(),
        _ => "group=\"Archive\" leaf=\"uploads.read\"".to_owned(),
    }
}

/// Reports a change of rights. Those of the bystander are evaluated at once.
async fn refresh(place: Place, fault: Fault, action: &str) -> String {
    let fixture = Fixture::new();
    let subject = fixture.open_in(SUBJECT, place, action).await;
    let bystander = fixture.open_in(BYSTANDER, place, action).await;
    fixture.state.arm(place, fault);
    // Forgets overwrites too.
    assert!(fixture.depot.connections().refresh_all().await.is_acknowledged());
    let started_at = Instant::now();
    assert!(fixture.depot.connections().refresh_user("2").revalidated().await.is_acknowledged());
    assert_eq!(started_at.elapsed(), Duration::ZERO, "another user waited");
    observe(fixture, place, fault, &log_text(place), [subject, bystander]).await
}

#[tokio::test(start_paused = true)]
async fn fault_after_a_change_of_rights_is_retried_and_then_closes_one_connection() {
    let run = async |place, fault| refresh(place, fault, "join").await;
    assert_table(
        &table(&PLACES, &Fault::ALL, run).await,
        "
                       Refuse         Fail           Panic          Hang           Slow           FailOnce
Opinion                none 4403      none 4500      none 4500      none 4500      all            all
Strict                 none 4403      none 4500      none 4500      none 4500      all            all
Enter                  none           none 4500      none 4500      none 4500      all            all
Ruled                  none           none 4500      none 4500      none 4500      all            all
uploads.read           none           none 4500      none 4500      none 4500      all            all
coalesce_key           -              -              none 4500      -              -              -
uploads.read(board)    none           none 4500      none 4500      none 4500      all            all
",
    );
}

#[tokio::test(start_paused = true)]
async fn fault_after_a_change_of_rights_ends_subscriptions_or_the_connection() {
    let run = async |place, fault| refresh(place, fault, "subscribe").await;
    assert_table(
        &table(&PLACES[2..], &Fault::ALL, run).await,
        "
                       Refuse         Fail           Panic          Hang           Slow           FailOnce
Enter                  none ended 403 none 4500      none 4500      none 4500      all            all
Ruled                  none ended 403 none 4500      none 4500      none 4500      all            all
uploads.read           none ended 403 none 4500      none 4500      none 4500      all            all
coalesce_key           -              -              none 4500      -              -              -
uploads.read(board)    none ended 403 none 4500      none 4500      none 4500      all            all
",
    );
}

/// Lets the rights of two connections get too old.
async fn renew(place: Place, fault: Fault) -> String {
    let limits = Limits { action_timeout: ACTION_TIMEOUT, grants_max_age: Some(MAX_AGE), ..without_heartbeat() };
    let fixture = Fixture::with(limits);
    let subject = fixture.open_in(SUBJECT, place, "subscribe").await;
    let bystander = fixture.open_in(BYSTANDER, place, "subscribe").await;
    fixture.state.arm(place, fault);
    // The renewal of the grants fails before that of the permissions.
    let log_text = if place.contains(['.', '_']) { "grants could not be renewed".to_owned() } else { log_text(place) };
    sleep(MAX_AGE + Duration::from_secs(1)).await;
    observe(fixture, place, fault, &log_text, [subject, bystander]).await
}

#[tokio::test(start_paused = true)]
async fn fault_during_a_renewal_is_retried_and_then_closes_one_connection() {
    assert_table(
        &table(&PLACES, &Fault::ALL, renew).await,
        "
                       Refuse         Fail           Panic          Hang           Slow           FailOnce
Opinion                none 4403      none 4500      none 4500      none 4500      all            all
Strict                 none 4403      none 4500      none 4500      none 4500      all            all
Enter                  none ended 403 none 4500      none 4500      none 4500      all            all
Ruled                  none ended 403 none 4500      none 4500      none 4500      all            all
uploads.read           none ended 403 none 4500      none 4500      none 4500      all            all
coalesce_key           -              -              none 4500      -              -              -
uploads.read(board)    none ended 403 none 4500      none 4500      none 4500      all            all
",
    );
}
