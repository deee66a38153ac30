//! The order of events and replies: publications of an action follow its reply, and other connections do not wait for it.

use super::{FakeGrants, Lobby, Room, Said, chat, event, join, open, said, settle};

#[tokio::test(start_paused = true)]
async fn side_effects_follow_a_successful_reply_and_are_discarded_on_error() {
    let chat = chat(&FakeGrants::default());
    let (mut one, mut other) = (open(&chat, 1, &[]).await, open(&chat, 2, &[]).await);
    for client in [&mut one, &mut other] {
        join(client, 2).await;
    }
    one.send(r#"{"action":"say","route":"rooms/2/"}"#);
    assert_eq!(one.reply().await.status(), 200);
    assert_eq!(event(&mut one).await, said("hello"));
    assert_eq!(event(&mut other).await, said("hello"));
    assert_eq!(one.call("whisper").route("rooms/2/").await.status(), 200);
    assert_eq!(event(&mut other).await, said("psst"));
    one.expect_silence().await;
    assert_eq!(one.call("join_and_fail").with("room", 3).await.status(), 409);
    settle(&mut one).await;
    chat.publisher().publish(&Room(3), Said("in three".to_owned()));
    chat.publisher().publish(&Lobby, Said("still in the lobby".to_owned()));
    assert_eq!(event(&mut one).await, said("still in the lobby"));
    assert_eq!(event(&mut other).await, said("still in the lobby"));
    // The side effects of a stream follow its first value, even if it fails later.
    for (well, statuses) in [(true, vec![200, 200, 200]), (false, vec![200, 409])] {
        one.send(format!(r#"{{"action":"stream","well":{well}}}"#));
        let mut frames = Vec::new();
        for _ in 0..=statuses.len() {
            frames.push(one.reply().await.value().clone());
        }
        assert_eq!(frames[0]["last"], false, "the first value comes first: {frames:?}");
        let events: Vec<_> = frames.extract_if(.., |frame| frame.get("event").is_some()).collect();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(frames.iter().map(|frame| frame["status"].as_u64().unwrap()).collect::<Vec<_>>(), statuses);
        assert_eq!(event(&mut other).await, said("streamed"));
    }
    one.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn event_is_not_delivered_after_the_reply_that_left() {
    let chat = chat(&FakeGrants::default());
    let (mut one, mut other) = (open(&chat, 1, &[]).await, open(&chat, 2, &[]).await);
    for client in [&mut one, &mut other] {
        join(client, 2).await;
    }
    assert_eq!(one.call("leave").with("room", 2).await.status(), 200);
    assert_eq!(event(&mut other).await, said("bye"));
    chat.publisher().publish(&Room(2), Said("later".to_owned()));
    assert_eq!(event(&mut other).await, said("later"));
    one.expect_silence().await;
    assert_eq!(one.call("come_and_go").with("room", 2).await.status(), 200);
    settle(&mut one).await;
    chat.publisher().publish(&Room(2), Said("again".to_owned()));
    assert_eq!(event(&mut other).await, said("again"));
    one.expect_silence().await;
    drop(other);
    join(&mut one, 2).await;
    join(&mut one, 2).await;
    chat.publisher().publish(&Room(2), Said("once".to_owned()));
    assert_eq!(event(&mut one).await, said("once"));
    one.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn event_is_delivered_while_an_action_waits() {
    let chat = chat(&FakeGrants::default());
    let mut one = open(&chat, 1, &[]).await;
    settle(&mut one).await;
    one.send(r#"{"action":"wait"}"#);
    one.expect_silence().await;
    chat.publisher().publish(&Lobby, Said("meanwhile".to_owned()));
    assert_eq!(event(&mut one).await, said("meanwhile"));
    drop(one);
}
