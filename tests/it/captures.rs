//! Captures as arguments of leaves: values, text that does not parse, and what a refused client learns about it.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use portcullis::testing::{Client, connect};
use portcullis::{
    Audit, Blocking, BlockingPermission, Context, Handler, Load, Object, ObjectPermission, Permission,
    PermissionContext, Result, consumer, handler,
};

use crate::common::log_capture::LogCapture;
use crate::common::{HasRole, Member, member};

/// A number of a room. The text `boom` panics.
#[derive(PartialEq)]
struct RoomId(u8);

impl FromStr for RoomId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        assert_ne!(text, "boom", "a parser's secret");
        text.parse().map(RoomId)
    }
}

/// Holds for room 1.
struct InRoom(RoomId);

impl<H: Handler> Permission<H> for InRoom {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        tokio::task::yield_now().await;
        Ok(self.0 == RoomId(1))
    }
}

impl<H: Handler> BlockingPermission<H> for InRoom {
    fn check(
        &self,
        _: &H,
        _: &PermissionContext<'_, H::User>,
    ) -> Result<impl FnOnce() -> Result<bool> + Send + 'static> {
        let is_first = self.0 == RoomId(1);
        Ok(move || Ok(is_first))
    }
}

/// Holds if the argument has the text.
struct IsText(String, &'static str, Option<u8>);

impl<H: Handler> Permission<H> for IsText {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 == self.1 && self.2.is_some_and(|room| room < 10))
    }
}

struct Note(u32);

impl Load<Rooms> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(rooms: &Rooms, _: &Context<'_, Member>, key: &u32) -> Result<Option<Note>> {
        rooms.loads.fetch_add(1, Ordering::SeqCst);
        Ok((*key < 100).then_some(Note(*key)))
    }
}

/// Holds if the note has the number of the room.
struct IsOfRoom(u8);

impl<H: Handler> ObjectPermission<Note, H> for IsOfRoom {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, note: &Note) -> Result<bool> {
        Ok(note.0 == u32::from(self.0))
    }
}

#[derive(Default)]
struct Captures {
    rooms: Rooms,
}

#[derive(Default)]
struct Rooms {
    loads: Arc<AtomicU32>,
    inner: Inner,
}

#[derive(Default)]
struct Inner;

#[consumer(user = Member)]
impl Captures {
    #[route("rooms/{room_id}/{type}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    #[route("guarded/{room_id}/", permission = "HasRole(\"outer\") & InRoom({room_id})")]
    fn guarded(&self) -> &Inner {
        &self.rooms.inner
    }
}

#[handler(user = Member)]
impl Rooms {
    #[action(permission = InRoom({room_id}))]
    async fn alone(&self) {}

    #[action(permission = "InRoom({room_id})")]
    async fn quoted(&self) {}

    #[action(permission = !InRoom({room_id}))]
    async fn not(&self) {}

    #[action(permission = HasRole("a") & InRoom({room_id}))]
    async fn and_after(&self) {}

    #[action(permission = InRoom({room_id}) & HasRole("a"))]
    async fn and_before(&self) {}

    #[action(permission = HasRole("a") & !InRoom({room_id}))]
    async fn and_not(&self) {}

    #[action(permission = HasRole("a") | InRoom({room_id}))]
    async fn or_after(&self) {}

    #[action(permission = InRoom({room_id}) | HasRole("a"))]
    async fn or_before(&self) {}

    #[action(permission = "Blocking(InRoom({room_id}))")]
    async fn blocking(&self) {}

    #[action(permission = IsText({r#type}, "open", Some({room_id})))]
    async fn several(&self) {}

    #[action(permission = IsOfRoom(note, {room_id}))]
    async fn object(&self, note: Object<Note>) -> u32 {
        note.0
    }

    #[action(permission = IsOfRoom(notes, {room_id}))]
    async fn list(&self, #[object("keys")] notes: Vec<Object<Note>>) -> usize {
        notes.len()
    }

    #[action(permission = "IsOfRoom(note, {room_id}) & HasRole(\"a\")")]
    async fn object_and(&self, note: Object<Note>) -> u32 {
        note.0
    }

    #[action(permission = "IsOfRoom(note, {room_id}) | HasRole(\"a\")")]
    async fn object_or(&self, note: Object<Note>) -> u32 {
        note.0
    }

    #[action(permission = IsOfRoom(note, 1) & IsOfRoom(note, {room_id}))]
    async fn object_twice(&self, note: Object<Note>) -> u32 {
        note.0
    }

    #[action(permission = HasRole("a") & IsOfRoom(note, 7) & InRoom({room_id}))]
    async fn object_with_plain(&self, note: Object<Note>) -> u32 {
        note.0
    }
}

#[handler(user = Member, permission = InRoom({room_id}))]
impl Inner {
    #[action]
    async fn act(&self) {}
}

async fn client(roles: &[&'static str]) -> Client {
    connect(&portcullis::websocket(Captures::default())).user(member(5, roles)).open().await.unwrap()
}

/// Returns the statuses for room 1, room 2 and a room that is no number.
async fn statuses(action: &str, roles: &[&'static str]) -> [u16; 3] {
    let mut client = client(roles).await;
    let mut statuses = [0; 3];
    for (status, room) in statuses.iter_mut().zip(["1", "2", "x"]) {
        *status = client.call(action).route(&format!("rooms/{room}/open/")).await.status();
    }
    statuses
}

#[tokio::test]
async fn leaf_gets_the_captures_that_it_names() {
    for action in ["alone", "quoted", "blocking"] {
        assert_eq!(statuses(action, &[]).await, [200, 403, 404], "{action}");
    }
    assert_eq!(statuses("not", &[]).await, [403, 200, 404]);
    assert_eq!(statuses("several", &[]).await, [200, 200, 404]);
    assert_eq!(client(&[]).await.call("several").route("rooms/1/shut/").await.status(), 403);
    assert_eq!(client(&[]).await.call("several").route("rooms/77/open/").await.status(), 403);
}

#[tokio::test]
async fn malformed_capture_is_not_found_unless_the_expression_is_false() {
    for (action, without_role, with_role) in [
        ("and_after", [403, 403, 403], [200, 403, 404]),
        ("and_before", [403, 403, 403], [200, 403, 404]),
        ("and_not", [403, 403, 403], [403, 200, 404]),
        ("or_after", [200, 403, 404], [200, 200, 200]),
        ("or_before", [200, 403, 404], [200, 200, 404]),
    ] {
        assert_eq!(statuses(action, &[]).await, without_role, "{action}");
        assert_eq!(statuses(action, &["a"]).await, with_role, "{action}");
    }
}

#[tokio::test]
async fn malformed_capture_is_unknown_to_a_client_whom_an_outer_level_denies() {
    for action in ["act", "bogus"] {
        let route = "guarded/x/";
        assert_eq!(client(&[]).await.call(action).route(route).await.status(), 403, "{action}");
        assert_eq!(client(&["outer"]).await.call(action).route(route).await.status(), 404, "{action}");
    }
    assert_eq!(client(&["outer"]).await.call("act").route("guarded/1/").await.status(), 200);
    assert_eq!(client(&["outer"]).await.call("act").route("guarded/2/").await.status(), 403);
}

#[tokio::test]
async fn malformed_capture_is_logged_with_its_leaf() {
    let log = LogCapture::start();
    for action in ["alone", "and_before", "object"] {
        let mut client = client(&["a"]).await;
        let reply = client.call(action).route("rooms/x/open/").with("note", 1).await;
        assert_eq!((reply.status(), reply.code()), (404, "not_found"), "{action}");
        let lines = log.take();
        let leaf = if action == "object" { "IsOfRoom(note, {room_id})" } else { "InRoom({room_id})" };
        assert!(lines.len() == 1 && lines[0].contains(&format!("leaf={leaf:?}")), "{lines:?}");
    }
}

#[tokio::test]
async fn parser_that_panics_refuses_with_internal_error() {
    let log = LogCapture::start();
    for (action, leaf) in [
        ("alone", "InRoom({room_id})"),
        ("not", "InRoom({room_id})"),
        ("or_before", "InRoom({room_id})"),
        ("blocking", "Blocking(InRoom({room_id}))"),
    ] {
        let reply = client(&["a"]).await.call(action).route("rooms/boom/open/").await;
        assert_eq!((reply.status(), reply.code()), (500, "internal_error"), "{action}");
        assert!(!reply.text().contains("secret"), "{reply:?}");
        let lines = log.take();
        let is_blamed = |line: &String| line.contains(&format!("leaf={leaf:?}")) && line.contains("a parser's secret");
        assert!(lines.iter().any(is_blamed), "{lines:?}");
    }
}

#[tokio::test]
async fn object_leaf_gets_captures_behind_its_object() {
    let mut client = client(&["a"]).await;
    for (action, key, keys, expected) in [
        ("object", 1, vec![], 200),
        ("object", 2, vec![], 403),
        ("object", 100, vec![], 403),
        ("list", 0, vec![1, 1], 200),
        ("list", 0, vec![1, 2], 403),
        ("object_and", 1, vec![], 200),
        ("object_and", 2, vec![], 403),
        ("object_or", 2, vec![], 200),
        ("object_or", 100, vec![], 404),
    ] {
        let reply = client.call(action).route("rooms/1/open/").with("note", key).with("keys", &keys).await;
        assert_eq!(reply.status(), expected, "{action} {key} {keys:?}");
    }
}

#[tokio::test]
async fn object_leaf_with_a_malformed_capture_loads_nothing_and_hides_the_object() {
    let captures = Captures::default();
    let loads = captures.rooms.loads.clone();
    let endpoint = portcullis::websocket(captures);
    for (roles, action, expected) in [
        (&[][..], "object", 404),
        (&[], "list", 404),
        (&[], "object_and", 403),
        (&["a"], "object_and", 404),
        (&[], "object_or", 404),
        (&["a"], "object_with_plain", 404),
        (&[], "object_with_plain", 403),
    ] {
        let mut client = connect(&endpoint).user(member(5, roles)).open().await.unwrap();
        for key in [1, 100] {
            let reply = client.call(action).route("rooms/x/open/").with("note", key).with("keys", [key, key]).await;
            assert_eq!(reply.status(), expected, "{action} {key} {roles:?}");
        }
    }
    assert_eq!(loads.load(Ordering::SeqCst), 0);
    let mut client = connect(&endpoint).user(member(5, &[])).open().await.unwrap();
    for (key, expected) in [(1, 404), (2, 403), (100, 403)] {
        let reply = client.call("object_twice").route("rooms/x/open/").with("note", key).await;
        assert_eq!(reply.status(), expected, "{key}");
    }
}

#[test]
fn audit_shows_captures_in_braces() {
    let audit = Audit::of::<Captures>();
    let permission = |action: &str| {
        let found = audit.entries().iter().find(|entry| entry.action == action).unwrap();
        found.permission.clone()
    };
    assert_eq!(permission("alone"), "InRoom({room_id})");
    assert_eq!(permission("several"), "IsText({r#type}, \"open\", Some({room_id}))");
    assert_eq!(permission("object"), "IsOfRoom(note, {room_id})");
    assert_eq!(permission("act"), "HasRole(\"outer\") & InRoom({room_id}) & InRoom({room_id})");
}
