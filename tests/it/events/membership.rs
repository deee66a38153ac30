//! Group membership: the permission to join, the group limit, and delivery to members only.

use std::time::Duration;

use portcullis::{Limits, Publisher};

use super::{FakeGrants, Lobby, Messenger, Room, Said, chat, event, join, open, said, settle};

#[tokio::test(start_paused = true)]
async fn published_event_reaches_members_only() {
    let chat = chat(&FakeGrants::default());
    let (mut one, mut two, mut three) =
        (open(&chat, 1, &[]).await, open(&chat, 2, &[]).await, open(&chat, 3, &[]).await);
    for client in [&mut one, &mut two] {
        join(client, 2).await;
    }
    join(&mut three, 3).await;
    chat.publisher().publish(&Room(2), Said("hello".to_owned()));
    assert_eq!(event(&mut one).await, said("hello"));
    assert_eq!(two.reply().await.text(), r#"{"event":"said","data":"hello"}"#);
    chat.publisher().publish(&Room(3), Said("to three".to_owned()));
    chat.publisher().publish(&Room(4), Said("to no member".to_owned()));
    assert_eq!(event(&mut three).await, said("to three"));
    chat.publisher().publish(&Lobby, Said("to all".to_owned()));
    for client in [&mut one, &mut two, &mut three] {
        assert_eq!(event(client).await, said("to all"));
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn group_permission_is_evaluated_at_every_join() {
    let limits = Limits { action_timeout: Duration::from_secs(1), ..Limits::default() };
    let chat = chat(&FakeGrants::default()).limits(limits);
    let (mut inside, mut outside) = (open(&chat, 1, &["member"]).await, open(&chat, 2, &[]).await);
    assert_eq!(inside.call("join").with("room", 1).await.status(), 200);
    for (room, status) in [(1, 403), (13, 500), (14, 500), (15, 500)] {
        let reply = outside.call("join").with("room", room).await;
        assert_eq!(reply.status(), status, "{room}");
        assert!(!reply.text().contains("secret"), "{}", reply.text());
    }
    settle(&mut inside).await;
    for room in [1, 13, 14, 15] {
        chat.publisher().publish(&Room(room), Said("hello".to_owned()));
    }
    assert_eq!(event(&mut inside).await, said("hello"));
    outside.expect_silence().await;
    assert_eq!(open(&chat, 3, &["eager"]).await.closed().await, 4403, "also in `#[connect]`");
    let mut eager = open(&chat, 4, &["eager", "member"]).await;
    settle(&mut eager).await;
    chat.publisher().publish(&Room(1), Said("hello".to_owned()));
    assert_eq!(event(&mut eager).await, said("hello"));
    assert_eq!(event(&mut inside).await, said("hello"));
    assert_eq!(outside.call("elsewhere").await.status(), 500, "a group of another consumer");
    outside.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn publication_to_several_groups_or_a_user_arrives_once() {
    let chat = chat(&FakeGrants::default());
    let (mut both, mut twice) = (open(&chat, 1, &[]).await, open(&chat, 1, &[]).await);
    let mut two = open(&chat, 2, &[]).await;
    join(&mut both, 2).await;
    join(&mut both, 3).await;
    join(&mut two, 3).await;
    settle(&mut twice).await;
    let publisher: Publisher<Messenger> = chat.publisher();
    publisher.publish_to_several(&[Room(2), Room(3), Room(4)], Said("hello".to_owned()));
    assert_eq!(event(&mut both).await, said("hello"));
    assert_eq!(event(&mut two).await, said("hello"));
    publisher.publish_to_user("1", Said("to you".to_owned()));
    publisher.publish_to_user("absent", Said("to no member".to_owned()));
    assert_eq!(event(&mut both).await, said("to you"));
    assert_eq!(event(&mut twice).await, said("to you"));
    for client in [&mut both, &mut twice, &mut two] {
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn join_over_the_group_limit_is_refused_with_409() {
    let limits = Limits { max_groups: 4, ..Limits::default() };
    let chat = chat(&FakeGrants::default()).limits(limits);
    let mut one = open(&chat, 1, &[]).await;
    for (room, status) in [(2, 200), (3, 200), (4, 200), (5, 409), (2, 200)] {
        let reply = one.call("join").with("room", room).await;
        assert_eq!(reply.status(), status, "the lobby counts too: {room}");
        settle(&mut one).await;
    }
    assert_eq!(one.call("leave").with("room", 2).await.status(), 200);
    join(&mut one, 5).await;
    chat.publisher().publish(&Room(5), Said("hello".to_owned()));
    assert_eq!(event(&mut one).await, said("hello"));
}
