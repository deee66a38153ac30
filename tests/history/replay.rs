//! What a connection that resumes receives.

use std::time::Duration;

use serde_json::json;

use super::*;

#[tokio::test]
async fn missed_events_follow_the_reply_in_order_and_then_those_that_are_published() {
    let endpoint = endpoint();
    let (mut client, _) = enter(&endpoint, 1).await;
    say(&endpoint, "seen");
    let position = expect_text(&mut client, "seen").await;
    client.close().await;
    for text in ["one", "two", "three"] {
        say(&endpoint, text);
    }
    let mut client = open(&endpoint, 1).await;
    let resumed = join(&mut client, "enter", &position).await;
    assert_eq!(resumed["recovered"], true);
    say(&endpoint, "four");
    expect_texts(&mut client, &["one", "two", "three", "four"]).await;
    client.expect_silence().await;
    // As if the connection was lost before the first of them.
    let (mut later, has_recovered) = resume(&endpoint, 1, &resumed["position"]).await;
    assert!(has_recovered);
    expect_texts(&mut later, &["one", "two", "three", "four"]).await;
}

#[tokio::test]
async fn group_that_is_resumed_twice_at_once_repeats_nothing() {
    let database: Arc<Database> = Arc::default();
    let endpoint = endpoint_with(&database);
    let (_client, position) = enter(&endpoint, 9).await;
    for text in ["one", "two"] {
        say(&endpoint, text);
    }
    let mut client = open(&endpoint, 1).await;
    for _ in 0..2 {
        enter_and_wait(&database, &mut client, &position).await;
    }
    database.may_end.notify_one();
    assert_eq!(client.reply().await.status(), 200);
    expect_texts(&mut client, &["one", "two"]).await;
    database.may_end.notify_one();
    // The other one would repeat the same events.
    assert_eq!(client.closed().await, 1013);
}

#[tokio::test]
async fn each_position_recovers_what_follows_it() {
    let endpoint = endpoint();
    let (mut client, position) = enter(&endpoint, 1).await;
    let texts = ["one", "two", "three", "four", "five"];
    for text in texts {
        say(&endpoint, text);
    }
    let mut positions = vec![position];
    for text in texts {
        positions.push(expect_text(&mut client, text).await);
    }
    for (index, position) in positions.iter().enumerate() {
        let (mut client, has_recovered) = resume(&endpoint, 1, position).await;
        assert!(has_recovered);
        expect_texts(&mut client, &texts[index..]).await;
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn no_event_is_replayed_if_one_is_missing() {
    let endpoint = endpoint();
    let (mut client, position) = enter(&endpoint, 1).await;
    for number in 0..8 {
        say(&endpoint, &number.to_string());
    }
    assert!(resume(&endpoint, 1, &position).await.1, "all eight are kept");
    say(&endpoint, "8");
    let (mut resumed, has_recovered) = resume(&endpoint, 1, &position).await;
    assert!(!has_recovered);
    say(&endpoint, "9");
    expect_texts(&mut resumed, &["9"]).await;
    // The first one that was received is the last one that is not kept.
    expect_text(&mut client, "0").await;
    let kept = expect_text(&mut client, "1").await;
    assert!(resume(&endpoint, 1, &kept).await.1);
}

#[tokio::test]
async fn position_of_a_reply_misses_nothing_even_if_nothing_was_recovered() {
    let database: Arc<Database> = Arc::default();
    let endpoint = endpoint_with(&database);
    let mut client = open(&endpoint, 1).await;
    client.send(json!({ "action": "enter_and_wait", "room": "5" }).to_string());
    database.has_joined.notified().await;
    say(&endpoint, "published before the join takes effect");
    database.may_end.notify_one();
    let reply = client.reply().await;
    assert_eq!((reply.status(), &reply.data()["recovered"]), (200, &json!(false)));
    expect_texts(&mut client, &["published before the join takes effect"]).await;
}

#[tokio::test(start_paused = true)]
async fn events_and_positions_expire() {
    let endpoint = endpoint();
    let (mut client, position) = enter(&endpoint, 1).await;
    tokio::time::sleep(Duration::from_mins(6)).await;
    say(&endpoint, "one");
    let after_one = expect_text(&mut client, "one").await;
    tokio::time::sleep(Duration::from_mins(6)).await;
    // The log is kept, because there was an event less than ten minutes ago.
    assert!(resume(&endpoint, 1, &position).await.1);
    say(&endpoint, "two");
    tokio::time::sleep(Duration::from_mins(6)).await;
    assert!(!resume(&endpoint, 1, &position).await.1, "the first event has expired");
    assert!(resume(&endpoint, 1, &after_one).await.1);
    tokio::time::sleep(Duration::from_mins(11)).await;
    assert!(!resume(&endpoint, 1, &after_one).await.1);
}

#[tokio::test]
async fn invalid_position_recovers_nothing() {
    let endpoint = endpoint();
    let (_client, position) = enter(&endpoint, 1).await;
    let position = position.as_str().unwrap();
    let mut client = open(&endpoint, 1).await;
    let mut reply = async |room: &str, position: Value| {
        let reply = client.call("enter").with("room", room).with("position", position).await;
        assert_eq!(client.call("exit").with("room", room).await.status(), 200);
        reply
    };
    for text in ["", "A", &position[1..], &format!("{position}A"), &position.to_lowercase(), "\u{1f600}"] {
        assert_eq!(reply("5", json!(text)).await.data()["recovered"], false, "{text}");
    }
    assert_eq!(reply("6", json!(position)).await.data()["recovered"], false, "of another group");
    assert_eq!(reply("5", json!(position)).await.data()["recovered"], true);
    for value in [json!(5), json!([position]), json!({ "position": position }), json!(true)] {
        assert_eq!(reply("5", value).await.status(), 400);
    }
    // Another endpoint, with a history of its own.
    assert!(!resume(&super::endpoint(), 1, &json!(position)).await.1);
}

#[tokio::test]
async fn groups_have_histories_of_their_own() {
    let endpoint = endpoint();
    let (mut client, position) = enter(&endpoint, 1).await;
    for index in 0..20 {
        endpoint.publisher().publish(&room("6"), Said { text: index.to_string(), is_secret: false });
    }
    say(&endpoint, "here");
    expect_texts(&mut client, &["here"]).await;
    let (mut resumed, has_recovered) = resume(&endpoint, 1, &position).await;
    assert!(has_recovered);
    expect_texts(&mut resumed, &["here"]).await;
    resumed.expect_silence().await;
}

#[tokio::test]
async fn subscription_from_a_position_carries_its_request_id_and_the_group() {
    let endpoint = endpoint();
    let (_client, position) = enter(&endpoint, 1).await;
    say(&endpoint, "one");
    endpoint.publisher().publish(&room("5"), Greeted("hello".to_owned()));
    let mut client = open(&endpoint, 2).await;
    let call = client.call("watch").with("room", "5").with("position", &position).request_id("w");
    assert_eq!(call.await.data()["recovered"], true);
    say(&endpoint, "two");
    for expected in ["one", "hello 2", "two"] {
        let event = client.event().await;
        assert_eq!(event.data(), expected);
        assert_eq!((&event.value()["group"], &event.value()["request_ids"]), (&json!("rooms/5"), &json!(["w"])));
        position_of(&event);
    }
    let unwatch = client.call("unwatch").with("room", "5").with("subscription", "w");
    assert_eq!(unwatch.await.status(), 200);
    say(&endpoint, "three");
    client.expect_silence().await;
    client.send(json!({ "action": "watch", "room": "5" }).to_string());
    let without_id = client.reply().await;
    assert_eq!((without_id.status(), without_id.code()), (400, "missing_request_id"));
}

#[tokio::test]
async fn member_does_not_join_from_a_position() {
    let endpoint = endpoint();
    let (mut client, position) = enter(&endpoint, 1).await;
    for action in ["enter", "return_at_once"] {
        let reply = client.call(action).with("room", "5").with("position", &position).await;
        assert_eq!((reply.status(), reply.code()), (409, "already_joined"), "{action}");
    }
    assert_eq!(client.call("enter_twice").with("room", "6").await.code(), "already_joined");
    let watch = client.call("watch").with("room", "5").request_id(1);
    assert_eq!(watch.await.code(), "already_joined");
    // The membership stays, and ends by leaving.
    say(&endpoint, "one");
    expect_texts(&mut client, &["one"]).await;
    assert_eq!(client.call("exit").with("room", "5").await.status(), 200);
    assert_eq!(join(&mut client, "enter", &position).await["recovered"], true);
    expect_texts(&mut client, &["one"]).await;
}

#[tokio::test]
async fn action_that_fails_replays_nothing() {
    let endpoint = endpoint();
    let mut client = open(&endpoint, 1).await;
    assert_eq!(client.call("enter_in_vain").with("room", "5").await.status(), 500);
    say(&endpoint, "one");
    client.expect_silence().await;
    assert_eq!(join(&mut client, "enter", &Value::Null).await["recovered"], false);
}

#[tokio::test]
async fn events_of_actions_are_kept_also_for_the_connections_that_were_left_out() {
    let endpoint = endpoint();
    let (mut speaker, position) = enter(&endpoint, 1).await;
    let (mut listener, _) = enter(&endpoint, 2).await;
    assert_eq!(speaker.call("say").with("room", "5").with("text", "to all").await.status(), 200);
    let to_others = speaker.call("say_to_others").with("room", "5").with("text", "to others");
    assert_eq!(to_others.await.status(), 200);
    expect_texts(&mut speaker, &["to all"]).await;
    speaker.expect_silence().await;
    expect_texts(&mut listener, &["to all", "to others"]).await;
    // The same connection is left out again, another one of the same user is not.
    assert_eq!(speaker.call("exit").with("room", "5").await.status(), 200);
    assert_eq!(join(&mut speaker, "enter", &position).await["recovered"], true);
    expect_texts(&mut speaker, &["to all"]).await;
    speaker.expect_silence().await;
    let (mut other, _) = resume(&endpoint, 1, &position).await;
    expect_texts(&mut other, &["to all", "to others"]).await;
}

#[tokio::test]
async fn event_to_several_groups_has_a_position_in_each() {
    let endpoint = endpoint();
    let (mut client, position) = enter(&endpoint, 1).await;
    let other = client.call("enter").with("room", "6").await.data()["position"].clone();
    let said = Said { text: "to both".to_owned(), is_secret: false };
    endpoint.publisher().publish_to_several(&[room("5"), room("6")], said);
    let groups = [client.event().await, client.event().await].map(|event| event.value()["group"].clone());
    assert_eq!(groups, ["rooms/5", "rooms/6"]);
    let mut resumed = open(&endpoint, 1).await;
    for (room, position) in [("5", position), ("6", other)] {
        let reply = resumed.call("enter").with("room", room).with("position", position).await;
        assert_eq!(reply.data()["recovered"], true);
        expect_texts(&mut resumed, &["to both"]).await;
    }
    resumed.expect_silence().await;
}

#[tokio::test]
async fn purge_forgets_events_and_positions() {
    let endpoint = endpoint();
    let (mut client, position) = enter(&endpoint, 1).await;
    say(&endpoint, "one");
    let after_one = expect_text(&mut client, "one").await;
    endpoint.publisher().purge(&room("5")).await.unwrap();
    say(&endpoint, "two");
    let after_two = expect_text(&mut client, "two").await;
    for position in [&position, &after_one] {
        let (mut resumed, has_recovered) = resume(&endpoint, 1, position).await;
        assert!(!has_recovered);
        resumed.expect_silence().await;
    }
    assert!(resume(&endpoint, 1, &after_two).await.1);
    endpoint.publisher().purge(&room("never used")).await.unwrap();
}

#[tokio::test]
async fn event_that_is_published_during_a_delivery_follows_it() {
    let database: Arc<Database> = Arc::default();
    let endpoint = endpoint_with(&database);
    let (mut one, position) = enter(&endpoint, 1).await;
    let (mut other, _) = enter(&endpoint, 2).await;
    assert!(database.answers_by.set(endpoint.publisher()).is_ok());
    endpoint.publisher().publish(&room("5"), Asked(1));
    // Each of the two members causes one answer.
    for client in [&mut one, &mut other] {
        for expected in [1, 0, 0] {
            assert_eq!(client.event().await.data(), expected);
        }
        client.expect_silence().await;
    }
    assert!(resume(&endpoint, 3, &position).await.1);
}

#[tokio::test]
async fn equal_position_is_another_text_each_time() {
    let endpoint = endpoint();
    let (_, first) = enter(&endpoint, 1).await;
    let (_, second) = enter(&endpoint, 1).await;
    assert_ne!(first, second);
    say_secretly(&endpoint, "not for 1");
    let (_, third) = enter(&endpoint, 1).await;
    assert_eq!(first.as_str().map(str::len), third.as_str().map(str::len));
}
