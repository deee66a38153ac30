//! Event permissions: evaluated per member, whose delays and failures affect no other member.

use portcullis::GrantKey;
use portcullis::testing::connect;
use serde_json::json;
use tokio::sync::Notify;

use super::{
    ChannelId, FakeGrants, Messenger, Room, Rooms, Said, Secret, Unserializable, Uploaded, chat, event, join, open,
    said,
};

#[tokio::test(start_paused = true)]
async fn event_is_not_delivered_to_members_without_its_permission() {
    let source = FakeGrants::default();
    let chat = chat(&source);
    let (mut one, mut muted) = (open(&chat, 1, &["seer"]).await, open(&chat, 2, &["muted"]).await);
    let mut stranger = connect(&chat).open().await.unwrap();
    for client in [&mut one, &mut muted, &mut stranger] {
        join(client, 2).await;
    }
    let publisher = chat.publisher();
    publisher.publish(&Room(2), Said("hello".to_owned()));
    publisher.publish(&Room(2), Uploaded { channel: ChannelId(5), file: 7 });
    publisher.publish(&Room(2), Uploaded { channel: ChannelId(6), file: 8 });
    publisher.publish(&Room(2), Secret("the code".to_owned()));
    assert_eq!(event(&mut one).await, said("hello"));
    assert_eq!(event(&mut one).await, json!({"event": "upload.created", "data": {"channel": 5, "file": 7}}));
    assert_eq!(event(&mut one).await, json!({"event": "secret", "data": "..."}));
    assert_eq!(event(&mut muted).await, json!({"event": "secret", "data": "..."}));
    assert_eq!(event(&mut stranger).await, said("hello"));
    for client in [&mut one, &mut muted, &mut stranger] {
        client.expect_silence().await;
    }
    let mut load_log = source.load_log.lock().unwrap().clone();
    load_log.sort();
    assert_eq!(load_log, ["1 objects", "1 objects", "user 1", "user 2"], "one load per object and per user");
    let mut spy = open(&chat, 3, &["spy"]).await;
    join(&mut spy, 2).await;
    publisher.publish(&Room(2), Secret("the code".to_owned()));
    assert_eq!(event(&mut spy).await, json!({"event": "secret", "data": "the code"}));
}

#[tokio::test(start_paused = true)]
async fn slow_grants_delay_one_connection_and_keep_its_order() {
    let source = FakeGrants::default();
    let chat = chat(&source);
    let (mut quick, mut slow, mut failing) =
        (open(&chat, 1, &["seer"]).await, open(&chat, 5, &["seer"]).await, open(&chat, 6, &["seer"]).await);
    for client in [&mut quick, &mut slow, &mut failing] {
        join(client, 2).await;
    }
    let publisher = chat.publisher();
    publisher.publish(&Room(2), Uploaded { channel: ChannelId(5), file: 7 });
    publisher.publish(&Room(2), Said("after".to_owned()));
    assert_eq!(event(&mut quick).await["event"], "upload.created");
    assert_eq!(event(&mut quick).await, said("after"));
    slow.expect_silence().await;
    source.gate.notify_one();
    assert_eq!(event(&mut slow).await["event"], "upload.created");
    assert_eq!(event(&mut slow).await, said("after"));
    // It cannot be told whether it may see the event, so it connects again.
    assert_eq!(failing.closed().await, 4500);
}

#[tokio::test(start_paused = true)]
async fn event_that_fails_for_one_member_reaches_the_others() {
    let chat = chat(&FakeGrants::default());
    let (mut one, mut two) = (open(&chat, 1, &[]).await, open(&chat, 2, &[]).await);
    for client in [&mut one, &mut two] {
        join(client, 2).await;
    }
    let publisher = chat.publisher();
    publisher.publish(&Room(2), Unserializable("cannot be serialized".to_owned()));
    publisher.publish(&Room(2), Unserializable("panic".to_owned()));
    publisher.publish(&Room(2), Said("panic".to_owned()));
    publisher.publish(&Room(2), Said("after".to_owned()));
    assert_eq!(event(&mut one).await, said("panic"), "the check panicked for user 2 only");
    for client in [&mut one, &mut two] {
        assert_eq!(event(client).await, said("after"));
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn connections_handle_created_before_grants_refreshes_them() {
    let source = FakeGrants::default();
    let chat = portcullis::websocket(Messenger { open: true, rooms: Rooms, wait: Notify::new() });
    let connections = chat.connections();
    let chat = chat.grants(source.clone());
    let mut one = open(&chat, 1, &["seer"]).await;
    join(&mut one, 2).await;
    for load_log in 1..3 {
        chat.publisher().publish(&Room(2), Uploaded { channel: ChannelId(5), file: 7 });
        assert_eq!(event(&mut one).await["event"], "upload.created");
        let objects = source.load_log.lock().unwrap().iter().filter(|load_log| load_log.ends_with("objects")).count();
        assert_eq!(objects, load_log, "the overwrites are loaded again");
        assert!(connections.refresh_object(&ChannelId(5).grant_key()).revalidated().await.is_acknowledged());
    }
}
