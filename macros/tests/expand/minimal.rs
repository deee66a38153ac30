//! The minimal consumer: one public action.

#[consumer]
impl Echo {
    #[action(permission = AllowAny)]
    fn ping(&self) -> &'static str {
        "pong"
    }
}
