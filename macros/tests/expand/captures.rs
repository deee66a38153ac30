//! Captures as arguments of leaves: of a block, alone and nested in another argument, about an object, and on a route.

#[handler(user = Member, permission = "IsAuthenticated & InRoom({room_id})")]
impl Rooms {
    #[action(permission = Blocking(InLedger({room_id}, "open")))]
    async fn close(&self) {}

    #[action(permission = Author(message, {room_id}))]
    async fn delete(&self, message: Object<Message>) {}

    #[route("threads/{thread}/", permission = InThread({thread}))]
    fn threads(&self) -> &Threads {
        &self.threads
    }
}
