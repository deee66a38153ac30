//! Actions with a rate: with a burst, under the permission of the block alone, and about an object.

#[handler(user = Member, permission = "IsAuthenticated")]
impl Notes {
    #[action(rate = "10/s", burst = 20)]
    async fn list(&self) -> Vec<Note> {
        self.store.all().await
    }

    #[action(permission = "Author(note) & IsEditor", rate = "5/h")]
    async fn delete(&self, note: Object<Note>) -> NoContent {
        self.store.delete(note).await
    }
}
