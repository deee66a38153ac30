//! Machines that are cut off, crash, start and end.

use super::*;

#[tokio::test(start_paused = true)]
async fn users_of_a_machine_that_has_crashed_are_gone_after_a_while() {
    let clubs = Clubs::open(2).await;
    let mut watcher = clubs.enter(0, 1).await;
    let _member = clubs.enter(1, 7).await;
    assert_eq!(changes(&mut watcher).await, [(7, true)]);
    clubs.cluster.crash(1);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(changes(&mut watcher).await, []);
    assert_eq!(online(&mut watcher).await, [(1, 1), (7, 1)]);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(changes(&mut watcher).await, [(7, false)]);
    assert_eq!(online(&mut watcher).await, [(1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn user_that_reconnects_after_a_crash_stays_online() {
    let clubs = Clubs::open(3).await;
    let mut watcher = clubs.enter(0, 1).await;
    let _former = clubs.enter(1, 7).await;
    assert_eq!(changes(&mut watcher).await, [(7, true)]);
    clubs.cluster.crash(1);
    let _new = clubs.enter(2, 7).await;
    sleep(Duration::from_secs(20)).await;
    assert_eq!(changes(&mut watcher).await, []);
    assert_eq!(online(&mut watcher).await, [(1, 1), (7, 1)]);
}

#[tokio::test(start_paused = true)]
async fn machine_that_starts_again_shows_its_users_as_before() {
    let mut clubs = Clubs::open(2).await;
    let mut watcher = clubs.enter(0, 1).await;
    let member = clubs.enter(1, 7).await;
    assert_eq!(changes(&mut watcher).await, [(7, true)]);
    // Ends in order.
    drop((member, clubs.machines.pop()));
    assert_eq!(changes(&mut watcher).await, [(7, false)]);
    clubs.machines.push(club(&clubs.register, without_timeouts()).broker(clubs.cluster.broker(2)));
    let mut member = clubs.enter(1, 7).await;
    assert_eq!(changes(&mut watcher).await, [(7, true)]);
    assert_eq!(online(&mut watcher).await, [(1, 1), (7, 1)]);
    while online(&mut member).await != [(1, 1), (7, 1)] {
        assert_eq!(change(&mut member).await, (1, true));
    }
}

#[tokio::test(start_paused = true)]
async fn short_partition_is_not_announced_and_what_was_missed_is() {
    let clubs = Clubs::open(2).await;
    let mut watcher = clubs.enter(0, 1).await;
    let (mut stays, mut leaves) = (clubs.enter(1, 7).await, clubs.enter(1, 8).await);
    changes(&mut watcher).await;
    clubs.cluster.partition(0);
    sleep(Duration::from_secs(2)).await;
    exit(&mut leaves).await;
    let _comes = clubs.enter(1, 9).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(changes(&mut watcher).await, []);
    clubs.cluster.heal(0);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(changes(&mut watcher).await, [(8, false), (9, true)]);
    assert_eq!(online(&mut watcher).await, [(1, 1), (7, 1), (9, 1)]);
    assert_eq!(online(&mut stays).await, [(1, 1), (7, 1), (9, 1)]);
}

#[tokio::test(start_paused = true)]
async fn long_partition_is_announced_on_both_sides_and_so_is_its_end() {
    let clubs = Clubs::open(3).await;
    let mut alone = clubs.enter(0, 1).await;
    let (mut one, mut other) = (clubs.enter(1, 2).await, clubs.enter(2, 3).await);
    for client in [&mut alone, &mut one, &mut other] {
        changes(client).await;
    }
    clubs.cluster.partition(0);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(changes(&mut alone).await, [(2, false), (3, false)]);
    assert_eq!(changes(&mut one).await, [(1, false)]);
    assert_eq!(changes(&mut other).await, [(1, false)]);
    assert_eq!(online(&mut alone).await, [(1, 1)]);
    assert_eq!(online(&mut one).await, [(2, 1), (3, 1)]);
    clubs.cluster.heal(0);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(changes(&mut alone).await, [(2, true), (3, true)]);
    assert_eq!(changes(&mut one).await, [(1, true)]);
    for client in [&mut alone, &mut one, &mut other] {
        assert_eq!(online(client).await, [(1, 1), (2, 1), (3, 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn list_does_not_wait_while_the_link_is_down() {
    let clubs = Clubs::open(2).await;
    let mut watcher = clubs.enter(0, 1).await;
    clubs.cluster.partition(0);
    sleep(Duration::from_secs(20)).await;
    let began_at = tokio::time::Instant::now();
    assert_eq!(online(&mut watcher).await, [(1, 1)]);
    assert_eq!(began_at.elapsed(), Duration::ZERO);
}
