//! The grant cache: loaded grants are kept until they are forgotten; a failed load is repeated.

use std::sync::Arc;

use portcullis::testing::Client;
use portcullis::{GrantCache, ObjectKey, Overwrites};

use super::{FakeGrants, chat, open, uploads};

#[tokio::test(start_paused = true)]
async fn grant_source_that_fails_denies_and_is_loaded_again() {
    let source = FakeGrants::default();
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    let endpoint = chat(source.clone());
    let mut client = open(&endpoint, 1).await;
    for failure in ["fail", "hang", "panic"] {
        source.failure(Some(failure));
        let reply = client.call("talk").await;
        assert_eq!(reply.status(), 500, "{failure}");
        assert!(!reply.text().contains("secret"), "{}", reply.text());
    }
    source.failure(None);
    assert_eq!(client.call("talk").await.status(), 200);
    source.load_log();
    for failure in ["fail", "hang", "panic"] {
        source.failure(Some(failure));
        assert_eq!(client.call("list").route("channels/").with("channel", 5).await.status(), 500, "{failure}");
        assert_eq!(client.call("talk").await.status(), 200, "loaded grants are kept");
    }
    source.failure(None);
    assert_eq!(client.call("list").route("channels/").with("channel", 5).await.status(), 200);
    assert_eq!(source.load_log(), ["channel 5"; 4]);
}

/// Calls `talk`, and lists the uploads of channel 5; returns both statuses.
async fn statuses_of(client: &mut Client) -> [u16; 2] {
    [client.call("talk").await.status(), client.call("list").route("channels/").with("channel", 5).await.status()]
}

#[tokio::test]
async fn grant_cache_clones_share_one_cache() {
    let source = FakeGrants::default();
    source.grant(1, &[chat::can_use_chat], &[]);
    let cache = GrantCache::new(source.clone());
    for shared in
        [chat(Arc::new(cache.clone())), chat(GrantCache::new(cache.clone())), chat(Arc::new(Arc::new(cache.clone())))]
    {
        source.grant(1, &[chat::can_use_chat], &[]);
        let mut client = open(&shared, 1).await;
        assert_eq!(client.call("talk").await.status(), 200);
        source.grant(1, &[], &[]);
        cache.forget_all();
        assert_eq!(client.call("talk").await.status(), 403);
    }
}

#[tokio::test]
async fn forgotten_grants_are_loaded_again() {
    let source = FakeGrants::default();
    let cache = GrantCache::new(source.clone());
    let endpoint = chat(cache.clone());
    let (mut one, mut other) = (open(&endpoint, 1).await, open(&endpoint, 2).await);
    source.grant(1, &[chat::can_use_chat, uploads::read], &[]);
    let read = uploads::read;
    assert_eq!((statuses_of(&mut one).await, statuses_of(&mut other).await), ([200, 200], [403, 403]));
    source.grant(2, &[chat::can_use_chat], &[]);
    source.overwrite(5, Overwrites::new().allow_everyone(read));
    assert_eq!(statuses_of(&mut other).await, [403, 403], "until they are forgotten");
    cache.forget_all();
    assert_eq!(statuses_of(&mut other).await, [200, 200]);
    source.overwrite(5, Overwrites::new().deny_everyone(read));
    assert_eq!((statuses_of(&mut one).await, statuses_of(&mut other).await), ([200, 200], [200, 200]));
    cache.forget_object(&ObjectKey::new("channel", 5_u64));
    assert_eq!((statuses_of(&mut one).await, statuses_of(&mut other).await), ([200, 403], [200, 403]));
    source.overwrite(5, Overwrites::new().allow_role("seer", read));
    source.grant(1, &[chat::can_use_chat], &["seer"]);
    cache.forget_object(&ObjectKey::new("channel", 5_u64));
    assert_eq!(statuses_of(&mut one).await, [200, 200], "with the old grants");
    source.grant(1, &[chat::can_use_chat], &[]);
    assert_eq!(one.call("promoted").await.status(), 200);
    assert_eq!(statuses_of(&mut one).await, [200, 403], "forgetting grants forgets what was computed from them");
}
