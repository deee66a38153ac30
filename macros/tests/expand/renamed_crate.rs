//! The runtime under another name.

#[consumer(crate = crate::gate)]
impl Echo {
    #[crate::gate::action(permission = AllowAny)]
    fn echo(&self, text: String) -> String {
        text
    }
}
