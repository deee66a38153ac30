//! The list follows the viewer's rights: those of the call, even if they change while it is evaluated.

use std::time::Duration;

use portcullis::{GrantSet, GrantSource, OverflowPolicy, UserGrants};
use tokio::sync::watch;
use tokio::time::timeout;

use super::*;
use crate::common::codenames::uploads;
use crate::common::progress::Progress;

/// The grants of all users. A load that has read them waits while the gate is closed.
#[derive(Clone)]
struct Rights {
    granted: Arc<Mutex<HashSet<u32>>>,
    gate: watch::Sender<bool>,
    /// The number of loads that have read the grants.
    loads: watch::Sender<usize>,
}

impl GrantSource<Member> for Rights {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        let is_granted = self.granted.lock().unwrap().contains(&user.id);
        self.loads.send_modify(|loads| *loads += 1);
        self.gate.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        Ok(if is_granted { GrantSet::from(uploads::read).into() } else { UserGrants::default() })
    }
}

struct Depository(Arc<Progress>);

/// Viewers with the codename see every member.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(consumer = Depository, permission = AllowAny, publish = members, events(Filed), presence = uploads.read)]
struct Shelf;

/// As the shelf, and announces its users.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(consumer = Depository, permission = AllowAny, publish = members, events(Filed), presence = uploads.read, announce)]
struct Desk;

#[derive(Debug, Serialize, Deserialize, Event)]
struct Filed;

#[consumer(user = Member)]
impl Depository {
    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Shelf).await
    }

    #[action(permission = AllowAny)]
    async fn sit_down(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Desk).await
    }

    #[action(permission = AllowAny)]
    async fn stand_up(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.leave(Desk)
    }

    /// Lists the users, and replies when the test lets it.
    #[action(permission = AllowAny)]
    async fn online_later(&self, cx: &Context<'_, Member>) -> Result<usize> {
        let count = cx.present_user_count(&Shelf).await?;
        self.0.wait().await;
        Ok(count)
    }

    /// As `online_later`, after a change of its caller's rights by itself.
    #[action(permission = AllowAny)]
    async fn online_after_own_change(&self, cx: &Context<'_, Member>) -> Result<usize> {
        let count = cx.present_user_count(&Shelf).await?;
        assert!(cx.connections::<Depository>()?.refresh_user("1").await.is_acknowledged());
        Ok(count)
    }

    #[action(permission = AllowAny)]
    async fn online(&self, cx: &Context<'_, Member>) -> Result<usize> {
        cx.present_user_count(&Shelf).await
    }

    #[event(permission = AllowAny)]
    fn filed(event: &Filed) -> &Filed {
        event
    }
}

fn depository() -> (Endpoint<Depository>, Rights, Arc<Progress>) {
    let progress = Progress::new();
    let rights = Rights { granted: Arc::default(), gate: watch::Sender::new(true), loads: watch::Sender::new(0) };
    let archive = portcullis::websocket(Depository(progress.clone())).grants(rights.clone()).limits(without_timeouts());
    (archive, rights, progress)
}

#[tokio::test(start_paused = true)]
async fn codename_of_the_viewer_is_evaluated_at_each_call() {
    let (archive, rights, _) = depository();
    let mut viewer = connect(&archive).user(member(1, &["red"])).open().await.unwrap();
    assert_eq!(viewer.call("enter").await.status(), 200);
    assert_eq!(viewer.call("online").await.data(), 0);
    rights.granted.lock().unwrap().insert(1);
    assert!(archive.connections().refresh_user("1").await.is_acknowledged());
    assert_eq!(viewer.call("online").await.data(), 1);
    rights.granted.lock().unwrap().remove(&1);
    assert!(archive.connections().refresh_user("1").await.is_acknowledged());
    assert_eq!(viewer.call("online").await.data(), 0);
}

#[tokio::test(start_paused = true)]
async fn list_that_is_being_evaluated_is_evaluated_again_after_a_change_of_the_viewers_rights() {
    let (archive, rights, _) = depository();
    let mut viewer = connect(&archive).user(member(1, &["red"])).open().await.unwrap();
    assert_eq!(viewer.call("enter").await.status(), 200);
    rights.granted.lock().unwrap().insert(1);
    rights.gate.send_replace(false);
    viewer.send(json!({"action": "online"}).to_string());
    rights.loads.subscribe().wait_for(|loads| *loads == 1).await.unwrap();
    // The evaluation has read the old grants, and waits.
    rights.granted.lock().unwrap().remove(&1);
    assert!(archive.connections().refresh_user("1").await.is_acknowledged());
    rights.gate.send_replace(true);
    assert_eq!(viewer.reply().await.data(), 0);
}

/// Opens a connection that is a member of the shelf and sees it.
async fn enter_with_rights(archive: &Endpoint<Depository>, rights: &Rights) -> Client {
    rights.granted.lock().unwrap().insert(1);
    let mut viewer = connect(archive).user(member(1, &["red"])).open().await.unwrap();
    assert_eq!(viewer.call("enter").await.status(), 200);
    assert_eq!(viewer.call("online").await.data(), 1);
    viewer
}

#[tokio::test(start_paused = true)]
async fn list_on_rights_that_were_revoked_before_the_reply_does_not_go_out() {
    let (archive, rights, progress) = depository();
    let mut viewer = enter_with_rights(&archive, &rights).await;
    viewer.send(json!({"action": "online_later"}).to_string());
    progress.started(1).await;
    rights.granted.lock().unwrap().clear();
    assert!(archive.connections().refresh_user("1").await.is_acknowledged());
    progress.resume(1);
    let reply = viewer.reply().await;
    assert_eq!((reply.status(), reply.code(), reply.data()), (403, "rights_changed", &Value::Null));
    assert_eq!(viewer.call("online").await.data(), 0);
}

#[tokio::test(start_paused = true)]
async fn list_after_a_change_that_the_action_makes_itself_goes_out() {
    let (archive, rights, _) = depository();
    let mut viewer = enter_with_rights(&archive, &rights).await;
    assert_eq!(viewer.call("online_after_own_change").await.data(), 1);
}

#[tokio::test(start_paused = true)]
async fn announcements_of_one_user_that_wait_for_grants_are_coalesced() {
    let (archive, rights, _) = depository();
    let archive = archive.limits(Limits { max_queued_events: 1, ..without_timeouts() });
    let archive = archive.overflow_policy(OverflowPolicy::KeepNewest);
    let mut viewer = enter_with_rights(&archive, &rights).await;
    assert_eq!(viewer.call("sit_down").await.status(), 200);
    let mut other = connect(&archive).user(member(2, &["red"])).open().await.unwrap();
    rights.gate.send_replace(false);
    assert!(archive.connections().refresh_user("1").await.is_acknowledged());
    for _ in 0..20 {
        assert_eq!(other.call("sit_down").await.status(), 200);
        assert_eq!(other.call("stand_up").await.status(), 200);
    }
    rights.gate.send_replace(true);
    let mut changes = Vec::new();
    while let Ok(event) = timeout(Duration::from_millis(1), viewer.event()).await {
        changes.push(event.data().clone());
    }
    assert!(changes.len() < 10, "{changes:?}");
    assert_eq!(changes.last(), Some(&json!({"user": "2", "online": false})));
    assert_eq!(archive.publisher().counters().too_slow, 0);
}
