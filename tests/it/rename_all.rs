//! `rename_all` on a block: the names of its actions and events, and the keys of arguments and objects.

use std::borrow::Cow;

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Context, Event, Group, Load, Object, Permission, PermissionContext, Result, User, consumer, handler,
};
use serde::Serialize;
use serde_json::json;

struct Member(String);

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

struct Chat(Rooms);
struct Rooms;
struct Room(u32);

impl Load<Chat> for Room {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &Chat, _: &Context<'_, Member>, key: &u32) -> Result<Option<Room>> {
        Ok((*key < 10).then_some(Room(*key)))
    }
}

/// Holds if the argument that the client calls `messageText` is not empty.
struct HasText;

impl Permission<Chat> for HasText {
    async fn has_permission(&self, _: &Chat, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(!cx.argument::<&str>("messageText")?.is_empty())
    }
}

#[derive(Group, Hash, PartialEq, Eq, Clone)]
#[group(consumer = Chat, permission = AllowAny, publish = AllowAny, events(MessageCreated))]
struct Everyone;

#[derive(Serialize, Event)]
struct MessageCreated {
    message_text: String,
}

#[consumer(user = Member, name = "RenamedChat", rename_all = "camelCase")]
impl Chat {
    #[authenticate]
    async fn renew(&self, session_token: String) -> Result<Option<Member>> {
        Ok(Some(Member(session_token)))
    }

    #[action(permission = AllowAny)]
    async fn who_am_i(&self, cx: &Context<'_, Member>) -> Option<String> {
        cx.user().map(|member| member.0.clone())
    }

    #[action(permission = AllowAny)]
    async fn join_everyone(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Everyone).await
    }

    #[action(permission = HasText)]
    async fn send_message(&self, cx: &Context<'_, Member>, message_text: &str) -> Result<()> {
        cx.publish(Everyone, MessageCreated { message_text: message_text.to_owned() }).await
    }

    #[action(permission = "AllowAny(main_room) & AllowAny(other_room)", name = "read_room", deny_unknown)]
    async fn show_room(
        &self,
        main_room: Object<Room>,
        #[object("otherRoom.room_id")] other_room: Option<Object<Room>>,
        #[serde(rename = "how_many")] max_messages: u32,
        #[serde(default, alias = "unread")] only_unread: bool,
        #[serde(default)] r#type: String,
    ) -> (u32, Option<u32>, u32, bool, String) {
        (main_room.0, other_room.map(|room| room.0), max_messages, only_unread, r#type)
    }

    #[event(permission = AllowAny)]
    fn message_created<'e>(&self, event: &'e MessageCreated) -> &'e MessageCreated {
        event
    }

    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(user = Member, permission = AllowAny, rename_all = "kebab-case")]
impl Rooms {
    #[action]
    async fn count_members(&self, #[path] room_id: u32, at_most: u32) -> u32 {
        room_id.min(at_most)
    }
}

async fn client() -> Client {
    connect(&portcullis::websocket(Chat(Rooms))).open().await.unwrap()
}

#[tokio::test]
async fn action_of_a_renamed_block_is_called_by_its_renamed_name() {
    let mut client = client().await;
    assert_eq!(client.call("whoAmI").await.data(), &json!(null));
    assert_eq!(client.call("who_am_i").await.code(), "unknown_action");
    assert_eq!(client.call("countMembers").route("rooms/3/").await.code(), "unknown_action");
    assert_eq!(client.call("count-members").route("rooms/3/").with("at-most", 2).await.data(), 2);
}

#[tokio::test]
async fn argument_of_a_renamed_block_is_read_from_the_renamed_key() {
    let mut client = client().await;
    let call = client.call("read_room").with("mainRoom", 1).with("otherRoom", json!({"room_id": 2}));
    let reply = call.with("how_many", 3).with("onlyUnread", true).with("type", "t").await;
    assert_eq!(*reply.data(), json!([1, 2, 3, true, "t"]), "{reply:?}");
    let reply = client.call("read_room").with("mainRoom", 1).with("how_many", 3).with("unread", true).await;
    assert_eq!(*reply.data(), json!([1, null, 3, true, ""]), "{reply:?}");
    for (unknown, required) in [("maxMessages", "how_many"), ("only_unread", "how_many"), ("main_room", "how_many")] {
        let reply = client.call("read_room").with("mainRoom", 1).with(required, 3).with(unknown, 3).await;
        assert_eq!((reply.code(), reply.value()["errors"][0]["field"].as_str()), ("unknown_argument", Some(unknown)));
    }
    let reply = client.call("read_room").with("how_many", 3).await;
    assert_eq!((reply.code(), reply.value()["errors"][0]["field"].as_str()), ("missing_argument", Some("mainRoom")));
}

#[tokio::test]
async fn event_and_authentication_of_a_renamed_block_have_renamed_names() {
    let mut client = client().await;
    assert_eq!(client.call("authenticate").with("sessionToken", "8").await.status(), 204);
    assert_eq!(client.call("whoAmI").await.data(), "8");
    assert_eq!(client.call("joinEveryone").await.status(), 200);
    assert_eq!(client.call("sendMessage").with("messageText", "").await.status(), 403);
    assert_eq!(client.call("sendMessage").with("messageText", "hi").await.status(), 200);
    let event = client.event().await;
    assert_eq!(
        (&event.value()["event"], &event.value()["data"]["message_text"]),
        (&json!("messageCreated"), &json!("hi"))
    );
}
