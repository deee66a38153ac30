//! `Self` in the types of parameters means the type of the block.

#[handler(user = (), permission = IsAuthenticated)]
impl Votes {
    #[action]
    fn vote(&self, ballot: <Self as Election>::Ballot, #[path] round: <Self as Election>::Round) -> bool {
        self.count(ballot, round)
    }
}
