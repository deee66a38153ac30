//! The code beside the error of a group, and of a consumer with events: impls that deliver nothing.

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = "RoomMember | uploads.read(chanel)",
    publish = Publisher,
    events(MessageCreated),
    history(events = 100, age = "10m", since = RoomGroup::member_since)
)]
pub struct RoomGroup {
    pub channel: ChannelId,
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn message_created(&self, event: &MessageCreated) -> View {
        View::of(event)
    }

    #[event]
    async fn typing(&self, event: &Typing) -> View {
        View::of(event)
    }
}
