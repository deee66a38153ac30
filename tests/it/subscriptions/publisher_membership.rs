//! `Publisher::join` and `Publisher::leave`: memberships that change from outside the connection.

use futures_util::poll;
use portcullis::testing::connect;

use super::{Room, Uploaded, act, act_ok, fixture, fixture_with_max_groups, frames, said, settle};

const NOTHING: Vec<String> = Vec::new();

#[tokio::test(start_paused = true)]
async fn publisher_join_adds_all_connections_of_one_user() {
    let fixture = fixture();
    let (mut one, mut twin, mut two) =
        (fixture.open(1, &[]).await, fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    let mut stranger = connect(&fixture.feed).open().await.unwrap();
    settle(&mut stranger).await;
    assert_eq!(fixture.publisher.join("1", Room { id: 2 }).await, 2);
    assert_eq!(
        fixture.state.evaluations.lock().unwrap().get(&1),
        Some(&2),
        "the permission is evaluated per connection"
    );
    assert_eq!(fixture.state.evaluations.lock().unwrap().get(&2), None);
    for nobody in ["3", "", "anonymous"] {
        assert_eq!(fixture.publisher.join(nobody, Room { id: 2 }).await, 0);
    }
    let mut late = fixture.open(1, &[]).await;
    fixture.say(2, "hello");
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [said("hello", 2, "")]);
    }
    for client in [&mut two, &mut stranger, &mut late] {
        assert_eq!(frames(client).await, NOTHING);
    }
    assert_eq!(fixture.publisher.join("1", Room { id: 2 }).await, 3, "existing members count too");
    fixture.say(2, "again");
    for client in [&mut one, &mut twin, &mut late] {
        assert_eq!(frames(client).await, [said("again", 2, "")], "an existing member gets it once");
    }
}

#[tokio::test(start_paused = true)]
async fn publisher_join_that_is_refused_adds_nothing() {
    let fixture = fixture_with_max_groups(1);
    let (mut one, mut two) = (fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    fixture.state.outsiders.lock().unwrap().insert(1);
    assert_eq!(fixture.publisher.join("1", Room { id: 2 }).await, 0);
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, NOTHING);
    act_ok(&mut two, "1", r#"{"subscribe":4}"#).await;
    assert_eq!(fixture.publisher.join("2", Room { id: 2 }).await, 0, "the group limit is reached");
    assert_eq!(fixture.publisher.join("2", Room { id: 4 }).await, 0, "a join needs a slot of its own");
    fixture.say(2, "hello");
    fixture.say(4, "hello");
    assert_eq!(frames(&mut two).await, [said("hello", 4, "1")]);
    fixture.state.outsiders.lock().unwrap().clear();
    assert_eq!(fixture.publisher.join("1", Room { id: 2 }).await, 1, "a refusal takes no slot");
    assert_eq!(act(&mut one, "1", r#"{"subscribe":2}"#).await.status(), 409, "a join takes a slot");
}

#[tokio::test(start_paused = true)]
async fn publisher_join_during_a_change_is_revalidated() {
    for keeps_right in [true, false] {
        let fixture = fixture();
        let mut one = fixture.open(1, &[]).await;
        fixture.state.group_gate.close();
        let mut joining = Box::pin(fixture.publisher.join("1", Room { id: 2 }));
        assert!(poll!(&mut joining).is_pending(), "the group permission has been computed, and waits");
        if !keeps_right {
            fixture.state.outsiders.lock().unwrap().insert(1);
        }
        assert!(fixture.feed.connections().refresh_user("1").revalidated().await.is_acknowledged());
        fixture.state.group_gate.open();
        assert_eq!(joining.await, usize::from(keeps_right), "a membership that ends at once does not count");
        fixture.say(2, "hello");
        let wanted = if keeps_right { vec![said("hello", 2, "")] } else { vec![] };
        assert_eq!(frames(&mut one).await, wanted);
        fixture.say(2, "later");
        let wanted = if keeps_right { vec![said("later", 2, "")] } else { vec![] };
        assert_eq!(frames(&mut one).await, wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn publisher_join_of_a_connection_that_ends_adds_nothing() {
    let fixture = fixture();
    let (one, mut twin) = (fixture.open(1, &[]).await, fixture.open(1, &[]).await);
    fixture.state.group_gate.close();
    let mut joining = Box::pin(fixture.publisher.join("1", Room { id: 2 }));
    assert!(poll!(&mut joining).is_pending());
    drop(one);
    assert_eq!(frames(&mut twin).await, NOTHING);
    fixture.state.group_gate.open();
    assert_eq!(joining.await, 1, "the other connection is added");
    // The event is evaluated for each member and refused.
    fixture.say(2, "panic");
    assert_eq!(fixture.publisher.counters().refused, 1);
}

#[tokio::test(start_paused = true)]
async fn publisher_join_is_a_full_membership() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    act_ok(&mut one, "1", r#"{"subscribe":2}"#).await;
    assert_eq!(fixture.publisher.join("1", Room { id: 2 }).await, 1);
    super::unsubscribe(&mut one, 2, "1").await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "")]);
    act_ok(&mut one, "", r#"{"leave":2}"#).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, NOTHING);
    assert_eq!(fixture.publisher.join("1", Room { id: 2 }).await, 1);
    fixture.state.outsiders.lock().unwrap().insert(1);
    assert!(fixture.feed.connections().refresh_user("1").revalidated().await.is_acknowledged());
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, NOTHING, "the membership is revalidated");
}

#[tokio::test(start_paused = true)]
async fn publisher_leave_ends_membership_and_deferred_events() {
    let fixture = fixture();
    let (mut one, mut twin, mut two) =
        (fixture.open(1, &[]).await, fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    for client in [&mut one, &mut twin, &mut two] {
        act_ok(client, "1", r#"{"subscribe":2},{"subscribe":4}"#).await;
        act_ok(client, "2", r#"{"subscribe":2},{"join":2}"#).await;
    }
    fixture.publisher.leave("nobody", &Room { id: 2 });
    fixture.publisher.leave("1", &Room { id: 5 });
    fixture.say(2, "before");
    for client in [&mut one, &mut twin, &mut two] {
        assert_eq!(frames(client).await, [said("before", 2, "1,2")]);
    }
    fixture.state.grants_gate.close();
    fixture.publisher.publish(&Room { id: 2 }, Uploaded(1));
    assert_eq!(frames(&mut two).await, NOTHING);
    fixture.publisher.leave("1", &Room { id: 2 });
    fixture.state.grants_gate.open();
    fixture.say(2, "hello");
    fixture.say(4, "hello");
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [said("hello", 4, "1")], "deferred events are dropped too");
    }
    let uploaded = r#"{"event":"uploaded","data":1,"group":"rooms/2","request_ids":[1,2]}"#.to_owned();
    assert_eq!(frames(&mut two).await, [uploaded, said("hello", 2, "1,2"), said("hello", 4, "1")]);
    assert_eq!(fixture.publisher.join("1", Room { id: 2 }).await, 2);
    fixture.say(2, "back");
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [said("back", 2, "")]);
    }
}
