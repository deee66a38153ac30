//! `authenticate` overtakes the queue, one at a time; running actions are authorized again before their reply.

use portcullis::Limits;
use serde_json::json;

use super::{authenticate, fixture, next, next_status, send_action, send_authenticate};

fn reply(id: &str, status: u16) -> (String, u16) {
    (id.to_owned(), status)
}

#[tokio::test(start_paused = true)]
async fn authenticate_does_not_wait_for_a_hanging_action() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    send_action(&mut client, "hang");
    send_action(&mut client, "whoami");
    send_authenticate(&mut client, "1 call,more", "renewed");
    send_action(&mut client, "call");
    send_action(&mut client, "ping");
    assert_eq!(next_status(&mut client).await, reply("renewed", 204));
    client.expect_silence().await;
    fixture.state.resume.notify_one();
    assert_eq!(next_status(&mut client).await, reply("hang", 200));
    let whoami = next(&mut client).await;
    assert_eq!((&whoami["request_id"], &whoami["data"]), (&json!("whoami"), &json!(["1", "call,more"])));
    assert_eq!(next_status(&mut client).await, reply("call", 200));
    assert_eq!(next_status(&mut client).await, reply("ping", 200));
}

#[tokio::test(start_paused = true)]
async fn refused_authenticate_does_not_wait_for_a_hanging_action() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    send_action(&mut client, "hang");
    client.expect_silence().await;
    for (token, status) in [("nobody", 403), ("2", 403), ("teapot", 418), ("panic", 500), ("1 call 0", 403)] {
        assert_eq!(authenticate(&mut client, token).await.status(), status);
    }
    client.send(r#"{"action":"authenticate","request_id":"bad"}"#);
    assert_eq!(next_status(&mut client).await, reply("bad", 400));
    fixture.state.resume.notify_one();
    assert_eq!(next_status(&mut client).await, reply("hang", 200));
}

#[tokio::test(start_paused = true)]
async fn authenticate_does_not_wait_for_a_stream() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    send_action(&mut client, "stream");
    assert_eq!(next(&mut client).await["last"], false);
    send_action(&mut client, "whoami");
    send_authenticate(&mut client, "1 call,more", "renewed");
    assert_eq!(next_status(&mut client).await, reply("renewed", 204), "before the next value");
    for _ in 0..5 {
        let value = next(&mut client).await;
        assert_eq!((&value["request_id"], &value["last"]), (&json!("stream"), &json!(false)));
    }
    send_authenticate(&mut client, "1 more", "less");
    assert_eq!(next_status(&mut client).await, reply("less", 204));
    let last = next(&mut client).await;
    assert_eq!((&last["request_id"], &last["status"], &last["last"]), (&json!("stream"), &json!(403), &json!(true)));
    assert_eq!(next(&mut client).await["data"], json!(["1", "more"]));
    assert_eq!(fixture.state.end_log(), ["stream"]);
}

#[tokio::test(start_paused = true)]
async fn running_action_is_reauthorized_for_the_new_user() {
    for (rights, status) in [("call", 200), ("-", 403)] {
        let fixture = fixture();
        let mut client = fixture.open("1 call").await;
        send_action(&mut client, "hang");
        client.expect_silence().await;
        assert_eq!(authenticate(&mut client, &format!("1 {rights}")).await.status(), 204);
        fixture.state.resume.notify_one();
        assert_eq!(next_status(&mut client).await, reply("hang", status));
        assert_eq!(client.call("ping").await.status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn second_authenticate_waits_for_the_first_during_an_action() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    send_action(&mut client, "hang");
    send_authenticate(&mut client, "wait 1 call,first", "first");
    send_authenticate(&mut client, "1 call,second", "second");
    client.expect_silence().await;
    fixture.state.authenticate_permit.notify_one();
    assert_eq!(next_status(&mut client).await, reply("first", 204));
    fixture.state.resume.notify_one();
    let mut answers = [next_status(&mut client).await, next_status(&mut client).await];
    answers.sort();
    assert_eq!(answers, [reply("hang", 200), reply("second", 204)]);
    assert_eq!(*client.call("whoami").await.data(), json!(["1", "call,second"]));
}

/// In order, also without a running action or if it ends meanwhile: the last one decides.
#[tokio::test(start_paused = true)]
async fn authenticate_messages_are_handled_one_at_a_time() {
    for behind in ["", "hang"] {
        let fixture = fixture();
        let mut client = fixture.open("1 call").await;
        if !behind.is_empty() {
            send_action(&mut client, behind);
        }
        send_authenticate(&mut client, "wait 1 call,first", "first");
        send_authenticate(&mut client, "1 call,second", "second");
        send_authenticate(&mut client, "1 call,third", "third");
        client.expect_silence().await;
        if !behind.is_empty() {
            fixture.state.resume.notify_one();
            assert_eq!(next_status(&mut client).await, reply("hang", 200));
            client.expect_silence().await;
        }
        fixture.state.authenticate_permit.notify_one();
        for id in ["first", "second", "third"] {
            assert_eq!(next_status(&mut client).await, reply(id, 204));
        }
        assert_eq!(*client.call("whoami").await.data(), json!(["1", "call,third"]));
    }
}

#[tokio::test(start_paused = true)]
async fn second_authenticate_waits_only_for_the_first() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    send_action(&mut client, "stream");
    assert_eq!(next_status(&mut client).await, reply("stream", 200));
    send_authenticate(&mut client, "wait nobody", "first");
    send_authenticate(&mut client, "1 call,second", "second");
    assert_eq!(next_status(&mut client).await, reply("stream", 200));
    fixture.state.authenticate_permit.notify_one();
    assert_eq!(next_status(&mut client).await, reply("first", 403));
    assert_eq!(next_status(&mut client).await, reply("second", 204));
    assert_eq!(next_status(&mut client).await, reply("stream", 200));
}

#[tokio::test(start_paused = true)]
async fn authenticate_beyond_the_read_ahead_limit_waits() {
    let ahead = Limits::default().max_read_ahead;
    for (messages, read) in [(ahead - 1, true), (ahead, false)] {
        let fixture = fixture();
        let mut client = fixture.open("1 call").await;
        send_action(&mut client, "hang");
        for _ in 0..messages {
            send_action(&mut client, "ping");
        }
        send_authenticate(&mut client, "1 call,more", "renewed");
        if read {
            assert_eq!(next_status(&mut client).await, reply("renewed", 204));
        }
        client.expect_silence().await;
        fixture.state.resume.notify_one();
        assert_eq!(next_status(&mut client).await, reply("hang", 200));
        let mut others = Vec::new();
        for _ in 0..messages + usize::from(!read) {
            others.push(next_status(&mut client).await);
        }
        others.retain(|other| *other != reply("ping", 200));
        assert_eq!(others, if read { vec![] } else { vec![reply("renewed", 204)] });
    }
}

#[tokio::test(start_paused = true)]
async fn other_messages_are_dispatched_during_authenticate() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    send_action(&mut client, "hang");
    send_authenticate(&mut client, "wait 1 call,more", "renewed");
    client.expect_silence().await;
    fixture.state.resume.notify_one();
    assert_eq!(next_status(&mut client).await, reply("hang", 200));
    assert_eq!(*client.call("whoami").await.data(), json!(["1", "call"]));
    assert_eq!(super::personal(&fixture, &mut client).await, json!([0, "call"]));
    fixture.state.authenticate_permit.notify_one();
    assert_eq!(next_status(&mut client).await, reply("renewed", 204));
    assert_eq!(*client.call("whoami").await.data(), json!(["1", "call,more"]));
}

#[tokio::test(start_paused = true)]
async fn client_gone_during_authenticate_is_removed() {
    for token in ["wait 1 call", "1 call"] {
        let fixture = fixture();
        let mut client = fixture.open("1 call").await;
        send_action(&mut client, "hang");
        send_authenticate(&mut client, token, "renewed");
        drop(client);
        fixture.state.disconnected.notified().await;
        fixture.state.authenticate_permit.notify_one();
        let publisher = fixture.chat.publisher();
        assert_eq!(publisher.join("1", super::Lobby).await, 0);
        publisher.publish_to_user("1", super::Whispered(1));
        assert_eq!(publisher.counters().refused, 0, "the closed connection is still registered");
        assert_eq!(fixture.open("1").await.call("ping").await.status(), 200);
    }
}
