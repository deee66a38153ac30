//! `#[action(validate)]`: what is validated, when, and what the client learns from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt, Stream, StreamExt, stream};
use garde::Validate;
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Context, Load, Object, ObjectPermission, PermissionContext, Result, Streamed, consumer, handler,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::common::clients::serve;
use crate::common::{HasRole, Member, member};

#[derive(Default)]
struct Forms {
    folders: Arc<Folders>,
}

/// Counts what runs after a validation.
#[derive(Default)]
struct Folders {
    bodies: AtomicUsize,
    loads: AtomicUsize,
}

#[derive(Deserialize, Validate)]
struct Draft {
    #[garde(length(chars, min = 1, max = 5), ascii)]
    title: String,
    #[garde(dive)]
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize, Validate)]
struct Item {
    #[garde(custom(not_a_bomb))]
    name: String,
}

fn not_a_bomb<C>(name: &str, _: &C) -> garde::Result {
    match name {
        "bomb" => panic!("a validator's secret"),
        "" => Err(garde::Error::new("no name")),
        _ => Ok(()),
    }
}

#[derive(Deserialize, Validate)]
#[garde(transparent)]
struct Amount(#[garde(range(max = 10))] u32);

struct Note(u32);

impl Load<Folders> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(folders: &Folders, _: &Context<'_, Member>, key: &u32) -> Result<Option<Note>> {
        folders.loads.fetch_add(1, Ordering::Relaxed);
        Ok(Some(Note(*key)))
    }
}

/// Holds for the note with the id of the user.
struct Author;

impl ObjectPermission<Note, Folders> for Author {
    async fn has_object_permission(
        &self,
        _: &Folders,
        cx: &PermissionContext<'_, Member>,
        note: &Note,
    ) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| member.id == note.0))
    }
}

impl Folders {
    fn ran(&self) {
        self.bodies.fetch_add(1, Ordering::Relaxed);
    }
}

#[handler(user = Member, permission = AllowAny)]
impl Folders {
    #[action(validate)]
    async fn add(&self, draft: Draft, #[serde(rename = "count")] amount: Option<Amount>) -> usize {
        self.ran();
        draft.title.len() + draft.items.len() + usize::from(amount.is_some_and(|amount| amount.0 > 0))
    }

    #[action(validate(drafts))]
    async fn add_many(&self, drafts: Vec<Draft>, folder: u64) -> u64 {
        self.ran();
        folder + drafts.len() as u64
    }

    #[action(permission = HasRole("editor"), validate)]
    async fn edit(&self, draft: Draft) {
        self.ran();
        drop(draft);
    }

    #[action(permission = "Author(note)", validate(draft))]
    async fn replace(&self, note: Object<Note>, draft: Draft) -> u32 {
        self.ran();
        note.0 + u32::try_from(draft.items.len()).unwrap()
    }

    #[action(permission = "HasRole(\"admin\") | Author(note)", validate(draft))]
    async fn take_over(&self, note: Object<Note>, draft: Draft) -> u32 {
        self.ran();
        note.0 + u32::try_from(draft.items.len()).unwrap()
    }

    #[action(validate, detached)]
    async fn detached(&self, draft: Draft) {
        self.ran();
        drop(draft);
    }

    #[action(validate, blocking)]
    fn blocking(&self, draft: Draft) {
        self.ran();
        drop(draft);
    }

    #[action(validate)]
    async fn stream(&self, draft: Draft) -> Streamed<impl Stream<Item = usize> + use<>> {
        self.ran();
        Streamed(stream::iter([draft.title.len()]))
    }
}

#[consumer(user = Member)]
impl Forms {
    #[route("folders/")]
    fn folders(&self) -> &Folders {
        &self.folders
    }
}

async fn open(user: Option<Member>) -> (Arc<Folders>, Client) {
    let folders = Arc::<Folders>::default();
    let endpoint = portcullis::websocket(Forms { folders: folders.clone() });
    let builder = connect(&endpoint);
    let builder = match user {
        Some(user) => builder.user(user),
        None => builder,
    };
    (folders, builder.open().await.unwrap())
}

fn draft(title: &str, items: &[&str]) -> Value {
    let items: Vec<_> = items.iter().map(|name| json!({"name": name})).collect();
    json!({"title": title, "items": items})
}

/// Returns the fields and details of an error reply.
fn entries(reply: &Value) -> Vec<(&str, &str)> {
    let errors = reply["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["code"] == "invalid_argument"), "{reply}");
    errors.iter().map(|error| (error["field"].as_str().unwrap(), error["detail"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn invalid_arguments_are_refused_with_one_entry_per_field() {
    let (folders, mut client) = open(None).await;
    let reply = client.call("add").route("folders/").with("draft", draft("übergroß", &["a", "", ""])).with("count", 11);
    let reply = reply.await;
    assert_eq!(reply.status(), 400);
    let expected = [
        ("draft.title", "not ascii; length is greater than 5"),
        ("draft.items[1].name", "no name"),
        ("draft.items[2].name", "no name"),
        ("count", "greater than 10"),
    ];
    let mut found = entries(reply.value());
    found.sort_unstable_by_key(|(field, _)| expected.iter().position(|(expected, _)| expected == field));
    assert_eq!(found, expected);
    assert!(!reply.text().contains("gro"), "{}", reply.text());
    assert_eq!(folders.bodies.load(Ordering::Relaxed), 0);

    let valid = client.call("add").route("folders/").with("draft", draft("abc", &["a"]));
    assert_eq!(valid.await.data(), 4);
    let valid = client.call("add").route("folders/").with("draft", draft("abc", &[])).with("count", 10);
    assert_eq!(valid.await.data(), 4);
}

#[tokio::test]
async fn only_named_arguments_are_validated_and_lists_have_indices() {
    let (_, mut client) = open(None).await;
    let drafts = [draft("a", &[]), draft("", &[])];
    let reply = client.call("add_many").route("folders/").with("drafts", drafts).with("folder", 7).await;
    assert_eq!(entries(reply.value()), [("drafts[1].title", "length is lower than 1")]);
    let valid = client.call("add_many").route("folders/").with("drafts", [draft("a", &[])]).with("folder", 7);
    assert_eq!(valid.await.data(), 8);
}

#[tokio::test]
async fn number_of_entries_is_bounded() {
    let (_, mut client) = open(None).await;
    let reply = client.call("add").route("folders/").with("draft", draft("abc", &[""; 1000])).await;
    assert_eq!(entries(reply.value()).len(), 32);
}

#[tokio::test]
async fn validation_tells_nothing_to_a_caller_who_may_not_call_the_action() {
    let (folders, mut client) = open(Some(member(7, &[]))).await;
    let denied = client.call("edit").route("folders/").with("draft", draft("", &[])).await;
    assert_eq!((denied.status(), denied.code()), (403, "permission_denied"));
    let denied = client.call("replace").route("folders/").with("note", 8).with("draft", draft("", &[])).await;
    assert_eq!((denied.status(), denied.code()), (403, "permission_denied"));
    let invalid = client.call("replace").route("folders/").with("note", 7).with("draft", draft("", &[])).await;
    assert_eq!(invalid.status(), 400);
    assert_eq!(folders.bodies.load(Ordering::Relaxed), 0);
    let valid = client.call("replace").route("folders/").with("note", 7).with("draft", draft("a", &["b"]));
    assert_eq!(valid.await.data(), 8);
}

#[tokio::test]
async fn object_that_no_permission_needs_is_loaded_after_the_validation() {
    let (folders, mut client) = open(Some(member(7, &["admin"]))).await;
    let invalid = client.call("take_over").route("folders/").with("note", 8).with("draft", draft("", &[])).await;
    assert_eq!((invalid.status(), folders.loads.load(Ordering::Relaxed)), (400, 0));
    let valid = client.call("take_over").route("folders/").with("note", 8).with("draft", draft("a", &[])).await;
    assert_eq!((valid.data(), folders.loads.load(Ordering::Relaxed)), (&json!(8), 1));
}

#[tokio::test]
async fn every_kind_of_action_validates_before_its_body() {
    for action in ["add", "edit", "detached", "blocking", "stream"] {
        let (folders, mut client) = open(Some(member(7, &["editor"]))).await;
        let invalid = client.call(action).route("folders/").with("draft", draft("", &[])).await;
        assert_eq!(entries(invalid.value()), [("draft.title", "length is lower than 1")], "{action}");
        assert_eq!(folders.bodies.load(Ordering::Relaxed), 0, "{action}");
        let bomb = client.call(action).route("folders/").with("draft", draft("a", &["bomb"])).await;
        assert_eq!((bomb.status(), bomb.code()), (500, "internal_error"), "{action}");
        assert!(!bomb.text().contains("secret"), "{action}");
        assert_eq!(folders.bodies.load(Ordering::Relaxed), 0, "{action}");
        let valid = client.call(action).route("folders/").with("draft", draft("abc", &[])).await;
        assert_eq!((valid.status(), folders.bodies.load(Ordering::Relaxed)), (200, 1), "{action}");
    }
}

#[tokio::test]
async fn real_socket_gets_the_entries() {
    let address = serve(portcullis::websocket(Forms::default())).await;
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    let message = json!({"action": "add", "route": "folders/", "draft": draft("", &[]), "request_id": 1});
    socket.send(Frame::text(message.to_string())).await.unwrap();
    let reply = socket.next().await.unwrap().unwrap();
    let expected = json!({
        "errors": [{"code": "invalid_argument", "detail": "length is lower than 1", "field": "draft.title"}],
        "data": null, "action": "add", "route": "folders/", "status": 400, "request_id": 1,
    });
    assert_eq!(serde_json::from_str::<Value>(reply.to_text().unwrap()).unwrap(), expected);
}
