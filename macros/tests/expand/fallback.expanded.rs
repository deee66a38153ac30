impl Chat {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn ping(&self, text: String) -> String {
        text
    }
}
#[allow(dead_code)]
const _: () = {
    use ::portcullis::__private as __rt;
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Chat {
        type BlockUser = Member;
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Chat",
            permission: ::core::option::Option::None,
            kept_leaves: 0,
            headers: &[],
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
    "`ping` has no permission; write `#[action(permission = …)]` or `#[consumer(permission = …)]`, with `AllowAny` if every client may call it"
}
