//! The registry: every consumer and codename of the program is found, and the audit lists all actions.

use portcullis::{AllowAny, Audit, GrantSet, IsAuthenticated, consumer, handler};

portcullis::permissions! {
    chat {
        can_use_chat = "Can use chat",
        can_moderate_chat = "May delete what others wrote",
    }
    /// Files that were uploaded to a channel.
    pub uploads {
        read = "Sees uploads",
        /// Includes the right to remove them.
        write = "Uploads",
    }
}

struct Chat {
    rooms: Rooms,
}

struct Rooms {
    messages: Messages<Strict>,
}

struct Messages<P> {
    _policy: P,
}

struct Strict;

trait Policy: Send + Sync + 'static {}

impl Policy for Strict {}

struct Lax;

impl Policy for Lax {}

#[consumer(user = (), name = "chat", connect = "IsAuthenticated")]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[route("rooms/{room_id:[0-9]+}/", permission = "!IsAuthenticated | portcullis::IsAuthenticated")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

#[handler(user = (), permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self) {}

    #[action(permission = "!portcullis::IsAuthenticated", name = "leave-room")]
    async fn leave(&self) {}

    #[route("messages")]
    fn messages(&self) -> &Messages<Strict> {
        &self.messages
    }
}

#[handler(permission = inherited)]
impl<P: Policy> Messages<P> {
    #[action]
    async fn list(&self) {}
}

/// Generic, so found only when it is mounted.
struct Feed<P>(P);

#[consumer(user = (), permission = IsAuthenticated)]
impl<P: Policy> Feed<P> {
    #[action]
    async fn read(&self) {}
}

#[test]
fn audit_of_the_program_is_a_table_of_all_actions() {
    let chat = "\
consumer  route                            action      permission in effect
chat      -                                (connect)   IsAuthenticated
chat      -                                ping        AllowAny
chat      rooms/{room_id:[0-9]+}/          send        (!IsAuthenticated | portcullis::IsAuthenticated) & IsAuthenticated
chat      rooms/{room_id:[0-9]+}/          leave-room  (!IsAuthenticated | portcullis::IsAuthenticated) & IsAuthenticated & !portcullis::IsAuthenticated
chat      rooms/{room_id:[0-9]+}/messages  list        (!IsAuthenticated | portcullis::IsAuthenticated) & IsAuthenticated
";
    assert_eq!(Audit::of::<Chat>().to_string(), chat);
    assert_eq!(portcullis::audit().unwrap().to_string(), chat);
    let _endpoint = portcullis::websocket(Feed(Strict));
    let consumers: Vec<_> = portcullis::audit().unwrap().entries().iter().map(|entry| entry.consumer).collect();
    assert_eq!(consumers, ["Feed", "Feed", "chat", "chat", "chat", "chat", "chat"]);
    // Mounting it again, or another instance of the same block, adds no entry.
    let _endpoint = portcullis::websocket(Feed(Strict));
    let _endpoint = portcullis::websocket(Feed(Lax));
    assert_eq!(portcullis::audit().unwrap().entries().len(), 7);
}

#[test]
fn audit_as_json_has_one_object_per_action() {
    let json: serde_json::Value = serde_json::from_str(&Audit::of::<Feed<Strict>>().to_json()).unwrap();
    let wanted = serde_json::json!([
        {"consumer": "Feed", "route": "", "action": "(connect)", "permission": "connect phase of IsAuthenticated"},
        {"consumer": "Feed", "route": "", "action": "read", "permission": "IsAuthenticated"},
    ]);
    assert_eq!(json, wanted);
}

#[test]
fn codenames_lists_every_declared_codename() {
    let all = portcullis::codenames().unwrap();
    let names: Vec<_> = all.iter().map(|codename| (codename.name(), codename.description())).collect();
    assert_eq!(
        names,
        [
            ("chat.can_moderate_chat", "May delete what others wrote"),
            ("chat.can_use_chat", "Can use chat"),
            ("uploads.read", "Sees uploads"),
            ("uploads.write", "Uploads"),
        ]
    );
    let stored = GrantSet::from_names(["uploads.read", "uploads.gone", ""]);
    assert!(stored.contains(uploads::read) && !stored.contains(uploads::write));
    assert_eq!(stored.iter().map(|codename| codename.name()).collect::<Vec<_>>(), ["uploads.read"]);
}
