//! The rate limit of `authenticate`: `Limits::max_authenticate_per_minute`.

use portcullis::testing::{Client, connect};
use portcullis::{Endpoint, Limits};
use serde_json::json;

use super::{Portal, authenticate, fixture, member};

fn allowing(attempts: u32) -> Endpoint<Portal> {
    fixture().chat.limits(Limits { max_authenticate_per_minute: attempts, ..Limits::default() })
}

async fn open(chat: &Endpoint<Portal>) -> Client {
    connect(chat).user(member("1 call")).open().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn authenticate_over_the_rate_limit_is_refused_with_retry_after() {
    let chat = allowing(3);
    let mut client = open(&chat).await;
    for number in 0..3 {
        assert_eq!(authenticate(&mut client, &format!("1 call,{number}")).await.status(), 204);
    }
    let reply = authenticate(&mut client, "1 more").await;
    assert_eq!((reply.status(), reply.code()), (429, "too_many_requests"));
    let retry_after = reply.value()["errors"][0]["retry_after"].as_u64().unwrap();
    assert!((1..=20).contains(&retry_after), "{}", reply.text());
    assert_eq!(*client.call("whoami").await.data(), json!(["1", "call,2"]), "the user is unchanged");
    assert_eq!(client.call("call").await.status(), 200, "other actions are not affected");
    let mut other = open(&chat).await;
    assert_eq!(authenticate(&mut other, "1 more").await.status(), 204, "the limit is per connection");
}

#[tokio::test(start_paused = true)]
async fn refused_authenticate_counts_toward_the_rate_limit() {
    for token in [json!("nobody"), json!("2"), json!("teapot"), json!("panic"), json!(7)] {
        let mut client = open(&allowing(2)).await;
        for _ in 0..2 {
            let status = client.call("authenticate").with("token", &token).await.status();
            assert!(status >= 400 && status != 429, "{token}: {status}");
        }
        assert_eq!(authenticate(&mut client, "1").await.status(), 429, "{token}");
    }
}

#[tokio::test(start_paused = true)]
async fn authenticate_rate_limit_is_ten_by_default_also_during_an_action() {
    assert_eq!(Limits::default().max_authenticate_per_minute, 10);
    let mut client = open(&allowing(10)).await;
    client.send(r#"{"action":"hang"}"#);
    for _ in 0..10 {
        assert_eq!(authenticate(&mut client, "nobody").await.status(), 403);
    }
    assert_eq!(authenticate(&mut client, "1").await.status(), 429);
}

#[tokio::test(start_paused = true)]
async fn authenticate_with_a_rate_limit_of_zero_is_always_refused() {
    let mut client = open(&allowing(0)).await;
    for _ in 0..3 {
        let reply = authenticate(&mut client, "1").await;
        assert_eq!(reply.status(), 429);
        assert!(reply.value()["errors"][0]["retry_after"].is_u64(), "{}", reply.text());
    }
}
