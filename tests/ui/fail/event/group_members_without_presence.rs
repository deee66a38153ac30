// `cx.present_users` for a group without `presence`.

use portcullis::{AllowAny, Context, Event, Group, PresentUser, Result, consumer};

#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
struct Room(u32);

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn online(&self, cx: &Context<'_, ()>) -> Result<Vec<PresentUser>> {
        cx.present_users(&Room(5)).await
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &Said {
        event
    }
}

fn main() {}
