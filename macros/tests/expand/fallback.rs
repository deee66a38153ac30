//! A block with a mistake: the item comes back whole, with the error and impls that serve nothing.

#[consumer(user = Member)]
impl Chat {
    #[action]
    async fn ping(&self, #[serde(default)] text: String) -> String {
        text
    }
}
