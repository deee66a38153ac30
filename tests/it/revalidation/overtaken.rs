//! An evaluation that a change of rights has overtaken refuses nothing.

use std::time::Duration;

use portcullis::testing::Client;
use tokio::time::sleep;

use super::{Fixture, Outcome, fixture};

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
