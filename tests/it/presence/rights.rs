//! The list follows the viewer's rights: those of the call, also if they change while it is evaluated.

use portcullis::{GrantSet, GrantSource, UserGrants};
use tokio::sync::watch;

use super::*;
use crate::common::codenames::uploads;

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

struct Vault;

/// Viewers with the codename see every member.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(consumer = Vault, permission = AllowAny, publish = members, events(Filed), presence = uploads.read)]
struct Shelf;

#[derive(Debug, Serialize, Deserialize, Event)]
struct Filed;

#[consumer(user = Member)]
impl Vault {
    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Shelf).await
    }

    #[action(permission = AllowAny)]
    async fn online(&self, cx: &Context<'_, Member>) -> Result<usize> {
        cx.member_count(&Shelf).await
    }

    #[event(permission = AllowAny)]
    fn filed(event: &Filed) -> &Filed {
        event
    }
}

fn vault() -> (Endpoint<Vault>, Rights) {
    let rights = Rights { granted: Arc::default(), gate: watch::Sender::new(true), loads: watch::Sender::new(0) };
    (portcullis::websocket(Vault).grants(rights.clone()).limits(without_timeouts()), rights)
}

#[tokio::test(start_paused = true)]
async fn codename_of_the_viewer_is_evaluated_at_each_call() {
    let (archive, rights) = vault();
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
    let (archive, rights) = vault();
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
