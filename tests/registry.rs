//! Every consumer of the program is found, and the audit says what serves requests.

use portcullis::{AllowAny, Audit, IsAuthenticated, consumer, handler};

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

#[consumer(name = "chat", connect = "IsAuthenticated")]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[route("rooms/{room_id:[0-9]+}/", permission = "!IsAuthenticated | portcullis::IsAuthenticated")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

#[handler(permission = IsAuthenticated)]
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

/// Generic, so found only where it is mounted.
struct Feed<P>(P);

#[consumer(permission = IsAuthenticated)]
impl<P: Policy> Feed<P> {
    #[action]
    async fn read(&self) {}
}

#[test]
fn the_audit_is_a_table_of_all_ways_in() {
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
    // Once more is still once, and so is another instance of the same block.
    let _endpoint = portcullis::websocket(Feed(Strict));
    let _endpoint = portcullis::websocket(Feed(Lax));
    assert_eq!(portcullis::audit().unwrap().entries().len(), 7);
}

#[test]
fn the_audit_as_json() {
    let json: serde_json::Value = serde_json::from_str(&Audit::of::<Feed<Strict>>().to_json()).unwrap();
    let wanted = serde_json::json!([
        {"consumer": "Feed", "route": "", "action": "(connect)", "permission": "connect phase of IsAuthenticated"},
        {"consumer": "Feed", "route": "", "action": "read", "permission": "IsAuthenticated"},
    ]);
    assert_eq!(json, wanted);
}
