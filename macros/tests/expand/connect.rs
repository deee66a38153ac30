//! A consumer's connect phase: its permission, the strict expression, and the hooks that run once per connection.

#[consumer(user = Member, permission = "!Banned", connect = "IsAuthenticated")]
impl Chat {
    #[connect]
    async fn greet(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        self.lobby.enter(cx).await
    }

    #[disconnect]
    fn part(&self) {
        self.lobby.leave();
    }

    #[gap]
    async fn resync(&self, cx: &Gap<'_, Self>) {
        self.lobby.resync(cx).await
    }

    #[action]
    async fn ping(&self) {}
}
