//! Codenames: declared, under a renamed crate too, and evaluated for an action and in the connect phase.

permissions! {
    chat { can_use_chat = "Can use chat", can_moderate_chat = "May delete what others wrote" }
    /// What is done with files.
    pub uploads {
        read = "Sees uploads",
        #[cfg(feature = "writing")]
        write = "Adds uploads",
    }
}

permissions! {
    crate = ::renamed;
    pub(crate) r#type { all = "Everything" }
}

#[consumer(user = Member, permission = chat.can_use_chat, connect = "IsAuthenticated & shop::door.enter")]
impl Chat {
    #[action(permission = "chat.can_moderate_chat | uploads.read(channel)")]
    async fn clear(&self, channel: ChannelId) {}

    #[action]
    async fn ping(&self) {}
}
