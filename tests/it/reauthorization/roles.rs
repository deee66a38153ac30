//! `refresh_role`: only users that have or may have the role are revalidated.

use portcullis::testing::{Client, connect};
use portcullis::{Codename, ObjectKey, Overwrites, UserGrants};
use serde_json::json;

use super::{Fixture, desk, fixture, uploads};

fn user(grants: &[Codename], roles: &[&str]) -> UserGrants {
    UserGrants { grants: grants.iter().copied().collect(), roles: roles.iter().map(|&role| role.to_owned()).collect() }
}

impl Fixture {
    /// Returns the users whose grants were loaded since the last call.
    fn loaded(&self) -> Vec<u32> {
        let mut loaded = std::mem::take(&mut *self.state.loaded.lock().unwrap());
        loaded.sort_unstable();
        loaded
    }
}

async fn may_read(client: &mut Client, channel: u32) -> bool {
    let reply = client.call("asks").with("channel", channel).await;
    assert_eq!(reply.status(), 200, "{reply:?}");
    *reply.data() == json!(true)
}

#[tokio::test(start_paused = true)]
async fn refresh_role_reloads_only_users_with_the_role() {
    let fixture = fixture();
    for (id, roles) in [(1, &["editor"][..]), (2, &["guest", "editor"]), (3, &["guest"]), (4, &[]), (5, &["guest"])] {
        fixture.state.grant(id, user(&[uploads::read], roles));
    }
    let mut clients = Vec::new();
    for id in 1..=5 {
        clients.push(fixture.open(id).await);
    }
    for client in &mut clients[..4] {
        assert!(may_read(client, 1).await);
    }
    assert_eq!(fixture.loaded(), [1, 2, 3, 4], "the grants of the fifth are not loaded yet");
    assert!(fixture.connections.refresh_role("editor").revalidated().await.is_acknowledged());
    for client in &mut clients {
        assert!(may_read(client, 1).await);
    }
    assert_eq!(fixture.loaded(), [1, 2, 4, 5], "a user without known roles may have any");
    assert!(fixture.connections.refresh_role("nobody's").revalidated().await.is_acknowledged());
    for client in &mut clients {
        may_read(client, 1).await;
    }
    assert_eq!(fixture.loaded(), [4]);
}

#[tokio::test(start_paused = true)]
async fn refresh_role_updates_grants_and_role_members() {
    let fixture = fixture();
    fixture.state.grant(1, user(&[uploads::read], &["editor"]));
    fixture
        .state
        .overwrites
        .lock()
        .unwrap()
        .insert("4".to_owned(), Overwrites::new().allow_role("editor", uploads::read));
    let mut client = fixture.open(1).await;
    assert!(may_read(&mut client, 1).await && may_read(&mut client, 4).await);
    fixture.state.grant(1, user(&[], &["editor"]));
    assert!(may_read(&mut client, 1).await, "before the refresh");
    assert!(fixture.connections.refresh_role("editor").revalidated().await.is_acknowledged());
    assert!(!may_read(&mut client, 1).await && may_read(&mut client, 4).await);
    fixture.state.grant(1, user(&[], &["guest"]));
    assert!(fixture.connections.refresh_role("editor").revalidated().await.is_acknowledged());
    assert!(!may_read(&mut client, 4).await, "the user has lost the role");
    // By now the session knows another role of the user.
    fixture.state.grant(1, user(&[], &["editor"]));
    assert!(fixture.connections.refresh_role("editor").revalidated().await.is_acknowledged());
    assert!(!may_read(&mut client, 4).await);
    assert!(fixture.connections.refresh_users(["9", "1"]).revalidated().await.is_acknowledged());
    assert!(may_read(&mut client, 4).await);
}

/// A changed overwrite is announced by object.
#[tokio::test(start_paused = true)]
async fn refresh_role_keeps_object_overwrites() {
    let fixture = fixture();
    fixture.state.grant(1, user(&[], &["editor"]));
    let allowed = Overwrites::new().allow_role("editor", uploads::read);
    fixture.state.overwrites.lock().unwrap().insert("4".to_owned(), allowed);
    let mut client = fixture.open(1).await;
    assert!(may_read(&mut client, 4).await);
    fixture.state.overwrites.lock().unwrap().clear();
    assert!(fixture.connections.refresh_role("editor").revalidated().await.is_acknowledged());
    assert!(may_read(&mut client, 4).await);
    assert!(fixture.connections.refresh_object(&ObjectKey::new("channel", 4)).revalidated().await.is_acknowledged());
    assert!(!may_read(&mut client, 4).await);
}

#[tokio::test(start_paused = true)]
async fn refresh_role_reauthorizes_running_actions_of_its_users() {
    for (role, status) in [("editor", 403), ("guest", 200)] {
        let fixture = fixture();
        fixture.state.grant(1, user(&[desk::work], &["editor"]));
        let mut client = fixture.open(1).await;
        client.send(r#"{"action":"work"}"#);
        fixture.state.started.notified().await;
        fixture.state.grant(1, user(&[], &["editor"]));
        assert!(fixture.connections.refresh_role(role).revalidated().await.is_acknowledged());
        fixture.state.resume();
        assert_eq!(client.reply().await.status(), status, "{role}");
    }
}

#[tokio::test(start_paused = true)]
async fn refresh_role_ignores_anonymous_connections() {
    let fixture = fixture();
    let mut client = connect(&fixture.desk).open().await.unwrap();
    client.send(r#"{"action":"wait"}"#);
    fixture.state.started.notified().await;
    fixture.state.set("own", super::state::LeafResult::No);
    assert!(fixture.connections.refresh_role("editor").revalidated().await.is_acknowledged());
    fixture.state.resume();
    assert_eq!(client.reply().await.status(), 201, "anonymous connections are not revalidated");
    assert!(fixture.loaded().is_empty());
}

#[tokio::test(start_paused = true)]
async fn refresh_users_reloads_every_named_user() {
    let fixture = fixture();
    let mut clients = Vec::new();
    for id in 1..=3 {
        fixture.state.grant(id, user(&[uploads::read], &["editor"]));
        clients.push(fixture.open(id).await);
        assert!(may_read(&mut clients[id as usize - 1], 1).await);
        fixture.state.grant(id, user(&[], &["editor"]));
    }
    fixture.loaded();
    assert!(fixture.connections.refresh_users(["1", "3", "1", "77"]).revalidated().await.is_acknowledged());
    assert!(fixture.connections.refresh_users(Vec::<String>::new()).revalidated().await.is_acknowledged());
    let mut may = Vec::new();
    for client in &mut clients {
        may.push(may_read(client, 1).await);
    }
    assert_eq!((may, fixture.loaded()), (vec![false, true, false], vec![1, 3]));
}
