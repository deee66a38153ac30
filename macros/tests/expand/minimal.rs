//! The least there is: one consumer, one action, open to everybody.

#[consumer]
impl Echo {
    #[action(permission = AllowAny)]
    fn ping(&self) -> &'static str {
        "pong"
    }
}
