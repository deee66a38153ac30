//! What an action changes itself by `cx.connections` is its own doing: it is answered. What others change meanwhile counts.

use futures_util::{StreamExt, stream};
use portcullis::{Context, Error, ObjectKey, Result, Streamed};
use serde_json::json;

use super::handlers::{Desk, Lobby, Room, Said, Values};
use super::state::Says;
use super::{Member, is_alive, world};

/// What the action does: its caller may not call it any more, and everybody is told in this way.
pub(crate) async fn renounce(desk: &Desk, cx: &Context<'_, Member>, how: &str) -> Result<u32> {
    cx.publish(Lobby, Said(9))?;
    cx.leave(Lobby)?;
    cx.join(Room).await?;
    desk.truth.set("own", Says::No);
    let sessions = cx.connections::<Desk>()?;
    match how {
        "user" => sessions.refresh_user("1").await,
        "users" => sessions.refresh_users(["2", "1", "1"]).await,
        "object" => sessions.refresh_object(&ObjectKey::new("channel", 4)).await,
        "role" => sessions.refresh_role("editor").await,
        "all" => sessions.refresh_all().await,
        "clone" => sessions.clone().refresh_user("1").await,
        "again" => {
            sessions.refresh_user("1").await;
            cx.connections::<Desk>()?.refresh_all().await;
        }
        "and_fail" => {
            sessions.refresh_user("1").await;
            return Err(Error::conflict("It is taken."));
        }
        "others" => sessions.refresh_user("2").await,
        _ => {}
    }
    desk.truth.run().await;
    Ok(5)
}

/// The same before each of two values.
pub(crate) fn renounce_twice(desk: &Desk, cx: &Context<'_, Member>) -> Result<Values> {
    let (truth, sessions) = (desk.truth.clone(), cx.connections::<Desk>()?);
    let values = stream::iter(1..=2).then(move |value| {
        let (truth, sessions) = (truth.clone(), sessions.clone());
        async move {
            truth.set("own", Says::No);
            sessions.refresh_user("1").await;
            truth.run().await;
            value
        }
    });
    Ok(Streamed(values.boxed()))
}

const HOW: [&str; 7] = ["user", "users", "object", "role", "all", "clone", "again"];

#[tokio::test(start_paused = true)]
async fn action_that_revokes_its_own_right_is_answered() {
    for action in ["renounce", "renounce_aside"] {
        for how in HOW {
            let world = world();
            let (mut client, mut other) = (world.open(1).await, world.open(2).await);
            world.truth.let_go();
            let reply = client.call(action).with("how", how).await;
            assert_eq!((reply.status(), reply.data()), (200, &json!(5)), "{action}, {how}");
            assert_eq!(world.runs(), 1);
            // And all that it has caused has happened.
            assert_eq!(other.reply().await.data(), 9);
            world.desk.publisher().publish(&Lobby, Said(1));
            world.desk.publisher().publish(&Room, Said(2));
            assert_eq!(client.reply().await.data(), 2, "{action}, {how}");
            assert_eq!(client.call(action).with("how", how).await.status(), 403, "it was the last time");
            is_alive(&mut client).await;
        }
    }
}

#[tokio::test]
async fn blocking_action_that_revokes_its_own_right_is_answered() {
    for how in HOW {
        let world = world();
        let mut client = world.open(1).await;
        world.truth.let_go();
        let reply = client.call("renounce_there").with("how", how).await;
        assert_eq!((reply.status(), reply.data()), (200, &json!(5)), "{how}");
        assert_eq!(client.call("renounce_there").with("how", how).await.status(), 403);
    }
}

#[tokio::test(start_paused = true)]
async fn change_by_others_during_an_own_change_denies_the_action() {
    for action in ["renounce", "renounce_aside"] {
        for how in ["user", "again", "others", ""] {
            let world = world();
            let (mut client, mut other) = (world.open(1).await, world.open(2).await);
            let message = format!(r#"{{"action":"{action}","how":"{how}"}}"#);
            let reply = world.reply_after(&mut client, &message, |_| {}).await;
            assert_eq!((reply.status(), reply.code()), (403, "permission_denied"), "{action}, {how}");
            other.expect_silence().await;
            world.desk.publisher().publish(&Room, Said(2));
            world.desk.publisher().publish(&Lobby, Said(1));
            assert_eq!(client.reply().await.data(), 1, "it has neither left nor joined");
            is_alive(&mut client).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn own_change_of_a_stream_between_values_does_not_end_it() {
    for action in ["renounce_twice", "renounce_twice_aside"] {
        let world = world();
        let mut client = world.open(1).await;
        for others in [false, true] {
            world.truth.says.lock().unwrap().clear();
            client.send(format!(r#"{{"action":"{action}"}}"#));
            world.truth.let_go();
            world.truth.begun.notified().await;
            let reply = client.reply().await;
            assert_eq!((reply.status(), reply.data()), (200, &json!(1)), "{action}");
            world.truth.begun.notified().await;
            if others {
                world.sessions.refresh_user("1").await;
            }
            world.truth.let_go();
            let reply = client.reply().await;
            if others {
                assert_eq!((reply.status(), &reply.value()["last"]), (403, &json!(true)), "what others change counts");
                continue;
            }
            assert_eq!((reply.status(), reply.data()), (200, &json!(2)), "{action}");
            assert_eq!(client.reply().await.value()["last"], true);
        }
        is_alive(&mut client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn own_change_that_keeps_the_right_denies_nothing() {
    let world = world();
    let mut client = world.open(1).await;
    let message = r#"{"action":"renounce","how":"user"}"#;
    let reply = world.reply_after(&mut client, message, |truth| truth.says.lock().unwrap().clear()).await;
    assert_eq!((reply.status(), world.runs()), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn own_change_of_one_action_reauthorizes_other_actions() {
    let world = world();
    let (mut client, mut twin) = (world.open(1).await, world.open(1).await);
    // One beside the queue on the same socket, one on another socket of the same user.
    client.send(r#"{"action":"wait_aside"}"#);
    world.truth.begun.notified().await;
    twin.send(r#"{"action":"wait"}"#);
    world.truth.begun.notified().await;
    client.send(r#"{"action":"renounce","how":"user","request_id":1}"#);
    world.truth.begun.notified().await;
    (0..3).for_each(|_| world.truth.let_go());
    let mut all: Vec<_> = [client.reply().await, client.reply().await]
        .iter()
        .map(|reply| (reply.value()["action"].as_str().unwrap_or_default().to_owned(), reply.status()))
        .collect();
    all.sort();
    assert_eq!(all, [("renounce".to_owned(), 200), ("wait_aside".to_owned(), 403)]);
    let replies = [twin.reply().await, twin.reply().await];
    let reply = replies.iter().find(|reply| reply.value().get("event").is_none()).unwrap();
    assert_eq!(reply.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn error_after_an_own_change_is_sent_unchanged() {
    let world = world();
    let mut client = world.open(1).await;
    for action in ["renounce", "renounce_aside"] {
        world.truth.says.lock().unwrap().clear();
        let reply = client.call(action).with("how", "and_fail").await;
        assert_eq!((reply.status(), reply.code()), (409, "conflict"));
    }
}

#[tokio::test(start_paused = true)]
async fn permission_that_refreshes_connections_is_refused_with_500() {
    let world = world();
    let mut client = world.open(1).await;
    let reply = client.call("meddled").await;
    assert_eq!((reply.status(), reply.code()), (500, "internal_error"));
    is_alive(&mut client).await;
}
