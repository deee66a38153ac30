//! The loader of users of other machines.

use super::*;

#[tokio::test(start_paused = true)]
async fn user_that_cannot_be_loaded_is_hidden_and_appears_when_it_is_loaded() {
    for fault in [Fault::Error, Fault::Panic, Fault::PanicAtOnce, Fault::Hang, Fault::NotFound, Fault::OtherUser] {
        let clubs = Clubs::open(2).await;
        let mut viewer = clubs.enter(0, 1).await;
        *clubs.register.fault.lock().unwrap() = Some(fault);
        let _member = clubs.enter(1, 7).await;
        assert_eq!(changes(&mut viewer).await, [], "{fault:?}");
        assert_eq!(online(&mut viewer).await, [(1, 1)], "{fault:?}");
        sleep(Duration::from_secs(6)).await;
        assert_eq!(changes(&mut viewer).await, [], "{fault:?}");
        *clubs.register.fault.lock().unwrap() = None;
        sleep(Duration::from_secs(30)).await;
        assert_eq!(changes(&mut viewer).await, [(7, true)], "{fault:?}");
        assert_eq!(online(&mut viewer).await, [(1, 1), (7, 1)], "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn user_that_was_never_shown_leaves_without_an_announcement() {
    let clubs = Clubs::open(2).await;
    let mut viewer = clubs.enter(0, 1).await;
    *clubs.register.fault.lock().unwrap() = Some(Fault::Error);
    let member = clubs.enter(1, 7).await;
    sleep(Duration::from_secs(1)).await;
    drop(member);
    assert_eq!(changes(&mut viewer).await, []);
}

#[tokio::test(start_paused = true)]
async fn user_is_loaded_once_for_all_groups_and_connections() {
    let clubs = Clubs::open(3).await;
    let mut viewer = clubs.enter(0, 1).await;
    for room in 2..10 {
        enter(&mut viewer, room).await;
    }
    clubs.register.loads.lock().unwrap().clear();
    let (mut member, _other) = (clubs.enter(1, 7).await, clubs.enter(1, 7).await);
    for room in 2..10 {
        enter(&mut member, room).await;
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(clubs.register.loads.lock().unwrap().iter().filter(|id| *id == "7").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn loads_that_hang_do_not_delay_a_list_for_more_than_a_second() {
    let clubs = Clubs::open(2).await;
    *clubs.register.fault.lock().unwrap() = Some(Fault::Hang);
    let mut members = Vec::new();
    for user in 100..200 {
        members.push(clubs.enter(1, user).await);
    }
    let mut viewer = clubs.enter(0, 1).await;
    let began_at = tokio::time::Instant::now();
    for _ in 0..3 {
        assert_eq!(online(&mut viewer).await, [(1, 1)]);
    }
    assert!(began_at.elapsed() <= Duration::from_secs(1), "{:?}", began_at.elapsed());
    *clubs.register.fault.lock().unwrap() = None;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(online(&mut viewer).await.len(), 101);
}
