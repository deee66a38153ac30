//! Members that are let in and taken out from outside their connections.

use futures_util::poll;
use portcullis::testing::connect;

use super::{Room, Uploaded, act, done, frames, said, settled, world, world_of};

const NOTHING: Vec<String> = Vec::new();

#[tokio::test(start_paused = true)]
async fn publisher_join_adds_all_connections_of_one_user() {
    let world = world();
    let (mut one, mut twin, mut two) = (world.open(1, &[]).await, world.open(1, &[]).await, world.open(2, &[]).await);
    let mut stranger = connect(&world.feed).open().await.unwrap();
    settled(&mut stranger).await;
    assert_eq!(world.publisher.join("1", Room { id: 2 }).await, 2);
    assert_eq!(world.truth.asked.lock().unwrap().get(&1), Some(&2), "each connection is asked about");
    assert_eq!(world.truth.asked.lock().unwrap().get(&2), None);
    for nobody in ["3", "", "anonymous"] {
        assert_eq!(world.publisher.join(nobody, Room { id: 2 }).await, 0);
    }
    let mut late = world.open(1, &[]).await;
    world.say(2, "hello");
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [said("hello", 2, "")]);
    }
    for client in [&mut two, &mut stranger, &mut late] {
        assert_eq!(frames(client).await, NOTHING);
    }
    assert_eq!(world.publisher.join("1", Room { id: 2 }).await, 3, "who is in it already counts too");
    world.say(2, "again");
    for client in [&mut one, &mut twin, &mut late] {
        assert_eq!(frames(client).await, [said("again", 2, "")], "and gets it once all the same");
    }
}

#[tokio::test(start_paused = true)]
async fn publisher_join_that_is_refused_adds_nothing() {
    let world = world_of(1);
    let (mut one, mut two) = (world.open(1, &[]).await, world.open(2, &[]).await);
    world.truth.outside.lock().unwrap().insert(1);
    assert_eq!(world.publisher.join("1", Room { id: 2 }).await, 0);
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, NOTHING);
    done(&mut two, "1", r#"{"subscribe":4}"#).await;
    assert_eq!(world.publisher.join("2", Room { id: 2 }).await, 0, "it is in as many groups as it may be");
    assert_eq!(world.publisher.join("2", Room { id: 4 }).await, 0, "joining is one more than subscribing");
    world.say(2, "hello");
    world.say(4, "hello");
    assert_eq!(frames(&mut two).await, [said("hello", 4, "1")]);
    world.truth.outside.lock().unwrap().clear();
    assert_eq!(world.publisher.join("1", Room { id: 2 }).await, 1, "a refusal took up no room");
    assert_eq!(act(&mut one, "1", r#"{"subscribe":2}"#).await.status(), 409, "but this does");
}

#[tokio::test(start_paused = true)]
async fn publisher_join_during_a_change_is_revalidated() {
    for still in [true, false] {
        let world = world();
        let mut one = world.open(1, &[]).await;
        world.truth.door.shut();
        let mut joining = Box::pin(world.publisher.join("1", Room { id: 2 }));
        assert!(poll!(&mut joining).is_pending(), "the door has heard that all is well, and waits");
        if !still {
            world.truth.outside.lock().unwrap().insert(1);
        }
        world.feed.connections().refresh_user("1").await;
        world.truth.door.open();
        assert_eq!(joining.await, usize::from(still), "and who is taken out at once was not let in");
        world.say(2, "hello");
        let wanted = if still { vec![said("hello", 2, "")] } else { vec![] };
        assert_eq!(frames(&mut one).await, wanted);
        world.say(2, "later");
        let wanted = if still { vec![said("later", 2, "")] } else { vec![] };
        assert_eq!(frames(&mut one).await, wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn publisher_join_of_a_connection_that_ends_adds_nothing() {
    let world = world();
    let (one, mut twin) = (world.open(1, &[]).await, world.open(1, &[]).await);
    world.truth.door.shut();
    let mut joining = Box::pin(world.publisher.join("1", Room { id: 2 }));
    assert!(poll!(&mut joining).is_pending());
    drop(one);
    assert_eq!(frames(&mut twin).await, NOTHING);
    world.truth.door.open();
    assert_eq!(joining.await, 1, "the other is");
    // Each member is asked about, and says no.
    world.say(2, "panic");
    assert_eq!(world.publisher.counters().refused, 1);
}

#[tokio::test(start_paused = true)]
async fn publisher_join_is_a_full_membership() {
    let world = world();
    let mut one = world.open(1, &[]).await;
    done(&mut one, "1", r#"{"subscribe":2}"#).await;
    assert_eq!(world.publisher.join("1", Room { id: 2 }).await, 1);
    super::unsubscribe(&mut one, 2, "1").await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "")]);
    done(&mut one, "", r#"{"leave":2}"#).await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, NOTHING);
    assert_eq!(world.publisher.join("1", Room { id: 2 }).await, 1);
    world.truth.outside.lock().unwrap().insert(1);
    world.feed.connections().refresh_user("1").await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, NOTHING, "and is asked about again");
}

#[tokio::test(start_paused = true)]
async fn publisher_leave_ends_membership_and_deferred_events() {
    let world = world();
    let (mut one, mut twin, mut two) = (world.open(1, &[]).await, world.open(1, &[]).await, world.open(2, &[]).await);
    for client in [&mut one, &mut twin, &mut two] {
        done(client, "1", r#"{"subscribe":2},{"subscribe":4}"#).await;
        done(client, "2", r#"{"subscribe":2},{"join":2}"#).await;
    }
    world.publisher.leave("nobody", &Room { id: 2 });
    world.publisher.leave("1", &Room { id: 5 });
    world.say(2, "before");
    for client in [&mut one, &mut twin, &mut two] {
        assert_eq!(frames(client).await, [said("before", 2, "1,2")]);
    }
    world.truth.desk.shut();
    world.publisher.publish(&Room { id: 2 }, Uploaded(1));
    assert_eq!(frames(&mut two).await, NOTHING);
    world.publisher.leave("1", &Room { id: 2 });
    world.truth.desk.open();
    world.say(2, "hello");
    world.say(4, "hello");
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [said("hello", 4, "1")], "what waited for grants included");
    }
    let uploaded = r#"{"event":"uploaded","data":1,"group":"rooms/2","request_ids":[1,2]}"#.to_owned();
    assert_eq!(frames(&mut two).await, [uploaded, said("hello", 2, "1,2"), said("hello", 4, "1")]);
    assert_eq!(world.publisher.join("1", Room { id: 2 }).await, 2);
    world.say(2, "back");
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [said("back", 2, "")]);
    }
}
