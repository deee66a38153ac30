//! Changes that an action causes itself through `cx.connections` do not deny its reply; changes by others do.

use futures_util::{StreamExt, stream};
use portcullis::{Context, Error, ObjectKey, Result, Streamed};
use serde_json::json;

use super::handlers::{Desk, Lobby, Room, Said, Values};
use super::state::LeafResult;
use super::{Member, assert_alive, fixture};

/// Revokes the right of its own caller, and refreshes connections as `how` says.
pub(crate) async fn renounce(desk: &Desk, cx: &Context<'_, Member>, how: &str) -> Result<u32> {
    cx.publish(Lobby, Said(9)).await?;
    cx.leave(Lobby)?;
    cx.join(Room).await?;
    desk.state.set("own", LeafResult::No);
    let connections = cx.connections::<Desk>()?;
    let refresh = match how {
        "user" => connections.refresh_user("1"),
        "users" => connections.refresh_users(["2", "1", "1"]),
        "object" => connections.refresh_object(&ObjectKey::new("channel", 4)),
        "role" => connections.refresh_role("editor"),
        "clone" => connections.clone().refresh_user("1"),
        "again" => {
            assert!(connections.refresh_user("1").revalidated().await.is_acknowledged());
            cx.connections::<Desk>()?.refresh_all()
        }
        "and_fail" => {
            assert!(connections.refresh_user("1").revalidated().await.is_acknowledged());
            return Err(Error::conflict("It is taken."));
        }
        "others" => connections.refresh_user("2"),
        "all" => connections.refresh_all(),
        _ => {
            desk.state.run().await;
            return Ok(5);
        }
    };
    assert!(refresh.revalidated().await.is_acknowledged());
    desk.state.run().await;
    Ok(5)
}

/// Does so before each of two values.
pub(crate) fn renounce_twice(desk: &Desk, cx: &Context<'_, Member>) -> Result<Values> {
    let (state, connections) = (desk.state.clone(), cx.connections::<Desk>()?);
    let values = stream::iter(1..=2).then(move |value| {
        let (state, connections) = (state.clone(), connections.clone());
        async move {
            state.set("own", LeafResult::No);
            assert!(connections.refresh_user("1").revalidated().await.is_acknowledged());
            state.run().await;
            value
        }
    });
    Ok(Streamed(values.boxed()))
}

const HOW: [&str; 7] = ["user", "users", "object", "role", "all", "clone", "again"];

#[tokio::test(start_paused = true)]
async fn action_that_revokes_its_own_right_is_answered() {
    for action in ["renounce", "renounce_detached"] {
        for how in HOW {
            let fixture = fixture();
            let (mut client, mut other) = (fixture.open(1).await, fixture.open(2).await);
            fixture.state.resume();
            let reply = client.call(action).with("how", how).await;
            assert_eq!((reply.status(), reply.data()), (200, &json!(5)), "{action}, {how}");
            assert_eq!(fixture.take_runs(), 1);
            // All its side effects have happened.
            assert_eq!(other.reply().await.data(), 9);
            fixture.desk.publisher().publish(&Lobby, Said(1));
            fixture.desk.publisher().publish(&Room, Said(2));
            assert_eq!(client.reply().await.data(), 2, "{action}, {how}");
            assert_eq!(client.call(action).with("how", how).await.status(), 403, "the right is revoked");
            assert_alive(&mut client).await;
        }
    }
}

#[tokio::test]
async fn blocking_action_that_revokes_its_own_right_is_answered() {
    for how in HOW {
        let fixture = fixture();
        let mut client = fixture.open(1).await;
        fixture.state.resume();
        let reply = client.call("renounce_there").with("how", how).await;
        assert_eq!((reply.status(), reply.data()), (200, &json!(5)), "{how}");
        assert_eq!(client.call("renounce_there").with("how", how).await.status(), 403);
    }
}

#[tokio::test(start_paused = true)]
async fn change_by_others_during_an_own_change_denies_the_action() {
    for action in ["renounce", "renounce_detached"] {
        for how in ["user", "again", "others", ""] {
            let fixture = fixture();
            let (mut client, mut other) = (fixture.open(1).await, fixture.open(2).await);
            let message = format!(r#"{{"action":"{action}","how":"{how}"}}"#);
            let reply = fixture.reply_after(&mut client, &message, |_| {}).await;
            assert_eq!((reply.status(), reply.code()), (403, "rights_changed"), "{action}, {how}");
            let published = (client.event().await.data().clone(), other.event().await.data().clone());
            assert_eq!(published.0, published.1, "others must not miss what it has stored");
            fixture.desk.publisher().publish(&Room, Said(2));
            fixture.desk.publisher().publish(&Lobby, Said(1));
            assert_eq!(client.reply().await.data(), 1, "memberships are unchanged");
            assert_alive(&mut client).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn own_change_of_a_stream_between_values_does_not_end_it() {
    for action in ["renounce_twice", "renounce_twice_detached"] {
        let fixture = fixture();
        let mut client = fixture.open(1).await;
        for others in [false, true] {
            fixture.state.results.lock().unwrap().clear();
            client.send(format!(r#"{{"action":"{action}"}}"#));
            fixture.state.resume();
            fixture.state.started.notified().await;
            let reply = client.reply().await;
            assert_eq!((reply.status(), reply.data()), (200, &json!(1)), "{action}");
            fixture.state.started.notified().await;
            if others {
                assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
            }
            fixture.state.resume();
            let reply = client.reply().await;
            if others {
                assert_eq!(
                    (reply.status(), &reply.value()["last"]),
                    (403, &json!(true)),
                    "a change by others denies it"
                );
                continue;
            }
            assert_eq!((reply.status(), reply.data()), (200, &json!(2)), "{action}");
            assert_eq!(client.reply().await.value()["last"], true);
        }
        assert_alive(&mut client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn own_change_that_keeps_the_right_denies_nothing() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    let message = r#"{"action":"renounce","how":"user"}"#;
    let reply = fixture.reply_after(&mut client, message, |state| state.results.lock().unwrap().clear()).await;
    assert_eq!((reply.status(), fixture.take_runs()), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn own_change_of_one_action_reauthorizes_other_actions() {
    let fixture = fixture();
    let (mut client, mut twin) = (fixture.open(1).await, fixture.open(1).await);
    // A detached action on the same connection, and an action on another connection of the same user.
    client.send(r#"{"action":"wait_detached"}"#);
    fixture.state.started.notified().await;
    twin.send(r#"{"action":"wait"}"#);
    fixture.state.started.notified().await;
    client.send(r#"{"action":"renounce","how":"user","request_id":1}"#);
    fixture.state.started.notified().await;
    (0..3).for_each(|_| fixture.state.resume());
    let mut all: Vec<_> = [client.reply().await, client.reply().await]
        .iter()
        .map(|reply| (reply.value()["action"].as_str().unwrap_or_default().to_owned(), reply.status()))
        .collect();
    all.sort();
    assert_eq!(all, [("renounce".to_owned(), 200), ("wait_detached".to_owned(), 403)]);
    let replies = [twin.reply().await, twin.reply().await];
    let reply = replies.iter().find(|reply| reply.value().get("event").is_none()).unwrap();
    assert_eq!(reply.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn error_after_an_own_change_is_sent_unchanged() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    for action in ["renounce", "renounce_detached"] {
        fixture.state.results.lock().unwrap().clear();
        let reply = client.call(action).with("how", "and_fail").await;
        assert_eq!((reply.status(), reply.code()), (409, "conflict"));
    }
}
