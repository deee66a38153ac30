//! Request ids in event frames: byte for byte, in the order of the subscriptions, per connection.

use super::{Room, Uploaded, Whispered, act, act_ok, fixture, frames, said, settle, unsubscribe};

#[tokio::test(start_paused = true)]
async fn event_arrives_once_with_all_request_ids_in_order() {
    let fixture = fixture();
    let (mut one, mut other) = (fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    for id in ["7", r#""a""#, "3"] {
        act_ok(&mut one, id, r#"{"subscribe":2}"#).await;
    }
    act_ok(&mut one, "9", r#"{"subscribe":4}"#).await;
    act_ok(&mut other, "7", r#"{"join":2}"#).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, r#"7,"a",3"#)]);
    assert_eq!(frames(&mut other).await, [said("hello", 2, "")], "a joined member has no request id");
    fixture.say(4, "there");
    assert_eq!(frames(&mut one).await, [said("there", 4, "9")], "ids are per group");
    assert_eq!(frames(&mut other).await, Vec::<String>::new());
}

/// JSON values with different texts.
const VALUES: [&str; 16] = [
    "null",
    "true",
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "1e0",
    "123456789012345678901234567890",
    r#""""#,
    r#""1""#,
    r#""é""#,
    r#""\u00e9""#,
    "[ 1,  2 ]",
    "[1,2]",
    r#"{ "b" : [{}],"a":null , "b":1}"#,
];

#[tokio::test(start_paused = true)]
async fn request_id_of_any_json_is_kept_byte_for_byte() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    for id in VALUES {
        act_ok(&mut one, id, r#"{"subscribe":2}"#).await;
        one.send(format!(r#"{{"action":"own_id","request_id": {id} }}"#));
        let reply = one.reply().await;
        let wanted =
            format!(r#"{{"errors":[],"data":{id},"action":"own_id","route":"","status":200,"request_id":{id}}}"#);
        assert_eq!(reply.text(), wanted);
    }
    let mut left = VALUES.to_vec();
    // From the middle outwards, so that each is removed at another position.
    while !left.is_empty() {
        fixture.say(2, "hello");
        assert_eq!(frames(&mut one).await, [said("hello", 2, &left.join(","))]);
        let id = left.remove(left.len() / 2);
        unsubscribe(&mut one, 2, id).await;
    }
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn subscribe_without_request_id_is_rejected() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    let reply = act(&mut one, "", r#"{"subscribe":2}"#).await;
    assert_eq!((reply.status(), reply.code()), (400, "missing_request_id"));
    assert_eq!(reply.value()["errors"][0]["field"], "request_id");
    assert!(reply.data().is_null());
    assert!(fixture.state.evaluations.lock().unwrap().is_empty(), "the permission is not evaluated");
    settle(&mut one).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
    one.send(r#"{"action":"own_id"}"#);
    assert_eq!(one.reply().await.text(), r#"{"errors":[],"data":null,"action":"own_id","route":"","status":200}"#);
}

#[tokio::test(start_paused = true)]
async fn subscribe_with_the_same_request_id_twice_is_one_subscription() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    for id in ["1", "2", "1"] {
        act_ok(&mut one, id, r#"{"subscribe":2}"#).await;
    }
    act_ok(&mut one, "3", r#"{"subscribe":2},{"subscribe":2}"#).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "1,2,3")]);
    unsubscribe(&mut one, 2, "1").await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "2,3")], "it ends at once");
    act_ok(&mut one, "1", r#"{"subscribe":2}"#).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "2,3,1")], "a repeated subscription is the last one");
}

#[tokio::test(start_paused = true)]
async fn request_ids_are_kept_per_connection() {
    let fixture = fixture();
    let (mut one, mut twin) = (fixture.open(1, &[]).await, fixture.open(1, &[]).await);
    act_ok(&mut one, "1", r#"{"subscribe":2}"#).await;
    act_ok(&mut twin, "1", r#"{"subscribe":2}"#).await;
    act_ok(&mut twin, "2", r#"{"subscribe":2}"#).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "1")]);
    assert_eq!(frames(&mut twin).await, [said("hello", 2, "1,2")]);
    unsubscribe(&mut one, 2, "1").await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
    assert_eq!(frames(&mut twin).await, [said("hello", 2, "1,2")]);
}

#[tokio::test(start_paused = true)]
async fn per_member_event_carries_its_request_ids() {
    let fixture = fixture();
    let (mut one, mut deaf) = (fixture.open(1, &[]).await, fixture.open(2, &["deaf"]).await);
    for client in [&mut one, &mut deaf] {
        act_ok(client, "1", r#"{"subscribe":2}"#).await;
        act_ok(client, "[2]", r#"{"subscribe":2},{"subscribe_quietly":2}"#).await;
    }
    fixture.publisher.publish(&Room { id: 2 }, Whispered);
    let wanted = r#"{"event":"whispered","data":1,"group":"rooms/2","request_ids":[1,[2]]}"#;
    assert_eq!(frames(&mut one).await, [wanted]);
    fixture.publisher.publish(&super::Quiet(2), Whispered);
    assert_eq!(frames(&mut one).await, [r#"{"event":"whispered","data":1,"request_ids":[[2]]}"#]);
    assert_eq!(frames(&mut deaf).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn deferred_event_carries_the_remaining_request_ids() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    for id in ["1", "2", "3"] {
        act_ok(&mut one, id, r#"{"subscribe":2}"#).await;
    }
    fixture.state.grants_gate.close();
    fixture.publisher.publish(&Room { id: 2 }, Uploaded(5));
    fixture.publisher.publish(&Room { id: 2 }, Whispered);
    fixture.say(2, "after");
    assert_eq!(frames(&mut one).await, Vec::<String>::new(), "later events are deferred too");
    unsubscribe(&mut one, 2, "2").await;
    act_ok(&mut one, "4", r#"{"subscribe":2}"#).await;
    fixture.state.grants_gate.open();
    let wanted = [
        r#"{"event":"uploaded","data":5,"group":"rooms/2","request_ids":[1,3,4]}"#.to_owned(),
        r#"{"event":"whispered","data":1,"group":"rooms/2","request_ids":[1,3,4]}"#.to_owned(),
        said("after", 2, "1,3,4"),
    ];
    assert_eq!(frames(&mut one).await, wanted);
}

#[tokio::test(start_paused = true)]
async fn detached_action_subscribes_under_its_own_request_id() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    fixture.state.group_gate.close();
    for id in ["1", "2"] {
        one.send(format!(r#"{{"action":"subscribe_detached","room":2,"request_id":{id}}}"#));
    }
    fixture.say(2, "before");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
    fixture.state.group_gate.open();
    for _ in 0..2 {
        assert_eq!(one.reply().await.status(), 200);
    }
    settle(&mut one).await;
    fixture.say(2, "hello");
    let received = frames(&mut one).await;
    assert!(received == [said("hello", 2, "1,2")] || received == [said("hello", 2, "2,1")], "{received:?}");
}
