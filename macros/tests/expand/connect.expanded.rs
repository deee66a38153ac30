impl Chat {
    async fn greet(&self, cx: &Connect<'_, Member>) -> Result<()> {
        self.lobby.enter(cx).await
    }
    fn part(&self) {
        self.lobby.leave();
    }
    async fn ping(&self) {}
}
#[allow(dead_code)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __BlockLeaf0 = Banned;
    type __ConnectLeaf0 = IsAuthenticated;
    #[automatically_derived]
    impl __rt::Handler for Chat {
        type User = Member;
    }
    impl Chat {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl __rt::Dispatch for Chat {
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Chat",
            permission: ::core::option::Option::None,
            is_inherited: false,
            capture_uses: &[],
            actions: &[],
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[];
    }
    #[automatically_derived]
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "Chat";
    }
};
::core::compile_error! {
    "`#[connect]` takes `&self` and optionally `cx: &ConnectContext<'_, Member>`"
}
