//! The rights of the new user: actions, events, memberships, and the connection itself.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::{
    Club, Lobby, Personal, Room, Said, Uploaded, Whispered, authenticate, fixture, next, send_action, send_authenticate,
};

#[tokio::test(start_paused = true)]
async fn actions_after_authenticate_are_authorized_for_the_new_user() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    for (rights, call, uploads) in [("call", 200, 403), ("see", 403, 200), ("call,see", 200, 200), ("-", 403, 403)] {
        assert_eq!(authenticate(&mut client, &format!("1 {rights}")).await.status(), 204);
        assert_eq!(client.call("call").await.status(), call, "{rights}");
        assert_eq!(client.call("uploads").await.status(), uploads, "grants are loaded again: {rights}");
        assert_eq!(*client.call("whoami").await.data(), json!(["1", rights]));
    }
}

#[tokio::test(start_paused = true)]
async fn authenticate_replies_after_revalidation() {
    let fixture = fixture();
    let mut client = fixture.open("1 inside,see").await;
    fixture.state.yields_per_evaluation.store(50, Ordering::SeqCst);
    fixture.state.evaluations.store(0, Ordering::SeqCst);
    assert_eq!(authenticate(&mut client, "1 see,inside").await.status(), 204);
    assert_eq!(
        fixture.state.evaluations.load(Ordering::SeqCst),
        4,
        "the token, the connect permission, a group, and grants for another"
    );
}

#[tokio::test(start_paused = true)]
async fn events_after_authenticate_are_authorized_for_the_new_user() {
    let fixture = fixture();
    let mut client = fixture.open("1 see,hear").await;
    let publisher = fixture.chat.publisher();
    let publish = |number| {
        publisher.publish(&Lobby, Uploaded(number));
        publisher.publish(&Lobby, Whispered(number));
        publisher.publish(&Lobby, Personal(number));
        publisher.publish_to_user("1", Uploaded(number));
    };
    for (number, rights) in (0..).zip(["see,hear", "see", "hear", "-", "hear,see"]) {
        assert_eq!(authenticate(&mut client, &format!("1 {rights}")).await.status(), 204);
        publish(number);
        if rights.contains("see") {
            assert_eq!(next(&mut client).await, json!({"event": "uploaded", "data": number}), "{rights}");
        }
        if rights.contains("hear") {
            assert_eq!(next(&mut client).await, json!({"event": "whispered", "data": number}), "{rights}");
        }
        assert_eq!(next(&mut client).await, json!({"event": "personal", "data": [number, rights]}));
        if rights.contains("see") {
            assert_eq!(next(&mut client).await, json!({"event": "uploaded", "data": number}), "to the user: {rights}");
        }
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn queued_events_are_reauthorized_after_authenticate() {
    for (before, after) in [("see,hear", "-"), ("-", "see,hear"), ("see", "hear")] {
        let fixture = fixture();
        let mut client = fixture.open(&format!("1 {before}")).await;
        send_authenticate(&mut client, &format!("wait 1 {after}"), "renewed");
        client.expect_silence().await;
        // The connection does not run in between: these are queued when the credentials are accepted.
        let publisher = fixture.chat.publisher();
        publisher.publish(&Lobby, Uploaded(1));
        publisher.publish(&Lobby, Whispered(1));
        publisher.publish(&Lobby, Personal(1));
        fixture.state.authenticate_permit.notify_one();
        let mut frames = [next(&mut client).await, next(&mut client).await];
        frames.sort_by_key(|frame| frame["event"] == "personal");
        assert_eq!((&frames[0]["request_id"], &frames[0]["status"]), (&json!("renewed"), &json!(204)));
        assert_eq!(frames[1], json!({"event": "personal", "data": [1, after]}), "built for the new user");
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn memberships_are_revalidated_after_authenticate() {
    let fixture = fixture();
    let mut client = fixture.open("1 inside,see").await;
    let mut other = fixture.open("2 inside,see").await;
    let publisher = fixture.chat.publisher();
    for (rights, room, club) in
        [("see,inside", true, true), ("see", false, true), ("inside,see", false, true), ("-", false, false)]
    {
        assert_eq!(authenticate(&mut client, &format!("1 {rights}")).await.status(), 204);
        publisher.publish(&Room, Said(1));
        publisher.publish(&Club, Said(2));
        publisher.publish(&Lobby, Said(3));
        for data in [room.then_some(1), club.then_some(2), Some(3)].into_iter().flatten() {
            assert_eq!(next(&mut client).await["data"], data, "{rights}");
        }
        client.expect_silence().await;
        for data in [1, 2, 3] {
            assert_eq!(next(&mut other).await["data"], data, "other users are not affected");
        }
    }
    // A membership that has ended needs a new join.
    assert_eq!(client.call("enter").await.status(), 403);
    assert_eq!(authenticate(&mut client, "1 inside").await.status(), 204);
    assert_eq!(client.call("enter").await.status(), 200);
    publisher.publish(&Room, Said(4));
    for client in [&mut client, &mut other] {
        assert_eq!(next(client).await["data"], 4);
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn new_user_without_connect_permission_is_closed_with_4403() {
    for busy in [false, true] {
        let fixture = fixture();
        let publisher = fixture.chat.publisher();
        let mut client = fixture.open("1 call").await;
        publisher.publish(&Lobby, Whispered(0));
        assert_eq!(publisher.counters().refused, 1, "the event is evaluated for a member");
        if busy {
            send_action(&mut client, "hang");
            client.expect_silence().await;
        }
        send_authenticate(&mut client, "1 banned,call", "renewed");
        assert_eq!(client.closed().await, 4403, "instead of a reply");
        fixture.state.disconnected.notified().await;
        assert_eq!(fixture.state.end_log(), if busy { &["action", "connection"][..] } else { &["connection"] });
        publisher.publish(&Lobby, Whispered(1));
        assert_eq!(publisher.counters().refused, 1, "the membership has ended");
    }
}

#[tokio::test(start_paused = true)]
async fn pending_join_is_reauthorized_after_authenticate() {
    for (token, still) in [("1 inside,call", true), ("1 call", false)] {
        let fixture = fixture();
        let mut client = fixture.open("1 call").await;
        assert_eq!(authenticate(&mut client, "1 inside,call").await.status(), 204);
        // The join is authorized with the old rights and takes effect after the reply.
        fixture.state.yields_per_evaluation.store(20, Ordering::SeqCst);
        send_action(&mut client, "enter");
        tokio::task::yield_now().await;
        send_authenticate(&mut client, token, "renewed");
        let mut answers = [super::next_status(&mut client).await, super::next_status(&mut client).await];
        answers.sort();
        assert_eq!(answers[1], ("renewed".to_owned(), 204));
        fixture.chat.publisher().publish(&Room, Said(1));
        fixture.chat.publisher().publish(&Lobby, Said(2));
        if still {
            assert_eq!(answers[0].1, 200);
        }
        // The events of the room wait for its permission, those of the lobby do not.
        for data in if still { &[2, 1][..] } else { &[2] } {
            assert_eq!(next(&mut client).await["data"], *data);
        }
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn scope_of_the_connection_is_kept_after_authenticate() {
    let fixture = fixture();
    let mut client =
        portcullis::testing::connect(&fixture.chat).user(super::member("1")).path("/ws?a=1").open().await.unwrap();
    let came_by = json!([r#"/ws?[("a", "1")]"#, "from the beginning"]);
    assert_eq!(*client.call("came_by").await.data(), came_by);
    assert_eq!(authenticate(&mut client, "1 hear").await.status(), 204);
    assert_eq!(*client.call("came_by").await.data(), came_by);
    // `#[connect]` does not run again: the connection is in the lobby once.
    fixture.chat.publisher().publish(&Lobby, Whispered(1));
    assert_eq!(next(&mut client).await["data"], 1);
    client.expect_silence().await;
}
