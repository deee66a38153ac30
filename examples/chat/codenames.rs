//! The codenames that role tables can grant.

portcullis::permissions! {
    pub(crate) chat {
        can_moderate_chat = "Edits and deletes messages of others, in rooms with membership",
    }
    pub(crate) uploads {
        read = "Sees the uploads of a room",
    }
    pub(crate) accounts {
        deactivate = "Deactivates accounts",
    }
}
