//! Routes to nested handlers, every kind of segment, and captures.

#[consumer(user = Member, name = "chat", permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{room_id:[0-9]+}/", permission = "RoomMember")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    #[route("files/{*path}")]
    fn files(&self) -> &Files {
        &self.files
    }
}

#[handler(user = Member, permission = inherited)]
impl Rooms {
    #[action(permission = Owner)]
    async fn rename(&self, #[path] room_id: RoomId, #[path("room_id")] text: String, name: &str) -> Result<(), NotFound> {
        self.store.rename(room_id, text, name).await
    }

    #[route("users/{user}")]
    fn users(&self) -> &Users {
        &self.users
    }
}
