//! An evaluation that a change of rights has overtaken refuses nothing.

use std::time::Duration;

use futures_util::FutureExt;
use portcullis::testing::Client;
use tokio::time::sleep;

use super::{Fixture, Kept, Outcome, Room, Said, fixture};

/// How long an evaluation takes that has read its outcome.
const SLOW: Duration = Duration::from_secs(4);

/// Grants the user its rights again while an evaluation refuses them, and waits until that has ended.
async fn grant_again(fixture: &Fixture, client: &mut Client) {
    sleep(SLOW / 2).await;
    fixture.state.connects.set(1, Outcome::Allow);
    fixture.state.connects.set_delay(Duration::ZERO);
    assert!(fixture.endpoint.connections().refresh_user("1").await.is_acknowledged());
    sleep(SLOW).await;
    assert_eq!(client.call("ping").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn refusal_of_the_connect_permission_before_a_later_change_closes_nothing() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    fixture.state.connects.set(1, Outcome::Refuse);
    fixture.state.connects.set_delay(SLOW);
    assert!(fixture.endpoint.connections().refresh_user("1").await.is_acknowledged());
    grant_again(&fixture, &mut client).await;
}

#[tokio::test(start_paused = true)]
async fn refusal_of_the_connect_permission_in_a_renewal_before_a_change_closes_nothing() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    fixture.state.take_all_counts();
    fixture.state.connects.set(1, Outcome::Refuse);
    fixture.state.connects.set_delay(SLOW);
    while fixture.state.connects.take_counts().0 == 0 {
        sleep(Duration::from_millis(100)).await;
    }
    grant_again(&fixture, &mut client).await;
}

#[tokio::test(start_paused = true)]
async fn group_that_is_joined_anew_while_its_membership_ends_is_not_left() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    assert_eq!(client.call("enter").with("room", 1).await.status(), 200);
    fixture.state.joins.set(1, Outcome::Refuse);
    fixture.state.joins.set_delay(SLOW);
    assert!(fixture.endpoint.connections().refresh_user("1").await.is_acknowledged());
    sleep(SLOW / 2).await;
    // The event waits for the permission of its group, and is dropped when the membership ends.
    let (publisher, state) = (fixture.endpoint.publisher(), fixture.state.clone());
    let joins_again = move || {
        state.joins.set(1, Outcome::Allow);
        state.joins.set_delay(Duration::ZERO);
        assert_eq!(publisher.join("1", Room(1)).now_or_never(), Some(1));
    };
    fixture.endpoint.publisher().publish(&Room(1), Kept(Some(Box::new(joins_again))));
    sleep(SLOW).await;
    fixture.endpoint.publisher().publish(&Room(1), Said(7));
    assert_eq!(client.event().await.value()["data"], 7);
}
