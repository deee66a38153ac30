//! Codenames that several fixtures use: a codename may be declared once per program.

portcullis::permissions! {
    /// Files that were uploaded to a channel.
    pub uploads {
        read = "Sees uploads",
        /// Includes the right to remove them.
        write = "Uploads",
    }
}
