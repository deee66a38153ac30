//! What a revocation and a renewal log.

use tokio::time::sleep;

use super::{Callback, Fixture, MAX_AGE, Outcome, State, run};

#[test]
fn revoked_connection_is_closed() {
    run(&["connection closed: connect permission revoked"], async || {
        let fixture = Fixture::new();
        let mut client = fixture.open_member().await;
        fixture.state.connects.set(Outcome::Refuse);
        fixture.refresh().await;
        fixture.say(1);
        assert_eq!(client.closed().await, 4403);
        fixture.disconnected().await;
    });
}

#[test]
fn revoked_membership_ends() {
    run(&["group membership ended: permission revoked"], async || {
        let fixture = Fixture::new();
        let (mut member, mut subscriber) = (fixture.open_member().await, fixture.open().await);
        assert_eq!(subscriber.call("follow").request_id(5).await.status(), 200);
        fixture.state.joins.set(Outcome::Refuse);
        fixture.refresh().await;
        fixture.say(1);
        member.expect_silence().await;
        assert_eq!(subscriber.event().await.event_name(), Some("unsubscribed"));
        subscriber.expect_silence().await;
        assert_eq!(member.call("ping").await.status(), 200);
    });
}

#[test]
fn check_that_fails_once_is_repeated() {
    let entries = ["connect permission could not be evaluated", "group permission could not be evaluated"];
    run(&entries, async || {
        let fixture = Fixture::new();
        let mut client = fixture.open_member().await;
        fixture.state.connects.set(Outcome::FailOnce);
        fixture.state.joins.set(Outcome::FailOnce);
        fixture.refresh().await;
        fixture.say(1);
        assert_eq!(client.event().await.value()["data"], 1);
    });
}

#[test]
fn check_that_fails_closes_the_connection() {
    let entries = ["connect permission could not be evaluated", "group permission could not be evaluated"];
    run(&entries, async || {
        let callbacks: [fn(&State) -> &Callback; 2] = [|state| &state.connects, |state| &state.joins];
        for callback in callbacks {
            let fixture = Fixture::new();
            let mut client = fixture.open_member().await;
            callback(&fixture.state).set(Outcome::Fail);
            fixture.refresh().await;
            fixture.say(1);
            assert_eq!(client.closed().await, 4500);
            fixture.disconnected().await;
        }
    });
}

#[test]
fn right_that_was_revoked_without_notice_ends_at_the_renewal() {
    run(&["connection closed: connect permission revoked", "group membership ended: permission revoked"], async || {
        let fixture = Fixture::new();
        let mut client = fixture.open_member().await;
        fixture.state.joins.set(Outcome::Refuse);
        sleep(MAX_AGE).await;
        fixture.say(1);
        client.expect_silence().await;
        // The next renewal takes place.
        fixture.state.connects.set(Outcome::Refuse);
        sleep(MAX_AGE).await;
        assert_eq!(client.closed().await, 4403);
    });
}

#[test]
fn rights_that_cannot_be_renewed_end() {
    let entries = [
        "grants could not be renewed",
        "connect permission could not be renewed",
        "group permission could not be renewed",
    ];
    run(&entries, async || {
        let fixture = Fixture::new();
        let mut client = fixture.open_member().await;
        fixture.state.loads.set(Outcome::Fail);
        sleep(MAX_AGE).await;
        assert_eq!(client.call("read").await.status(), 500);
        for (outcome, status) in [(Outcome::Allow, 200), (Outcome::FailOnce, 200), (Outcome::Refuse, 403)] {
            fixture.state.loads.set(outcome);
            sleep(MAX_AGE).await;
            assert_eq!(client.call("read").await.status(), status, "{outcome:?}");
        }
        let callbacks: [fn(&State) -> &Callback; 2] = [|state| &state.connects, |state| &state.joins];
        for callback in callbacks {
            callback(&fixture.state).set(Outcome::FailOnce);
            sleep(MAX_AGE).await;
            fixture.say(1);
            assert_eq!(client.event().await.value()["data"], 1);
        }
        fixture.state.joins.set(Outcome::Fail);
        assert_eq!(client.closed().await, 4500);
    });
}
