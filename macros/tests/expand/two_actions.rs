//! Two actions under the permission of their block.

#[handler(user = Member, permission = "IsAuthenticated")]
impl Notes {
    /// All notes.
    #[action(cancel = drop)]
    async fn list(&self, cx: &Context<'_, Member>) -> Result<Vec<Note>> {
        self.store.of(cx.require_user()?).await
    }

    #[action(name = "notes.clear", blocking, detached)]
    fn clear(&self) -> NoContent {
        self.store.clear();
        NoContent
    }
}
