//! What a viewer sees of the list, and when it is refused.

use futures_util::FutureExt;

use super::*;
use crate::common::log_capture::LogCapture;

#[tokio::test(start_paused = true)]
async fn viewer_sees_the_members_that_the_expression_allows_with_their_connections() {
    let (office, _) = office(without_timeouts());
    let mut red = enter(&office, 10, &["red"]).await;
    let _red_again = enter(&office, 10, &["red"]).await;
    let _other_red = enter(&office, 9, &["red"]).await;
    let mut blue = enter(&office, 8, &["blue"]).await;
    let mut staff = open(&office, 1, &["none", "staff"]).await;
    let mut outsider = open(&office, 2, &["none"]).await;
    let mut anonymous = connect(&office).open().await.unwrap();
    // Sorted by id as text.
    assert_eq!(online(&mut red).await, [(10, 2), (9, 1)]);
    assert_eq!(online(&mut blue).await, [(8, 1)]);
    assert_eq!(online(&mut staff).await, [(10, 2), (8, 1), (9, 1)]);
    assert_eq!(online(&mut outsider).await, []);
    assert_eq!(online(&mut anonymous).await, []);
    for (client, count) in [(&mut red, 2), (&mut blue, 1), (&mut staff, 3), (&mut outsider, 0), (&mut anonymous, 0)] {
        assert_eq!(client.call("count").with("room", 1).await.data(), count);
    }
    assert_eq!(staff.call("online").with("room", 2).await.data(), &json!([]));
}

#[tokio::test(start_paused = true)]
async fn member_is_not_listed_after_its_membership_has_ended() {
    let (office, outsiders) = office(without_timeouts());
    let mut staff = open(&office, 1, &["none", "staff"]).await;
    let mut leaves = enter(&office, 2, &["red"]).await;
    let closes = enter(&office, 3, &["red"]).await;
    let _revoked = enter(&office, 4, &["red"]).await;
    let _disconnected = enter(&office, 5, &["red"]).await;
    let _stays = enter(&office, 6, &["red"]).await;
    assert_eq!(online(&mut staff).await.len(), 5);
    assert_eq!(leaves.call("exit").with("room", 1).await.status(), 200);
    closes.close().await;
    outsiders.lock().unwrap().insert(4);
    assert!(office.connections().refresh_user("4").revalidated().await.is_acknowledged());
    assert!(office.connections().disconnect_user("5").await.is_acknowledged());
    assert_eq!(online(&mut staff).await, [(6, 1)]);
}

#[tokio::test(start_paused = true)]
async fn user_is_a_member_until_its_last_hold_of_the_last_connection_ends() {
    let (office, _) = office(without_timeouts());
    let mut staff = open(&office, 1, &["none", "staff"]).await;
    let mut first = enter(&office, 2, &["red"]).await;
    let mut second = enter(&office, 2, &["red"]).await;
    assert_eq!(first.call("watch").with("room", 1).request_id(7).await.status(), 200);
    assert_eq!(first.call("enter").with("room", 1).await.status(), 200);
    assert_eq!(online(&mut staff).await, [(2, 2)]);
    assert_eq!(first.call("exit").with("room", 1).await.status(), 200);
    assert_eq!(online(&mut staff).await, [(2, 1)]);
    assert_eq!(second.call("exit").with("room", 1).await.status(), 200);
    assert_eq!(online(&mut staff).await, []);
}

#[tokio::test(start_paused = true)]
async fn anonymous_member_is_listed_once_it_has_logged_in() {
    let (office, _) = office(without_timeouts());
    let mut staff = enter(&office, 1, &["none", "staff"]).await;
    let mut anonymous = connect(&office).open().await.unwrap();
    assert_eq!(anonymous.call("enter").with("room", 1).await.status(), 200);
    assert_eq!(online(&mut staff).await, [(1, 1)]);
    staff.expect_silence().await;
    assert_eq!(anonymous.call("authenticate").with("id", 7).await.status(), 204);
    assert_eq!(online(&mut staff).await, [(1, 1), (7, 1)]);
    assert_eq!(change(&mut staff).await, ("7".to_owned(), true));
    drop(anonymous);
    assert_eq!(change(&mut staff).await, ("7".to_owned(), false));
    assert_eq!(online(&mut staff).await, [(1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn error_and_panic_of_a_leaf_hide_the_member_whatever_stands_beside_it() {
    let (office, _) = office(without_timeouts());
    let mut staff = enter(&office, 1, &["none", "staff"]).await;
    let _members = [enter(&office, 2, &["error"]).await, enter(&office, 3, &["panic"]).await];
    let _visible = enter(&office, 4, &["red"]).await;
    assert_eq!(online(&mut staff).await, [(1, 1), (4, 1)]);
    assert_eq!(change(&mut staff).await, ("4".to_owned(), true));
    staff.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn leaf_may_name_a_field_of_the_group() {
    let (office, _) = office(without_timeouts());
    let mut member = open(&office, 5, &["red"]).await;
    for hall in [1, 2] {
        assert_eq!(member.call("enter_hall").with("hall", hall).await.status(), 200);
    }
    assert_eq!(member.call("in_hall").with("hall", 1).await.data(), &json!([{"user": "5", "connections": 1}]));
    assert_eq!(member.call("in_hall").with("hall", 2).await.data(), &json!([]));
}

#[tokio::test(start_paused = true)]
async fn group_with_more_users_than_the_limit_is_not_listed() {
    let (office, _) = office(Limits { max_present_users: 3, ..without_timeouts() });
    let mut staff = open(&office, 1, &["none", "staff"]).await;
    let mut members = Vec::new();
    for id in [2, 3, 3, 4] {
        members.push(enter(&office, id, &["red"]).await);
    }
    assert_eq!(online(&mut staff).await.len(), 3);
    let _one_more = enter(&office, 5, &["red"]).await;
    for action in ["online", "count"] {
        let reply = staff.call(action).with("room", 1).await;
        assert_eq!((reply.status(), reply.code()), (409, "too_many_users"));
    }
    assert_eq!(members.pop().unwrap().call("exit").with("room", 1).await.status(), 200);
    assert_eq!(online(&mut staff).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn members_that_faults_hide_are_logged_once_per_list_and_announcement() {
    let (office, _) = office(without_timeouts());
    let mut viewers = [enter(&office, 1, &["none", "staff"]).await, enter(&office, 2, &["none", "staff"]).await];
    let mut members = Vec::new();
    for id in 3..8 {
        members.push(enter(&office, id, &["error"]).await);
    }
    members.push(enter(&office, 8, &["panic"]).await);
    assert_eq!(viewers[0].event().await.data()["user"], "2");
    viewers[0].expect_silence().await;
    let (log, failures) = (LogCapture::start(), office.publisher().counters().failed);
    assert_eq!(online(&mut viewers[0]).await, [(1, 1), (2, 1)]);
    let take_errors = || log.take().into_iter().filter(|line| line.starts_with("ERROR")).collect::<Vec<_>>();
    let entries = take_errors();
    let [entry] = &entries[..] else { panic!("not one entry: {entries:#?}") };
    assert!(entry.contains("message=members hidden: ") && entry.contains(" hidden=6 "), "{entry}");
    assert!(entry.contains("SharesTeam") && entry.contains("a leaf's secret"), "{entry}");
    drop(members.pop());
    viewers[0].expect_silence().await;
    let entries = take_errors();
    // Each of the other members would have seen the user without the fault.
    assert!(entries.len() == 1 && entries[0].contains(" hidden=7 "), "{entries:?}");
    assert_eq!(office.publisher().counters().failed, failures + 2);
}

/// The other connection's message is processed before all lists are.
#[tokio::test(start_paused = true)]
async fn lists_of_one_connection_let_other_connections_run() {
    let (office, _) = office(without_timeouts());
    let mut members = Vec::new();
    for id in 0..512 {
        let mut member = open(&office, id, &["red"]).await;
        assert_eq!(member.call("enter_hall").with("hall", 1).await.status(), 200);
        members.push(member);
    }
    let [viewer, other, ..] = &mut members[..] else { panic!("no members") };
    for _ in 0..64 {
        viewer.send(json!({"action": "in_hall", "hall": 1}).to_string());
    }
    assert_eq!(other.call("ping").await.status(), 200);
    let mut lists = 0;
    while viewer.reply().now_or_never().is_some() {
        lists += 1;
    }
    // 16 lists of 512 users end the turn of a connection.
    assert!(lists <= 32, "{lists} lists before the other message");
}
