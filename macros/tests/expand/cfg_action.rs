//! What is generated for an action comes and goes with it.

#[handler(permission = IsAuthenticated)]
impl Debug {
    #[cfg(feature = "debug")]
    #[action(permission = Developer)]
    async fn dump(&self) -> Dump {
        self.dump_all()
    }

    #[action]
    async fn version(&self) -> u32 {
        3
    }

    #[cfg(feature = "debug")]
    #[route("traces/", permission = Developer)]
    fn traces(&self) -> &Traces {
        &self.traces
    }
}
