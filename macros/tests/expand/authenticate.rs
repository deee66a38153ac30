//! In-band authentication: `#[authenticate]` with arguments, and one without under a `cfg`.

#[consumer(user = Member, permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self) {}

    #[authenticate]
    async fn renew(
        &self,
        cx: &Context<'_, Member>,
        #[serde(rename = "jwt")] token: &str,
        #[serde(default = "forever")] days: u32,
    ) -> Result<Option<Member>> {
        self.sessions.of(token, cx.scope(), days).await
    }
}

#[consumer(permission = AllowAny)]
impl Feed {
    #[action]
    fn ping(&self) {}

    #[cfg(feature = "tokens")]
    #[authenticate]
    fn authenticate(&self) -> Result<Option<()>, Expired> {
        self.session.current()
    }
}
