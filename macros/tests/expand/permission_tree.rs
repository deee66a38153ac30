//! All operators, a constructor call, a leaf that stands twice, and an expression of the action's own.

#[handler(permission = "IsAuthenticated & (Author | HasRole(\"editor\", 2)) & !Banned")]
impl Articles {
    #[action(permission = rules::Draft | Author & !rules::Locked)]
    async fn publish(&self) {}
}
