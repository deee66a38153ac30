//! The runtime under another crate name.

#[consumer(crate = crate::gate)]
impl Echo {
    #[crate::gate::action(permission = AllowAny)]
    fn echo(&self, text: String) -> String {
        text
    }
}
