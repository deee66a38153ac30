//! Object parameters: when they are loaded, how they are authorized, and the status for a missing one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Context, Endpoint, Error, Limits, Load, Object, ObjectPermission, PermissionContext, Result, consumer,
    handler,
};
use serde_json::{Value, json};

use crate::common::{EvaluationLog, Member, Scripted, member};

type Log = Arc<Mutex<Vec<&'static str>>>;

struct Notebook {
    folders: Folders,
}

struct Folders {
    log: Log,
}

impl EvaluationLog for Folders {
    fn evaluated(&self) -> &Mutex<Vec<&'static str>> {
        &self.log
    }
}

/// A note whose name selects its behavior.
#[derive(Debug)]
struct Note {
    name: &'static str,
}

const NOTES: [&str; 6] = ["mine", "theirs", "locked", "faulty", "elsewhere", "panic"];

impl Load<Folders> for Note {
    type Key = String;
    const CAPTURES: &'static [&'static str] = &["folder"];

    async fn load(folders: &Folders, cx: &Context<'_, Member>, key: &String) -> Result<Option<Note>> {
        folders.log.lock().unwrap().push("load");
        let folder: String = cx.capture("folder")?;
        match key.as_str() {
            "broken" => return Err(Error::internal("the store's secret")),
            "hang" => std::future::pending().await,
            "unfound" => return Err(Error::not_found()),
            "gone" => return Err(Error::conflict("It was archived.")),
            "burst" => panic!("the store's secret"),
            _ => {}
        }
        let name = NOTES.into_iter().find(|name| *name == key);
        // A note of another folder is missing.
        Ok(name.filter(|name| (*name == "elsewhere") == (folder == "other")).map(|name| Note { name }))
    }

    async fn load_many(folders: &Folders, cx: &Context<'_, Member>, keys: &[String]) -> Result<Vec<Option<Note>>> {
        folders.log.lock().unwrap().push("load_many");
        let mut notes = Vec::new();
        for key in keys {
            if key != "dropped" {
                notes.push(Self::load(folders, cx, key).await?);
                folders.log.lock().unwrap().pop();
            }
        }
        Ok(notes)
    }
}

/// Holds for the note `mine`; other names select a failure.
struct Owner;

impl ObjectPermission<Note, Folders> for Owner {
    async fn has_object_permission(
        &self,
        folders: &Folders,
        _: &PermissionContext<'_, Member>,
        note: &Note,
    ) -> Result<bool> {
        folders.log.lock().unwrap().push("owner");
        match note.name {
            "faulty" => Err(Error::internal("the check's secret")),
            "panic" => panic!("the check's secret"),
            name => Ok(name == "mine"),
        }
    }
}

/// Reads the message without a fallback for what the message may lack.
struct Careless(u8);

impl ObjectPermission<Note, Folders> for Careless {
    async fn has_object_permission(
        &self,
        _: &Folders,
        cx: &PermissionContext<'_, Member>,
        note: &Note,
    ) -> Result<bool> {
        let read = match note.name {
            "mine" => Ok(u32::from(self.0)),
            "theirs" => cx.argument("page"),
            "locked" => cx.query(),
            _ => Err(Error::not_found()),
        };
        read.map(|_| true)
    }
}

/// Holds if the note has this name.
struct HasName(&'static str);

impl ObjectPermission<Note, Folders> for HasName {
    async fn has_object_permission(
        &self,
        folders: &Folders,
        _: &PermissionContext<'_, Member>,
        note: &Note,
    ) -> Result<bool> {
        folders.log.lock().unwrap().push("is");
        Ok(note.name == self.0)
    }
}

#[consumer(user = Member)]
impl Notebook {
    #[route("folders/{folder}/")]
    fn folders(&self) -> &Folders {
        &self.folders
    }
}

#[handler(user = Member, permission = AllowAny)]
impl Folders {
    #[action(permission = "Scripted(\"a\") & Owner(note)")]
    async fn both(&self, note: Object<Note>) -> &'static str {
        note.into_inner().name
    }

    #[action(permission = "Owner(note) | Scripted(\"a\")")]
    async fn either(&self, note: Object<Note>, text: Option<String>) -> Value {
        json!([note.name, text])
    }

    #[action(permission = "Scripted(\"a\") & AllowAny(note)")]
    async fn any(&self, note: Object<Note>) -> &'static str {
        note.name
    }

    #[action(permission = "!HasName(note, \"locked\")")]
    async fn unlocked(&self, note: Object<Note>) -> &'static str {
        note.name
    }

    #[action(permission = "Owner(note) | HasName(other, \"mine\")")]
    async fn two(&self, note: Object<Note>, other: Object<Note>) -> Value {
        json!([note.name, other.name])
    }

    #[action(permission = "Owner(note) & HasName(note, \"mine\")")]
    async fn twice(&self, note: Object<Note>) -> &'static str {
        note.name
    }

    #[action(permission = "Careless(note, {folder})")]
    async fn careless(&self, note: Object<Note>) -> &'static str {
        note.name
    }

    #[action(permission = "Owner(note)")]
    async fn maybe(&self, note: Option<Object<Note>>) -> Option<&'static str> {
        note.map(|note| note.name)
    }

    #[action(permission = "Owner(notes)")]
    async fn all(&self, notes: Vec<Object<Note>>) -> usize {
        notes.len()
    }

    #[action(permission = "Owner(note)")]
    async fn renamed(&self, #[object("note_id")] note: Object<Note>) -> &'static str {
        note.name
    }

    #[action(permission = "Owner(notes)", deny_unknown)]
    async fn nested(&self, #[object("order.items[].note")] notes: Vec<Object<Note>>) -> usize {
        notes.len()
    }

    #[action(permission = "Owner(note)")]
    async fn deep(&self, #[object("order.note")] note: Option<Object<Note>>, order: Value) -> Value {
        json!([note.map(|note| note.name), order])
    }

    #[action(permission = "Owner(folder)")]
    async fn captured(&self, #[path] folder: Object<Note>) -> &'static str {
        folder.name
    }
}

struct Fixture {
    log: Log,
    notebook: Endpoint<Notebook>,
}

fn fixture() -> Fixture {
    let log = Log::default();
    let notebook = portcullis::websocket(Notebook { folders: Folders { log: log.clone() } });
    Fixture { log, notebook }
}

impl Fixture {
    async fn client(&self, roles: &[&'static str]) -> Client {
        connect(&self.notebook).user(member(7, roles)).open().await.unwrap()
    }

    /// Calls an action with one argument; returns its status and the evaluations and loads, in order.
    async fn calls(&self, client: &mut Client, action: &str, key: &str, value: Value) -> (u16, Vec<&'static str>) {
        let reply = client.call(action).route("folders/f/").with(key, value).await;
        (reply.status(), std::mem::take(&mut *self.log.lock().unwrap()))
    }
}

#[tokio::test]
async fn object_is_loaded_only_if_the_verdict_depends_on_it() {
    let fixture = fixture();
    let (mut yes, mut no) = (fixture.client(&["a:yes"]).await, fixture.client(&[]).await);
    for (action, note, asker, wanted) in [
        ("both", "mine", "no", (403, vec!["a"])),
        ("both", "nothing", "no", (403, vec!["a"])),
        ("both", "mine", "yes", (200, vec!["a", "load", "owner"])),
        ("both", "theirs", "yes", (403, vec!["a", "load", "owner"])),
        // A missing object is not authorized.
        ("both", "nothing", "yes", (403, vec!["a", "load"])),
        ("either", "theirs", "yes", (200, vec!["a", "load"])),
        ("either", "mine", "no", (200, vec!["a", "load", "owner"])),
        ("either", "theirs", "no", (403, vec!["a", "load", "owner"])),
        ("either", "nothing", "no", (403, vec!["a", "load"])),
        // A caller that may act on every note may learn that a note is missing.
        ("either", "nothing", "yes", (404, vec!["a", "load"])),
        ("any", "nothing", "yes", (404, vec!["a", "load"])),
        ("any", "unfound", "yes", (404, vec!["a", "load"])),
        ("both", "unfound", "yes", (403, vec!["a", "load"])),
        ("any", "theirs", "yes", (200, vec!["a", "load"])),
        ("any", "nothing", "no", (403, vec!["a"])),
        ("unlocked", "theirs", "no", (200, vec!["load", "is"])),
        ("unlocked", "locked", "no", (403, vec!["load", "is"])),
        ("unlocked", "nothing", "no", (403, vec!["load"])),
        ("twice", "mine", "no", (200, vec!["load", "owner", "is"])),
    ] {
        let client = if asker == "yes" { &mut yes } else { &mut no };
        assert_eq!(fixture.calls(client, action, "note", note.into()).await, wanted, "{action} {note} {asker}");
    }
}

#[tokio::test]
async fn object_outside_the_route_is_missing() {
    let fixture = fixture();
    let mut client = fixture.client(&["a:yes"]).await;
    for (route, status) in [("folders/f/", 404), ("folders/other/", 200)] {
        let reply = client.call("any").route(route).with("note", "elsewhere").await;
        assert_eq!(reply.status(), status, "{route}");
    }
}

#[tokio::test]
async fn object_permission_that_fails_to_read_the_message_reveals_nothing() {
    let fixture = fixture();
    let mut client = fixture.client(&[]).await;
    for note in ["theirs", "locked", "panicky", "nothing"] {
        let reply = client.call("careless").route("folders/5/").with("note", note).await;
        assert_eq!((reply.status(), reply.code()), (403, "permission_denied"), "{note}");
    }
    for note in ["mine", "theirs", "locked", "panicky", "nothing"] {
        let reply = client.call("careless").route("folders/f/").with("note", note).await;
        assert_eq!((reply.status(), reply.code()), (404, "not_found"), "the folder is no number, whatever {note} is");
    }
    let reply = client.call("careless").route("folders/5/").with("note", "theirs").with("page", 3).await;
    assert_eq!(reply.status(), 200, "with a complete message the verdict counts");
}

#[tokio::test]
async fn two_objects_are_loaded_when_each_is_needed() {
    let fixture = fixture();
    let mut client = fixture.client(&[]).await;
    for (note, other, status, wanted) in [
        // The second object is loaded only for the action.
        ("mine", "theirs", 200, vec!["load", "owner", "load"]),
        ("mine", "nothing", 404, vec!["load", "owner", "load"]),
        ("theirs", "mine", 200, vec!["load", "owner", "load", "is"]),
        ("theirs", "nothing", 403, vec!["load", "owner", "load"]),
        // Independent of the missing object, the other one allows the caller.
        ("nothing", "mine", 404, vec!["load", "load", "is"]),
        ("nothing", "theirs", 403, vec!["load", "load", "is"]),
    ] {
        let reply = client.call("two").route("folders/f/").with("note", note).with("other", other).await;
        let log = std::mem::take(&mut *fixture.log.lock().unwrap());
        assert_eq!((reply.status(), log), (status, wanted), "{note} {other}");
    }
}

#[tokio::test]
async fn optional_object_may_be_absent_but_not_missing() {
    let fixture = fixture();
    let mut client = fixture.client(&[]).await;
    for (value, wanted) in [
        (json!("mine"), (200, vec!["load", "owner"])),
        (json!("theirs"), (403, vec!["load", "owner"])),
        (json!("nothing"), (403, vec!["load"])),
        (Value::Null, (200, vec![])),
    ] {
        assert_eq!(fixture.calls(&mut client, "maybe", "note", value.clone()).await, wanted, "{value}");
    }
    assert_eq!(client.call("maybe").route("folders/f/").await.data(), &Value::Null);
}

#[tokio::test]
async fn object_list_is_loaded_in_one_batch_and_every_entry_must_pass() {
    let fixture = fixture();
    let mut client = fixture.client(&[]).await;
    for (value, wanted) in [
        (json!([]), (200, vec![])),
        (json!(["mine"]), (200, vec!["load", "owner"])),
        (json!(["mine", "mine"]), (200, vec!["load_many", "owner", "owner"])),
        (json!(["mine", "theirs", "mine"]), (403, vec!["load_many", "owner", "owner"])),
        (json!(["mine", "nothing"]), (403, vec!["load_many"])),
        (json!(["mine", "dropped"]), (500, vec!["load_many"])),
        (json!(["mine", 5]), (400, vec![])),
        (json!("mine"), (400, vec![])),
        (json!(vec!["mine"; 101]), (400, vec![])),
    ] {
        assert_eq!(fixture.calls(&mut client, "all", "notes", value.clone()).await, wanted, "{value}");
    }
    let many = client.call("all").route("folders/f/").with("notes", vec!["mine"; 101]).await;
    assert_eq!((many.code(), many.value()["errors"][0]["field"].as_str()), ("too_many_objects", Some("notes")));
    assert_eq!(client.call("all").route("folders/f/").with("notes", vec!["mine"; 100]).await.data(), 100);
}

#[tokio::test]
async fn object_key_is_read_from_a_renamed_nested_or_captured_place() {
    let fixture = fixture();
    let mut client = fixture.client(&[]).await;
    let item = |note: &str| json!({"note": note, "count": 2});
    for (action, key, value, status) in [
        ("renamed", "note_id", json!("mine"), 200),
        ("renamed", "note_id", json!("theirs"), 403),
        ("renamed", "note", json!("mine"), 400),
        ("nested", "order", json!({"items": [item("mine"), item("mine")]}), 200),
        ("nested", "order", json!({"items": [item("mine"), item("theirs")]}), 403),
        ("nested", "order", json!({"items": []}), 200),
        // An element without a key is an error, not an element to skip.
        ("nested", "order", json!({"items": [item("mine"), {"count": 2}]}), 400),
        ("nested", "order", json!({"items": {"note": "mine"}}), 400),
        ("nested", "order", json!({}), 400),
        ("nested", "other", json!({"items": []}), 400),
        ("deep", "order", json!({"note": "mine"}), 200),
        ("deep", "order", json!({"note": "theirs"}), 403),
        ("deep", "order", json!({"note": null}), 200),
        ("deep", "order", json!({}), 200),
        ("deep", "order", json!("mine"), 400),
        ("deep", "order", json!({"note": 5}), 400),
    ] {
        assert_eq!(fixture.calls(&mut client, action, key, value.clone()).await.0, status, "{action} {value}");
    }
    // Two readers of a repeated key could read two objects.
    client.send(r#"{"action":"deep","route":"folders/f/","order":{"note":"mine","note":"theirs"}}"#);
    assert_eq!(client.reply().await.status(), 400);
    for (folder, status) in [("mine", 200), ("theirs", 403), ("nothing", 403)] {
        let reply = client.call("captured").route(&format!("folders/{folder}/")).await;
        assert_eq!(reply.status(), status, "{folder}");
    }
}

#[tokio::test]
async fn arguments_are_read_before_objects_are_loaded() {
    let fixture = fixture();
    let mut client = fixture.client(&["a:yes"]).await;
    let reply = client.call("either").route("folders/f/").with("note", "mine").with("text", 5).await;
    assert_eq!((reply.status(), fixture.log.lock().unwrap().clone()), (400, vec!["a"]));
    let mut stranger = fixture.client(&[]).await;
    let reply = stranger.call("both").route("folders/f/").with("note", 5).await;
    assert_eq!(reply.status(), 403, "a denied caller learns nothing about arguments");
}

#[tokio::test(start_paused = true)]
async fn object_that_fails_to_load_or_authorize_is_refused() {
    let fixture = fixture();
    let limits = Limits { action_timeout: Duration::from_secs(1), ..Limits::default() };
    let notebook = fixture.notebook.clone().limits(limits);
    let mut client = connect(&notebook).user(member(7, &["a:yes"])).open().await.unwrap();
    for (action, note, status) in [
        ("both", "broken", 500),
        ("both", "gone", 409),
        ("both", "burst", 500),
        // A load that is part of the evaluation fails as an internal error.
        ("both", "hang", 500),
        ("both", "faulty", 500),
        ("both", "panic", 500),
        ("unlocked", "broken", 500),
        // Another leaf does not compensate an error.
        ("two", "broken", 500),
        // Here only the action needs the object.
        ("either", "hang", 408),
        ("either", "broken", 500),
        ("both", "mine", 200),
    ] {
        let reply = client.call(action).route("folders/f/").with("note", note).with("other", "mine").await;
        assert_eq!(reply.status(), status, "{action} {note}");
        assert!(!reply.value().to_string().contains("secret"), "{}", reply.value());
    }
}
