//! The door of a consumer: its permission, the strict expression, and what runs once per socket.

#[consumer(user = Member, permission = "!Banned", connect = "IsAuthenticated")]
impl Chat {
    #[connect]
    async fn greet(&self, cx: &Connect<'_, Member>) -> Result<()> {
        self.lobby.enter(cx).await
    }

    #[disconnect]
    fn part(&self) {
        self.lobby.leave();
    }

    #[action]
    async fn ping(&self) {}
}
