//! The generated code of an action has the same `cfg` as its method.

#[handler(user = (), permission = IsAuthenticated)]
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
