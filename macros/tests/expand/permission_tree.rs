//! All operators, a constructor call, a repeated leaf, and an expression of the action itself.

#[handler(user = (), permission = "IsAuthenticated & (Author | HasRole(\"editor\", 2)) & !Banned")]
impl Articles {
    #[action(permission = rules::Draft | Author & !rules::Locked)]
    async fn publish(&self) {}
}
