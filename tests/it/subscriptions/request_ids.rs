//! The ids that frames carry: as the client wrote them, in the order in which it subscribed, each connection its own.

use super::{Room, Uploaded, Whispered, act, done, frames, said, settled, unsubscribe, world};

#[tokio::test(start_paused = true)]
async fn event_arrives_once_with_all_request_ids_in_order() {
    let world = world();
    let (mut one, mut other) = (world.open(1, &[]).await, world.open(2, &[]).await);
    for id in ["7", r#""a""#, "3"] {
        done(&mut one, id, r#"{"subscribe":2}"#).await;
    }
    done(&mut one, "9", r#"{"subscribe":4}"#).await;
    done(&mut other, "7", r#"{"join":2}"#).await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, r#"7,"a",3"#)]);
    assert_eq!(frames(&mut other).await, [said("hello", 2, "")], "who has joined shows none");
    world.say(4, "there");
    assert_eq!(frames(&mut one).await, [said("there", 4, "9")], "and each group has its own");
    assert_eq!(frames(&mut other).await, Vec::<String>::new());
}

/// JSON values, no two of them written alike.
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
    let world = world();
    let mut one = world.open(1, &[]).await;
    for id in VALUES {
        done(&mut one, id, r#"{"subscribe":2}"#).await;
        one.send(format!(r#"{{"action":"own_id","request_id": {id} }}"#));
        let reply = one.reply().await;
        let wanted =
            format!(r#"{{"errors":[],"data":{id},"action":"own_id","route":"","status":200,"request_id":{id}}}"#);
        assert_eq!(reply.text(), wanted);
    }
    let mut left = VALUES.to_vec();
    // From the middle outwards, so that each stands in another place.
    while !left.is_empty() {
        world.say(2, "hello");
        assert_eq!(frames(&mut one).await, [said("hello", 2, &left.join(","))]);
        let id = left.remove(left.len() / 2);
        unsubscribe(&mut one, 2, id).await;
    }
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn subscribe_without_request_id_is_rejected() {
    let world = world();
    let mut one = world.open(1, &[]).await;
    let reply = act(&mut one, "", r#"{"subscribe":2}"#).await;
    assert_eq!((reply.status(), reply.code()), (400, "missing_request_id"));
    assert_eq!(reply.value()["errors"][0]["field"], "request_id");
    assert!(reply.data().is_null());
    assert!(world.truth.asked.lock().unwrap().is_empty(), "and nobody is asked");
    settled(&mut one).await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
    one.send(r#"{"action":"own_id"}"#);
    assert_eq!(one.reply().await.text(), r#"{"errors":[],"data":null,"action":"own_id","route":"","status":200}"#);
}

#[tokio::test(start_paused = true)]
async fn subscribe_with_the_same_request_id_twice_is_one_subscription() {
    let world = world();
    let mut one = world.open(1, &[]).await;
    for id in ["1", "2", "1"] {
        done(&mut one, id, r#"{"subscribe":2}"#).await;
    }
    done(&mut one, "3", r#"{"subscribe":2},{"subscribe":2}"#).await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "1,2,3")]);
    unsubscribe(&mut one, 2, "1").await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "2,3")], "and ends at once");
    done(&mut one, "1", r#"{"subscribe":2}"#).await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "2,3,1")], "who comes again stands last");
}

#[tokio::test(start_paused = true)]
async fn request_ids_are_kept_per_connection() {
    let world = world();
    let (mut one, mut twin) = (world.open(1, &[]).await, world.open(1, &[]).await);
    done(&mut one, "1", r#"{"subscribe":2}"#).await;
    done(&mut twin, "1", r#"{"subscribe":2}"#).await;
    done(&mut twin, "2", r#"{"subscribe":2}"#).await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "1")]);
    assert_eq!(frames(&mut twin).await, [said("hello", 2, "1,2")]);
    unsubscribe(&mut one, 2, "1").await;
    world.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
    assert_eq!(frames(&mut twin).await, [said("hello", 2, "1,2")]);
}

#[tokio::test(start_paused = true)]
async fn per_member_event_carries_its_request_ids() {
    let world = world();
    let (mut one, mut deaf) = (world.open(1, &[]).await, world.open(2, &["deaf"]).await);
    for client in [&mut one, &mut deaf] {
        done(client, "1", r#"{"subscribe":2}"#).await;
        done(client, "[2]", r#"{"subscribe":2},{"subscribe_quietly":2}"#).await;
    }
    world.publisher.publish(&Room { id: 2 }, Whispered);
    let wanted = r#"{"event":"whispered","data":1,"group":"rooms/2","request_ids":[1,[2]]}"#;
    assert_eq!(frames(&mut one).await, [wanted]);
    world.publisher.publish(&super::Quiet(2), Whispered);
    assert_eq!(frames(&mut one).await, [r#"{"event":"whispered","data":1,"request_ids":[[2]]}"#]);
    assert_eq!(frames(&mut deaf).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn deferred_event_carries_the_remaining_request_ids() {
    let world = world();
    let mut one = world.open(1, &[]).await;
    for id in ["1", "2", "3"] {
        done(&mut one, id, r#"{"subscribe":2}"#).await;
    }
    world.truth.desk.shut();
    world.publisher.publish(&Room { id: 2 }, Uploaded(5));
    world.publisher.publish(&Room { id: 2 }, Whispered);
    world.say(2, "after");
    assert_eq!(frames(&mut one).await, Vec::<String>::new(), "what comes after it waits too");
    unsubscribe(&mut one, 2, "2").await;
    done(&mut one, "4", r#"{"subscribe":2}"#).await;
    world.truth.desk.open();
    let wanted = [
        r#"{"event":"uploaded","data":5,"group":"rooms/2","request_ids":[1,3,4]}"#.to_owned(),
        r#"{"event":"whispered","data":1,"group":"rooms/2","request_ids":[1,3,4]}"#.to_owned(),
        said("after", 2, "1,3,4"),
    ];
    assert_eq!(frames(&mut one).await, wanted);
}

#[tokio::test(start_paused = true)]
async fn detached_action_subscribes_under_its_own_request_id() {
    let world = world();
    let mut one = world.open(1, &[]).await;
    world.truth.door.shut();
    for id in ["1", "2"] {
        one.send(format!(r#"{{"action":"subscribe_beside","room":2,"request_id":{id}}}"#));
    }
    world.say(2, "before");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
    world.truth.door.open();
    for _ in 0..2 {
        assert_eq!(one.reply().await.status(), 200);
    }
    settled(&mut one).await;
    world.say(2, "hello");
    let came = frames(&mut one).await;
    assert!(came == [said("hello", 2, "1,2")] || came == [said("hello", 2, "2,1")], "{came:?}");
}
