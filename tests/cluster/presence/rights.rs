//! What viewers see of users on other machines, before and after changes of rights.

use super::*;

#[tokio::test(start_paused = true)]
async fn expression_decides_about_users_of_other_machines_for_each_viewer() {
    let clubs = Clubs::open(2).await;
    for user in [2, 8] {
        clubs.register.set_team(user, "blue");
    }
    let (mut red, mut blue, mut guard) = (clubs.enter(0, 1).await, clubs.enter(0, 2).await, clubs.guard(0, 3).await);
    for client in [&mut red, &mut blue, &mut guard] {
        changes(client).await;
    }
    let (_red, other) = (clubs.enter(1, 7).await, clubs.enter(1, 8).await);
    assert_eq!(changes(&mut red).await, [(7, true)]);
    assert_eq!(changes(&mut blue).await, [(8, true)]);
    assert_eq!(changes(&mut guard).await, [(7, true), (8, true)]);
    assert_eq!(online(&mut red).await, [(1, 1), (3, 1), (7, 1)]);
    assert_eq!(online(&mut blue).await, [(2, 1), (8, 1)]);
    assert_eq!(online(&mut guard).await.len(), 5);
    drop(other);
    assert_eq!(changes(&mut red).await, []);
    assert_eq!(changes(&mut blue).await, [(8, false)]);
    assert_eq!(changes(&mut guard).await, [(8, false)]);
}

#[tokio::test(start_paused = true)]
async fn change_of_a_members_rights_on_any_machine_changes_who_sees_it() {
    let clubs = Clubs::open(3).await;
    clubs.register.set_team(2, "blue");
    let (mut red, mut blue) = (clubs.enter(0, 1).await, clubs.enter(0, 2).await);
    let _member = clubs.enter(1, 7).await;
    assert_eq!((changes(&mut red).await, changes(&mut blue).await), (vec![(7, true)], vec![]));
    clubs.register.set_team(7, "blue");
    assert!(clubs.machines[2].connections().refresh_user("7").await.is_acknowledged());
    assert_eq!(online(&mut red).await, [(1, 1)]);
    assert_eq!(online(&mut blue).await, [(2, 1), (7, 1)]);
    assert_eq!((changes(&mut red).await, changes(&mut blue).await), (vec![(7, false)], vec![(7, true)]));
    // A change of nothing is not announced to those that see the user all the time.
    assert!(clubs.machines[1].connections().refresh_all().await.is_acknowledged());
    assert_eq!((changes(&mut red).await, changes(&mut blue).await), (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn user_is_hidden_from_a_change_of_its_rights_until_it_is_loaded_again() {
    let clubs = Clubs::open(2).await;
    let mut viewer = clubs.enter(0, 1).await;
    let _member = clubs.enter(1, 7).await;
    assert_eq!(changes(&mut viewer).await, [(7, true)]);
    *clubs.register.fault.lock().unwrap() = Some(Fault::Hang);
    assert!(clubs.machines[1].connections().refresh_user("7").await.is_acknowledged());
    assert_eq!(online(&mut viewer).await, [(1, 1)]);
    assert_eq!(changes(&mut viewer).await, []);
    // The load has failed.
    sleep(Duration::from_secs(5)).await;
    assert_eq!(changes(&mut viewer).await, [(7, false)]);
    *clubs.register.fault.lock().unwrap() = None;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(changes(&mut viewer).await, [(7, true)]);
    assert_eq!(online(&mut viewer).await, [(1, 1), (7, 1)]);
}

#[tokio::test(start_paused = true)]
async fn viewer_that_was_not_shown_a_user_meanwhile_is_told_when_it_is_loaded_again() {
    let clubs = Clubs::open(2).await;
    let mut viewer = clubs.enter(0, 1).await;
    let _member = clubs.enter(1, 7).await;
    assert_eq!(changes(&mut viewer).await, [(7, true)]);
    *clubs.register.fault.lock().unwrap() = Some(Fault::Hang);
    assert!(clubs.machines[1].connections().refresh_user("7").await.is_acknowledged());
    assert_eq!(online(&mut viewer).await, [(1, 1)]);
    // A load that hangs is not waited for again, and a change discards it.
    *clubs.register.fault.lock().unwrap() = None;
    assert!(clubs.machines[1].connections().refresh_user("7").await.is_acknowledged());
    sleep(Duration::from_secs(10)).await;
    assert_eq!(changes(&mut viewer).await, [(7, true)]);
}

#[tokio::test(start_paused = true)]
async fn change_of_the_viewers_rights_changes_what_it_sees_of_other_machines() {
    let clubs = Clubs::open(2).await;
    clubs.register.set_team(7, "blue");
    let mut guard = clubs.guard(0, 1).await;
    let member = clubs.enter(1, 7).await;
    assert_eq!(changes(&mut guard).await, [(7, true)]);
    assert_eq!(online(&mut guard).await, [(1, 1), (7, 1)]);
    clubs.register.guards.lock().unwrap().clear();
    assert!(clubs.machines[1].connections().refresh_user("1").await.is_acknowledged());
    assert_eq!(online(&mut guard).await, [(1, 1)]);
    drop(member);
    let _again = clubs.enter(1, 7).await;
    assert_eq!(changes(&mut guard).await, []);
    clubs.register.guards.lock().unwrap().insert(1);
    assert!(clubs.machines[1].connections().refresh_user("1").await.is_acknowledged());
    assert_eq!(online(&mut guard).await, [(1, 1), (7, 1)]);
}
