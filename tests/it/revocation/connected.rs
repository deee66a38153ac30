//! A change of rights reaches connected users: their events, their memberships, and the connection itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{
    AllowAny, ConnectContext, Error, Group, GroupPermission, Handler, Limits, Result, Scope, User, consumer,
};
use serde_json::json;

use super::{Lobby, Room, Said, Uploaded, fixture, next};

#[tokio::test(start_paused = true)]
async fn events_of_a_revoked_grant_are_dropped() {
    let fixture = fixture();
    fixture.state.readers.lock().unwrap().extend([1, 2]);
    let (mut one, mut other) = (fixture.open(1).await, fixture.open(2).await);
    let publisher = fixture.chat.publisher();
    publisher.publish(&Lobby, Uploaded(1));
    for client in [&mut one, &mut other] {
        assert_eq!(next(client).await, json!({"event": "uploaded", "data": 1}));
    }
    fixture.state.readers.lock().unwrap().remove(&1);
    // Queued when the change comes, so they are authorized again.
    publisher.publish(&Lobby, Uploaded(2));
    publisher.publish(&Lobby, Said(3));
    assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
    publisher.publish(&Lobby, Uploaded(4));
    assert_eq!(next(&mut one).await, json!({"event": "said", "data": 3}));
    one.expect_silence().await;
    for data in [2, 3, 4] {
        assert_eq!(next(&mut other).await["data"], data, "the other user gets all, in order");
    }
    fixture.state.readers.lock().unwrap().insert(1);
    assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
    publisher.publish(&Lobby, Uploaded(5));
    assert_eq!(next(&mut one).await["data"], 5, "a granted right takes effect again");
}

#[tokio::test(start_paused = true)]
async fn membership_ends_when_its_group_permission_is_revoked() {
    let fixture = fixture();
    fixture.state.members.lock().unwrap().extend([1, 2]);
    let (mut one, mut other) = (fixture.open(1).await, fixture.open(2).await);
    let publisher = fixture.chat.publisher();
    publisher.publish(&Room, Said(1));
    assert_eq!((next(&mut one).await["data"].clone(), next(&mut other).await["data"].clone()), (json!(1), json!(1)));
    fixture.state.members.lock().unwrap().remove(&1);
    publisher.publish(&Room, Said(2));
    assert!(fixture.connections.refresh_all().revalidated().await.is_acknowledged());
    publisher.publish(&Room, Said(3));
    publisher.publish(&Lobby, Said(4));
    assert_eq!(next(&mut one).await["data"], 4, "queued events of the ended membership are dropped");
    for data in [2, 3, 4] {
        assert_eq!(next(&mut other).await["data"], data);
    }
    one.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn connection_is_closed_when_its_connect_permission_is_revoked() {
    let fixture = fixture();
    let (mut one, mut twin, mut other) = (fixture.open(1).await, fixture.open(1).await, fixture.open(2).await);
    fixture.state.banned.lock().unwrap().insert(1);
    fixture.chat.publisher().publish(&Lobby, Said(1));
    assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
    fixture.chat.publisher().publish(&Lobby, Said(2));
    for client in [&mut one, &mut twin] {
        assert_eq!(client.closed().await, 4403, "without a frame before it");
    }
    assert_eq!((next(&mut other).await["data"].clone(), next(&mut other).await["data"].clone()), (json!(1), json!(2)));
    assert!(fixture.connections.disconnect_user("2").await.is_acknowledged());
    assert_eq!(other.closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn refresh_all_revalidates_a_bounded_number_at_a_time() {
    let fixture = fixture();
    let mut clients = Vec::new();
    for id in 0..64 {
        clients.push(fixture.open(id).await);
    }
    fixture.state.yields_per_evaluation.store(3, Ordering::SeqCst);
    fixture.state.evaluations.store(0, Ordering::SeqCst);
    let mut refreshing = Box::pin(fixture.connections.refresh_all().revalidated());
    assert!(futures_util::poll!(&mut refreshing).is_pending());
    for _ in 0..2 {
        tokio::task::yield_now().await;
    }
    assert!(fixture.state.evaluations.load(Ordering::SeqCst) <= 32, "{:?}", fixture.state.evaluations);
    assert!(refreshing.await.is_acknowledged());
    assert!(fixture.state.evaluations.load(Ordering::SeqCst) >= 64, "every connection is revalidated");
}

#[tokio::test(start_paused = true)]
async fn connection_closes_if_a_group_permission_keeps_failing() {
    struct Moody(Arc<AtomicUsize>);

    impl<G: Sync, C: portcullis::Consumer<User: User>> GroupPermission<G, C> for Fickle
    where
        C: HasMood,
    {
        async fn may_join(&self, consumer: &C, _: &Scope<C::User>, _: &G) -> Result<bool> {
            match consumer.mood() {
                0 => Ok(true),
                1 => Err(Error::internal("the store's secret")),
                2 => panic!("the store's secret"),
                _ => std::future::pending().await,
            }
        }
    }

    trait HasMood: Handler {
        fn mood(&self) -> usize;
    }

    impl HasMood for Moody {
        fn mood(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    struct Fickle;

    #[derive(Clone, PartialEq, Eq, Hash, Group)]
    #[group(consumer = Moody, permission = Fickle, publish = members, events(Said))]
    struct Club;

    #[consumer]
    impl Moody {
        #[connect]
        async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
            cx.join(Club).await
        }

        #[event(permission = AllowAny)]
        fn said(&self, event: &Said) -> u32 {
            event.0
        }

        #[action(permission = AllowAny)]
        async fn ping(&self) {}
    }

    for mood in [1, 2, 3] {
        let state = Arc::new(AtomicUsize::new(0));
        let limits = Limits { action_timeout: Duration::from_secs(1), ..Limits::default() };
        let chat = portcullis::websocket(Moody(state.clone())).limits(limits);
        let mut client = connect(&chat).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        chat.publisher().publish(&Club, Said(1));
        assert_eq!(next(&mut client).await["data"], 1);
        state.store(mood, Ordering::SeqCst);
        assert!(chat.connections().refresh_all().await.is_acknowledged());
        chat.publisher().publish(&Club, Said(2));
        assert_eq!(client.call("ping").await.status(), 200, "other actions are not affected");
        assert_eq!(client.closed().await, 4500);
    }
}
