//! What is under way when a change comes (a connection, a join, a stream) is asked about again before it counts.

use std::sync::atomic::Ordering;

use portcullis::testing::connect;

use super::{Lobby, Room, Said, member, next, world};

#[tokio::test(start_paused = true)]
async fn connect_during_a_change_is_evaluated_again() {
    let world = world();
    world.truth.seers.lock().unwrap().insert(1);
    world.truth.inside.lock().unwrap().insert(1);
    world.truth.patience.store(10, Ordering::SeqCst);
    let connecting = connect(&world.chat).user(member(1, &[])).open();
    let mut connecting = Box::pin(connecting);
    // The door has begun to ask, and has heard that all is well.
    assert!(futures_util::poll!(&mut connecting).is_pending());
    world.truth.banned.lock().unwrap().insert(1);
    world.sessions.refresh_user("1").await;
    let mut client = connecting.await.unwrap();
    assert_eq!(client.closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn join_authorized_before_a_change_is_revalidated() {
    for still in [true, false] {
        let world = world();
        let mut client = world.open(1).await;
        world.truth.inside.lock().unwrap().insert(1);
        client.send(r#"{"action":"enter"}"#);
        client.expect_silence().await;
        if !still {
            world.truth.inside.lock().unwrap().remove(&1);
        }
        world.sessions.refresh_user("1").await;
        world.truth.go_on.notify_one();
        assert_eq!(client.reply().await.status(), 200);
        world.chat.publisher().publish(&Room, Said(1));
        world.chat.publisher().publish(&Lobby, Said(2));
        if still {
            assert_eq!(next(&mut client).await["data"], 1);
        }
        assert_eq!(next(&mut client).await["data"], 2);
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn stream_authorized_before_a_change_is_reauthorized() {
    for still in [true, false] {
        let world = world();
        world.truth.seers.lock().unwrap().insert(1);
        let mut client = world.open(1).await;
        client.send(r#"{"action":"stream"}"#);
        client.expect_silence().await;
        if !still {
            world.truth.seers.lock().unwrap().remove(&1);
        }
        world.sessions.refresh_user("1").await;
        world.truth.go_on.notify_one();
        let reply = client.reply().await;
        let wanted = if still { (200, Some(false)) } else { (403, Some(true)) };
        assert_eq!((reply.status(), reply.value()["last"].as_bool()), wanted, "{}", reply.text());
        if !still {
            assert_eq!(client.call("ping").await.status(), 200);
        }
    }
}
