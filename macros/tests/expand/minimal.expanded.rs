impl Echo {
    fn ping(&self) -> &'static str {
        "pong"
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __Action0Leaf0 = AllowAny;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        codenames: false,
    };
    #[automatically_derived]
    impl __rt::Handler for Echo {
        type User = ();
    }
    impl Echo {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl __rt::Dispatch for Echo {
        type Block = __rt::ConsumerBlock;
        const NODE: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Echo",
            permission: ::core::option::Option::None,
            inherited: false,
            needs: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "ping",
                    permission: ::core::option::Option::Some(&__ACTION0),
                    blocking: false,
                    detached: false,
                    needs: &[
                        __rt::CaptureUse {
                            by: "permission `AllowAny`",
                            captures: <__Action0Leaf0 as __rt::Permission<
                                Self,
                            >>::CAPTURES,
                        },
                    ],
                    keys: &[],
                },
            ],
            routes: &[],
        };
        const CALLS: &'static [__rt::ActionFn<Self>] = &[
            |__handler, __call, __admitted, __reply| __rt::Box::pin(async move {
                let __admitted = {
                    let mut __gate = __rt::Call::gate(__call, &__ACTION0);
                    while let ::core::option::Option::Some(__leaf) = __rt::Evaluation::next(
                        &mut __gate,
                    ) {
                        let __answer = match __leaf {
                            0 => {
                                <__Action0Leaf0 as __rt::Permission<
                                    Self,
                                >>::has_permission(
                                        &__Action0Leaf0 {},
                                        __handler,
                                        &__rt::Call::context(
                                            __call,
                                            <__Action0Leaf0 as __rt::Permission<Self>>::CAPTURES,
                                        ),
                                    )
                                    .await
                            }
                            _ => __rt::unknown_leaf(),
                        };
                        __rt::Evaluation::tell(&mut __gate, __answer)?;
                    }
                    __rt::Evaluation::finish(&__gate, __admitted)?
                };
                __rt::no_arguments(__call, &__admitted)?;
                __rt::start(__call)?;
                let __output = Self::ping(__handler);
                match __rt::returned(&__output).__settle(__output) {
                    ::core::result::Result::Ok(__output) => {
                        __rt::IntoReply::into_reply(__output, __reply)
                    }
                    ::core::result::Result::Err(__error) => {
                        ::core::result::Result::Err(::core::convert::Into::into(__error))
                    }
                }
            }),
        ];
    }
    #[automatically_derived]
    impl __rt::Consumer for Echo {
        const NAME: &'static ::core::primitive::str = "Echo";
    }
    __rt::register!(Echo);
    const _: () = __rt::check_node(<Echo as __rt::Dispatch>::NODE);
    const _: () = __rt::no_captures_here(
        "permission `AllowAny`",
        <__Action0Leaf0 as __rt::Permission<Echo>>::CAPTURES,
    );
};
