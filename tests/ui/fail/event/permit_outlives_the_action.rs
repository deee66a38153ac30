// A permit to publish that a task keeps after the action has ended.

use portcullis::{AllowAny, Context, Event, Group, Result, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent))]
struct RoomGroup;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }

    #[action(permission = AllowAny)]
    async fn send(&self, cx: &Context<'_, ()>) -> Result<()> {
        let permit = cx.publish_permit(RoomGroup).await?;
        std::thread::spawn(move || permit.publish(Sent));
        Ok(())
    }
}

fn main() {}
