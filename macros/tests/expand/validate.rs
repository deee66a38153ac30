//! Validation of all arguments, and of one beside an object.

#[handler(user = Member, permission = AllowAny)]
impl Notes {
    #[action(validate)]
    async fn add(&self, #[serde(rename = "type")] kind: Option<Kind>, #[path] folder: u64, draft: Draft) -> u64 {
        self.add_to(folder, kind, draft).await
    }

    #[action(permission = "Author(note)", validate(draft))]
    fn replace(&self, note: Object<Note>, draft: Draft, pinned: bool) {
        self.replace_now(note, draft, pinned)
    }
}
