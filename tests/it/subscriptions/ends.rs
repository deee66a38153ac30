//! How subscriptions end, and the group slots that they take.

use portcullis::testing::Client;

use super::{Room, Uploaded, act, act_ok, fixture, fixture_with_max_groups, frames, said, settle, unsubscribe};

#[tokio::test(start_paused = true)]
async fn unsubscribe_ends_one_id_and_the_last_one_ends_the_membership() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    for id in ["1", "2", "3"] {
        act_ok(&mut one, id, r#"{"subscribe":2}"#).await;
    }
    for (ended, left) in [("2", "1,3"), ("1", "3")] {
        unsubscribe(&mut one, 2, ended).await;
        fixture.say(2, "hello");
        assert_eq!(frames(&mut one).await, [said("hello", 2, left)]);
    }
    // An unknown id, or one of another group, ends nothing.
    for (room, id) in [(2, "1"), (2, r#""3""#), (2, "null"), (4, "3")] {
        unsubscribe(&mut one, room, id).await;
        fixture.say(2, "hello");
        assert_eq!(frames(&mut one).await, [said("hello", 2, "3")], "{room} {id}");
    }
    unsubscribe(&mut one, 2, "3").await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
    act_ok(&mut one, "3", r#"{"subscribe":2}"#).await;
    fixture.say(2, "again");
    assert_eq!(frames(&mut one).await, [said("again", 2, "3")]);
}

#[tokio::test(start_paused = true)]
async fn joined_subscriber_stays_after_unsubscribe_and_leave_ends_all() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    for joined_first in [true, false] {
        let (first, second) = if joined_first { ("join", "subscribe") } else { ("subscribe", "join") };
        for step in [first, second] {
            act_ok(&mut one, "1", &format!(r#"{{"{step}":2}}"#)).await;
        }
        act_ok(&mut one, "2", r#"{"subscribe":2}"#).await;
        fixture.say(2, "both");
        assert_eq!(frames(&mut one).await, [said("both", 2, "1,2")]);
        for id in ["1", "2", "5"] {
            unsubscribe(&mut one, 2, id).await;
        }
        fixture.say(2, "joined");
        assert_eq!(frames(&mut one).await, [said("joined", 2, "")]);
        act_ok(&mut one, "3", r#"{"subscribe":2}"#).await;
        act_ok(&mut one, "", r#"{"leave":2}"#).await;
        fixture.say(2, "left");
        assert_eq!(frames(&mut one).await, Vec::<String>::new());
        act_ok(&mut one, "", r#"{"join":2}"#).await;
        fixture.say(2, "back");
        assert_eq!(frames(&mut one).await, [said("back", 2, "")], "the ids do not return");
        act_ok(&mut one, "", r#"{"leave":2}"#).await;
    }
}

#[tokio::test(start_paused = true)]
async fn ended_request_id_is_absent_after_the_reply() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    for last in [false, true] {
        for id in ["1", "2"] {
            act_ok(&mut one, id, r#"{"subscribe":2}"#).await;
        }
        if last {
            unsubscribe(&mut one, 2, "2").await;
        }
        // These are queued when the message arrives.
        fixture.say(2, "before");
        let reply = act(&mut one, "", r#"{"say":[2,"bye"]},{"unsubscribe":[2,1]}"#).await;
        assert_eq!(reply.text(), said("before", 2, if last { "1" } else { "1,2" }), "queued events precede the reply");
        assert_eq!(one.reply().await.status(), 200);
        fixture.say(2, "later");
        let wanted = if last { vec![] } else { vec![said("bye", 2, "2"), said("later", 2, "2")] };
        assert_eq!(frames(&mut one).await, wanted);
        unsubscribe(&mut one, 2, "2").await;
    }
    act_ok(&mut one, "1", r#"{"subscribe":2},{"unsubscribe":[2,1]}"#).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new(), "a membership begun and ended in one action has ended");
    act_ok(&mut one, "1", r#"{"subscribe":2}"#).await;
    act_ok(&mut one, "1", r#"{"unsubscribe":[2,1]},{"subscribe":2}"#).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "1")], "a membership ended and begun in one action exists");
}

#[tokio::test(start_paused = true)]
async fn membership_changes_of_a_failed_action_are_undone() {
    let fixture = fixture_with_max_groups(3);
    let mut one = fixture.open(1, &[]).await;
    for id in ["1", "2"] {
        act_ok(&mut one, id, r#"{"subscribe":2}"#).await;
    }
    for step in
        [r#"{"subscribe":2}"#, r#"{"subscribe":4}"#, r#"{"join":2}"#, r#"{"unsubscribe":[2,1]}"#, r#"{"leave":2}"#]
    {
        let steps = format!(r#"{step},{{"say":[2,"never"]}},"fail""#);
        assert_eq!(act(&mut one, "3", &steps).await.status(), 409);
        settle(&mut one).await;
        for room in [4, 2] {
            fixture.say(room, "hello");
        }
        assert_eq!(frames(&mut one).await, [said("hello", 2, "1,2")], "{step}");
    }
    act_ok(&mut one, "4", r#"{"subscribe":4}"#).await;
}

#[tokio::test(start_paused = true)]
async fn membership_begun_and_ended_in_one_action_gets_no_event() {
    let fixture = fixture();
    let (mut one, mut other) = (fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    act_ok(&mut other, "", r#"{"join":2}"#).await;
    for steps in [
        r#"{"join":2},{"say":[2,"look"]},{"leave":2}"#,
        r#"{"subscribe":2},{"say":[2,"look"]},{"leave":2}"#,
        r#"{"subscribe":2},{"say":[2,"look"]},{"unsubscribe":[2,1]}"#,
        r#"{"join":2},{"subscribe":2},{"say":[2,"look"]},{"unsubscribe":[2,1]},{"leave":2}"#,
    ] {
        assert_eq!(act(&mut one, "1", steps).await.status(), 200);
        assert_eq!(frames(&mut one).await, Vec::<String>::new(), "{steps}");
        assert_eq!(frames(&mut other).await, [said("look", 2, "")], "members get it: {steps}");
    }
    let steps = r#"{"join":2},{"subscribe":2},{"say":[2,"look"]},{"unsubscribe":[2,1]}"#;
    assert_eq!(act(&mut one, "1", steps).await.status(), 200);
    assert_eq!(frames(&mut one).await, [said("look", 2, "")], "the remaining membership gets it, without the ended id");
}

/// Asserts the number of free group slots.
async fn assert_free_slots(client: &mut Client, most: usize) {
    for id in 0..most {
        act_ok(client, &id.to_string(), r#"{"subscribe":9}"#).await;
    }
    for (id, step) in [("99", r#"{"subscribe":9}"#), ("", r#"{"join":9}"#)] {
        let reply = act(client, id, step).await;
        assert_eq!((reply.status(), reply.code()), (409, "too_many_groups"), "{most}: {step}");
    }
    act_ok(client, "", r#"{"leave":9}"#).await;
}

#[tokio::test(start_paused = true)]
async fn subscription_takes_a_group_slot_and_returns_it() {
    let fixture = fixture_with_max_groups(3);
    let mut one = fixture.open(1, &[]).await;
    assert_free_slots(&mut one, 3).await;
    for (left, id, step) in [
        (2, "1", r#"{"subscribe":2}"#),
        // A repeated id takes no slot, and an unknown id frees none.
        (2, "1", r#"{"subscribe":2}"#),
        (1, "2", r#"{"subscribe":2}"#),
        (0, "", r#"{"join":2}"#),
        (0, "1", r#"{"subscribe":2},{"join":2}"#),
        (0, "", r#"{"unsubscribe":[2,5]}"#),
        (1, "", r#"{"unsubscribe":[2,1]}"#),
        (1, "", r#"{"unsubscribe":[2,1]}"#),
        (0, "3", r#"{"subscribe":2}"#),
        (3, "", r#"{"leave":2}"#),
        (3, "", r#"{"leave":2}"#),
    ] {
        act_ok(&mut one, id, step).await;
        assert_free_slots(&mut one, left).await;
    }
}

#[tokio::test(start_paused = true)]
async fn group_slot_freed_by_an_action_can_be_used_by_it() {
    let fixture = fixture_with_max_groups(1);
    let mut one = fixture.open(1, &[]).await;
    for (id, steps, room, ids) in [
        ("", r#"{"join":2},{"join":2}"#, 2, ""),
        ("", r#"{"join":2}"#, 2, ""),
        ("", r#"{"leave":2},{"join":4}"#, 4, ""),
        ("1", r#"{"leave":4},{"subscribe":4},{"subscribe":4}"#, 4, "1"),
        ("2", r#"{"unsubscribe":[4,1]},{"subscribe":2}"#, 2, "2"),
        ("2", r#"{"unsubscribe":[2,2]},{"subscribe":2}"#, 2, "2"),
        ("", r#"{"leave":2},{"join":4},{"leave":4},{"join":2}"#, 2, ""),
    ] {
        act_ok(&mut one, id, steps).await;
        for room in [2, 4] {
            fixture.say(room, "hello");
        }
        assert_eq!(frames(&mut one).await, [said("hello", room, ids)], "{steps}");
    }
    for steps in [r#"{"leave":2},{"join":4},{"join":5}"#, r#"{"leave":4},{"join":4}"#, r#"{"join":4},{"leave":2}"#] {
        let reply = act(&mut one, "", steps).await;
        assert_eq!((reply.status(), reply.code()), (409, "too_many_groups"), "the limit holds: {steps}");
        settle(&mut one).await;
    }
    fixture.say(2, "still");
    assert_eq!(frames(&mut one).await, [said("still", 2, "")]);
}

#[tokio::test(start_paused = true)]
async fn refused_subscription_takes_no_group_slot() {
    let fixture = fixture_with_max_groups(1);
    fixture.state.outsiders.lock().unwrap().insert(1);
    let mut one = fixture.open(1, &[]).await;
    for id in ["1", "2"] {
        let reply = act(&mut one, id, r#"{"subscribe":2}"#).await;
        assert_eq!((reply.status(), reply.code()), (403, "permission_denied"));
        settle(&mut one).await;
    }
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
    fixture.state.outsiders.lock().unwrap().clear();
    act_ok(&mut one, "3", r#"{"subscribe":2}"#).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "3")]);
    fixture.state.outsiders.lock().unwrap().insert(1);
    assert_eq!(
        act(&mut one, "4", r#"{"subscribe":2}"#).await.status(),
        403,
        "the permission is evaluated per subscription"
    );
}

#[tokio::test(start_paused = true)]
async fn revoked_membership_loses_all_request_ids() {
    let fixture = fixture_with_max_groups(4);
    let (mut one, mut other) = (fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    for client in [&mut one, &mut other] {
        for id in ["1", "2"] {
            act_ok(client, id, r#"{"subscribe":2}"#).await;
        }
        act_ok(client, "3", r#"{"join":2},{"subscribe_quietly":5}"#).await;
    }
    fixture.state.outsiders.lock().unwrap().insert(1);
    fixture.say(2, "waiting");
    assert!(fixture.feed.connections().refresh_user("1").revalidated().await.is_acknowledged());
    fixture.say(2, "hello");
    fixture.publisher.publish(&super::Quiet(5), super::Said("still".to_owned()));
    let keeps_right = r#"{"event":"said","data":"still","request_ids":[3]}"#;
    let unsubscribed = r#"{"event":"unsubscribed","data":{"status":403},"group":"rooms/2","request_ids":[1,2]}"#;
    assert_eq!(frames(&mut one).await, [unsubscribed, keeps_right]);
    assert_eq!(frames(&mut other).await, [said("waiting", 2, "1,2"), said("hello", 2, "1,2"), keeps_right.to_owned()]);
    fixture.state.outsiders.lock().unwrap().clear();
    assert!(fixture.feed.connections().refresh_user("1").revalidated().await.is_acknowledged());
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, Vec::<String>::new(), "an ended membership does not return");
    for id in ["4", "5", "6"] {
        act_ok(&mut one, id, r#"{"subscribe":2}"#).await;
    }
    fixture.say(2, "hello");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "4,5,6")], "the group slots were freed");
}

#[tokio::test(start_paused = true)]
async fn subscription_ends_with_its_connection() {
    let fixture = fixture();
    let (mut one, mut other) = (fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    for client in [&mut one, &mut other] {
        act_ok(client, "1", r#"{"subscribe":2}"#).await;
    }
    fixture.state.grants_gate.close();
    fixture.publisher.publish(&Room { id: 2 }, Uploaded(1));
    drop(one);
    assert_eq!(frames(&mut other).await, Vec::<String>::new());
    fixture.state.grants_gate.open();
    assert_eq!(frames(&mut other).await, [r#"{"event":"uploaded","data":1,"group":"rooms/2","request_ids":[1]}"#]);
    let before = fixture.publisher.counters();
    fixture.say(2, "panic");
    let after = fixture.publisher.counters();
    assert_eq!((before.delivered, after.refused - before.refused), (1, 1), "one member is left");
    let mut again = fixture.open(1, &[]).await;
    fixture.say(2, "hello");
    assert_eq!(frames(&mut again).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn group_left_twice_by_an_action_frees_one_slot() {
    for steps in [
        r#"{"leave":2},{"leave":2},{"join":4},{"join":5}"#,
        r#"{"leave":2},{"join":2},{"leave":2},{"join":4},{"join":5}"#,
    ] {
        let fixture = fixture_with_max_groups(1);
        let mut one = fixture.open(1, &[]).await;
        act_ok(&mut one, "", r#"{"join":2}"#).await;
        assert_eq!(act(&mut one, "", steps).await.status(), 409, "{steps}");
    }
}

#[tokio::test(start_paused = true)]
async fn group_left_and_joined_again_by_an_action_keeps_its_slot() {
    for steps in [r#"{"leave":2},{"join":4},{"join":2}"#, r#"{"leave":2},{"join":2},{"join":4}"#] {
        let fixture = fixture_with_max_groups(1);
        let mut one = fixture.open(1, &[]).await;
        act_ok(&mut one, "", r#"{"join":2}"#).await;
        assert_eq!(act(&mut one, "", steps).await.status(), 409, "{steps}");
    }
}
