//! A generic block, whose parameters permissions and arguments may name.

#[handler(user = P::User, permission = "May<P> & IsAuthenticated")]
impl<P: RoomPolicy, const LIMIT: usize> Rooms<P, LIMIT>
where
    P::Room: Clone,
{
    #[action]
    async fn send(&self, room: P::Room) -> Result<Sent> {
        self.policy.send(room).await
    }
}
