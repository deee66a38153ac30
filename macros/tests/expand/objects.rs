//! Object parameters: keys, lists, nested paths and captures; leaves and codenames about them.

#[handler(user = Member, permission = "IsAuthenticated")]
impl Folders {
    #[action(
        permission = "Author(message) & (InState(draft, \"open\") | chat.can_moderate_chat) & uploads.read(channel) & uploads.write(folders) & AllowAny(room)",
        deny_unknown
    )]
    async fn file(
        &self,
        cx: &Context<'_, Member>,
        message: Object<Message>,
        #[object("draft_id")] draft: Option<Object<Draft>>,
        #[object("order.items[].folder_id")] folders: Vec<Object<Folder>>,
        #[path("room_id")] room: Object<Room>,
        #[path] team: TeamId,
        channel: ChannelId,
        text: &str,
    ) -> Result<NoContent> {
        self.store.file(cx, message, draft, folders, room, team, channel, text).await
    }

    #[action(permission = Owner(folder) | shop::admin.all)]
    fn open(&self, folder: Object<Folder>) -> Folder {
        folder.into_inner()
    }
}

#[consumer(user = Member)]
impl Chat {
    #[action(permission = "AllowAny(message)")]
    async fn read(&self, message: Object<Message>) -> Message {
        message.into_inner()
    }
}
