//! Object overwrites: what an object allows or denies takes precedence over the user's grants.

use portcullis::{GrantSet, Overwrites};
use serde_json::{Value, json};

use super::{FakeGrants, chat, open, uploads};

#[tokio::test]
async fn object_overwrite_takes_precedence_over_grants() {
    let source = FakeGrants::default();
    let read = uploads::read;
    source.grant(1, &[chat::can_use_chat], &["new"]);
    source.grant(2, &[chat::can_use_chat, uploads::read], &["new", "old"]);
    let (closed, open_to_all) = (Overwrites::new().deny_everyone(read), Overwrites::new().allow_everyone(read));
    source.overwrite(1, open_to_all.clone());
    source.overwrite(2, closed.clone());
    source.overwrite(3, closed.clone().allow_role("old", read));
    source.overwrite(4, open_to_all.clone().deny_role("new", read));
    source.overwrite(5, open_to_all.clone().deny_role("new", read).allow_role("old", read));
    source.overwrite(6, closed.allow_member("1", read));
    source.overwrite(7, open_to_all.deny_member("2", read));
    source.overwrite(8, Overwrites::missing());
    let endpoint = chat(source.clone());
    let (mut one, mut two) = (open(&endpoint, 1).await, open(&endpoint, 2).await);
    source.load_log();
    for (channel, wanted) in [
        (0, [403, 200]),
        (1, [200, 200]),
        (2, [403, 403]),
        (3, [403, 200]),
        (4, [403, 403]),
        (5, [403, 200]),
        (6, [200, 403]),
        (7, [200, 403]),
        (8, [403, 403]),
    ] {
        let mut statuses = [0; 2];
        for (client, status) in [&mut one, &mut two].into_iter().zip(&mut statuses) {
            *status = client.call("list").route("channels/").with("channel", channel).await.status();
            let again = client.call("list").route(&format!("channel/{channel}/")).await.status();
            assert_eq!(*status, again, "equal for a capture");
            let moderates = client.call("open").route("channels/").with("file", channel).await.status();
            assert_eq!(*status, moderates, "equal for an object");
            let load_log = client.call("asks").with("channel", channel).await;
            assert_eq!(load_log.data()[1], *status == 200, "equal in an action");
        }
        assert_eq!(statuses, wanted, "channel {channel}");
    }
    let load_log = source.load_log();
    let channels: Vec<_> = load_log.iter().filter(|load_log| load_log.starts_with("channel")).collect();
    assert_eq!(channels.len(), 9, "one load per object: {load_log:?}");
}

#[tokio::test]
async fn several_objects_are_loaded_in_one_batch() {
    let source = FakeGrants::default();
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    source.overwrite(3, Overwrites::new().deny_everyone(uploads::read));
    let endpoint = chat(source.clone());
    let mut client = open(&endpoint, 1).await;
    assert_eq!(client.call("talk").await.status(), 200);
    source.load_log();
    let mut list = async |action: &str, key: &str, value: Value| {
        client.call(action).route("channels/").with(key, value).await.status()
    };
    assert_eq!(list("list_all", "channels", json!([1, 2])).await, 200);
    assert_eq!(list("list_all", "channels", json!([1, 2, 3])).await, 403);
    assert_eq!(list("open_all", "files", json!([1, 3])).await, 403);
    assert_eq!(list("open_all", "files", json!([4, 1, 5])).await, 200);
    assert_eq!(list("open_all", "files", json!([4, 101])).await, 403);
    assert_eq!(source.load_log(), ["channel 1, channel 2", "channel 3", "channel 4, channel 5"]);
    // Without an object the plain codename is evaluated.
    assert_eq!(list("list_if", "channel", Value::Null).await, 200);
    assert_eq!(list("list_all", "channels", json!([])).await, 200);
    let mut without = open(&endpoint, 2).await;
    source.grant(2, &[chat::can_use_chat], &[]);
    for (action, key, value) in [("list_if", "channel", Value::Null), ("list_all", "channels", json!([]))] {
        assert_eq!(without.call(action).route("channels/").with(key, value).await.status(), 403);
    }
}

#[tokio::test]
async fn administrator_passes_without_loading_overwrites() {
    let source = FakeGrants::default();
    source.0.lock().unwrap().granted.insert(1, GrantSet::all().into());
    source.overwrite(5, Overwrites::new().deny_everyone(GrantSet::all()));
    let mut client = open(&chat(source.clone()), 1).await;
    assert_eq!(client.call("list").route("channels/").with("channel", 5).await.status(), 200);
    assert_eq!(source.load_log(), ["user 1"], "no overwrites are loaded");
}

#[tokio::test]
async fn list_of_more_than_100_object_keys_is_rejected() {
    let source = FakeGrants::default();
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    let mut client = open(&chat(source.clone()), 1).await;
    for (count, status) in [(100, 200), (101, 400)] {
        let many: Vec<u32> = (0..count).collect();
        let reply = client.call("list_all").route("channels/").with("channels", many).await;
        assert_eq!(reply.status(), status, "{}", reply.text());
    }
}
