//! What role tables can grant.

portcullis::permissions! {
    pub(crate) chat {
        can_moderate_chat = "Edits and deletes what others wrote, in rooms that one is in",
    }
    pub(crate) uploads {
        read = "Sees what was uploaded to a room",
    }
    pub(crate) accounts {
        deactivate = "Shuts people out of the chat",
    }
}
