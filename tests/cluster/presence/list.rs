//! What is listed and announced while all machines are connected.

use super::*;
use crate::brokers::with_each;
use crate::common::log_capture::LogCapture;

#[tokio::test]
async fn list_and_announcements_are_about_all_machines_with_each_broker() {
    with_each(async |brokers| {
        let register = Arc::<Register>::default();
        let machines = [(); 3].map(|()| brokers.attach(club(&register, Limits::default())));
        let mut clients = Vec::new();
        for (user, machine) in (1..).zip(&machines) {
            let mut client = connect(machine).user(register.member(user)).open().await.unwrap();
            enter(&mut client, 1).await;
            clients.push(client);
        }
        // A machine that has just started may not know the others yet: it announces what its list lacks.
        for client in &mut clients {
            while online(client).await != [(1, 1), (2, 1), (3, 1)] {
                change(client).await;
            }
        }
        let mut second = connect(&machines[1]).user(register.member(3)).open().await.unwrap();
        enter(&mut second, 1).await;
        clients[2].call("exit").with("room", 1).await;
        exit(&mut second).await;
        loop {
            let (user, is_online) = change(&mut clients[0]).await;
            if (user, is_online) == (3, false) {
                break;
            }
        }
        assert_eq!(online(&mut clients[0]).await, [(1, 1), (2, 1)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn user_is_listed_once_with_its_connections_on_all_machines() {
    let clubs = Clubs::open(3).await;
    let mut watcher = clubs.enter(0, 1).await;
    let _here = clubs.enter(0, 2).await;
    let _there = [clubs.enter(1, 2).await, clubs.enter(2, 2).await, clubs.enter(2, 2).await];
    let _other = clubs.enter(2, 3).await;
    assert_eq!(changes(&mut watcher).await, [(2, true), (3, true)]);
    assert_eq!(online(&mut watcher).await, [(1, 1), (2, 4), (3, 1)]);
    let count = watcher.call("online").with("room", 2).await;
    assert_eq!(count.data().as_array().unwrap().len(), 0, "another room");
}

#[tokio::test(start_paused = true)]
async fn list_is_complete_when_the_first_join_on_a_machine_is_answered() {
    let clubs = Clubs::open(3).await;
    let _others = [clubs.enter(0, 1).await, clubs.enter(1, 2).await];
    let mut first = clubs.enter(2, 3).await;
    assert_eq!(online(&mut first).await, [(1, 1), (2, 1), (3, 1)]);
    assert_eq!(online(&mut first).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn group_without_members_on_a_machine_is_listed_there() {
    let clubs = Clubs::open(2).await;
    let mut member = clubs.enter(0, 1).await;
    let mut viewer = clubs.connect(1, 2).await;
    assert_eq!(online(&mut viewer).await, [(1, 1)]);
    exit(&mut member).await;
    sleep(Duration::from_millis(50)).await;
    assert_eq!(online(&mut viewer).await, []);
    sleep(Duration::from_mins(2)).await;
    enter(&mut member, 1).await;
    assert_eq!(online(&mut viewer).await, [(1, 1)]);
    assert!(clubs.register.loads.lock().unwrap().len() <= 2, "kept for a while");
}

#[tokio::test(start_paused = true)]
async fn first_connection_anywhere_and_the_last_one_are_announced_once_on_every_machine() {
    let clubs = Clubs::open(3).await;
    let mut watchers = [clubs.enter(0, 1).await, clubs.enter(1, 2).await, clubs.enter(2, 3).await];
    for watcher in &mut watchers {
        changes(watcher).await;
    }
    let (one, other, again) = (clubs.enter(1, 7).await, clubs.enter(2, 7).await, clubs.enter(1, 7).await);
    for watcher in &mut watchers {
        assert_eq!(changes(watcher).await, [(7, true)]);
    }
    drop((one, again));
    for watcher in &mut watchers {
        assert_eq!(changes(watcher).await, []);
    }
    drop(other);
    for watcher in &mut watchers {
        assert_eq!(changes(watcher).await, [(7, false)]);
    }
}

#[tokio::test(start_paused = true)]
async fn user_that_moves_to_another_machine_is_present_once() {
    let clubs = Clubs::open(3).await;
    let mut watcher = clubs.enter(0, 1).await;
    let mut client = clubs.enter(1, 7).await;
    for machine in [2, 1, 2, 0, 1, 0, 2] {
        changes(&mut watcher).await;
        let next = clubs.connect(machine, 7).await;
        drop(std::mem::replace(&mut client, next));
        enter(&mut client, 1).await;
        // Both messages are under way.
        let _ = changes(&mut watcher).await;
        assert_eq!(online(&mut watcher).await, [(1, 1), (7, 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn merged_list_is_bounded() {
    let clubs = Clubs::open_with(3, Limits { max_present_users: 3, ..without_timeouts() }).await;
    let (mut viewer, mut outside) = (clubs.enter(0, 1).await, clubs.connect(1, 9).await);
    let _three = [clubs.enter(1, 2).await, clubs.enter(2, 3).await, clubs.enter(2, 2).await];
    sleep(Duration::from_millis(50)).await;
    assert_eq!(online(&mut viewer).await.len(), 3);
    clubs.register.set_team(4, "blue");
    let _fourth = clubs.enter(2, 4).await;
    sleep(Duration::from_millis(50)).await;
    for client in [&mut viewer, &mut outside] {
        let reply = client.call("online").with("room", 1).await;
        assert_eq!((reply.status(), &reply.value()["errors"][0]["code"]), (409, &"too_many_users".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn local_group_stays_on_its_machine() {
    let clubs = Clubs::open(2).await;
    let (mut one, mut other) = (clubs.connect(0, 1).await, clubs.connect(1, 2).await);
    for client in [&mut one, &mut other] {
        client.call("go_down").await;
        assert_eq!(client.call("go_down").await.data().as_array().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_loader_users_stay_on_their_machine_and_start_up_warns() {
    let log = LogCapture::start();
    let cluster = Cluster::new(2, 1);
    let register = Arc::<Register>::default();
    let machine = |index| {
        let endpoint = portcullis::websocket(Club).limits(without_timeouts()).grants(Rights(register.clone()));
        endpoint.broker(cluster.broker(index))
    };
    let machines: [_; 2] = std::array::from_fn(machine);
    let warnings: Vec<_> = log.take().into_iter().filter(|line| line.contains("present users")).collect();
    assert!(warnings.len() == 2 && warnings[0].contains("groups=[\"Room\"]"), "{warnings:?}");
    sleep(Duration::from_secs(15)).await;
    let mut clients = Vec::new();
    for (user, machine) in (1..).zip(&machines) {
        let mut client = connect(machine).user(register.member(user)).open().await.unwrap();
        enter(&mut client, 1).await;
        clients.push(client);
    }
    sleep(Duration::from_secs(15)).await;
    for (user, client) in (1..).zip(&mut clients) {
        assert_eq!(changes(client).await, []);
        assert_eq!(online(client).await, [(user, 1)]);
    }
}

#[test]
#[should_panic(expected = "`present_user_loader` must be called before `broker`")]
fn loader_after_the_broker_panics() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let endpoint = portcullis::websocket(Club).broker(portcullis::MemoryBroker::new());
        drop(endpoint.present_user_loader(async |_| Ok(None)));
    });
}
