impl Echo {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn echo(&self, text: String) -> String {
        text
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use crate::gate::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = ();
    type __Action0Leaf0 = AllowAny;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Echo {
        type BlockUser = __User;
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Echo",
            permission: ::core::option::Option::None,
            kept_leaves: 0,
            headers: &[],
            is_inherited: false,
            capture_uses: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "echo",
                    permission: ::core::option::Option::Some(&__ACTION0),
                    kept_leaves: __rt::kept_leaves(
                        &[<__rt::LeafOptions<__Action0Leaf0, Self>>::__REEVALUATE],
                    ),
                    headers: &[
                        <__rt::LeafOptions<__Action0Leaf0, Self>>::__HEADERS,
                        <__rt::RuleOptions<__Action0Leaf0, Self>>::__HEADERS,
                    ],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: Self::__portcullis_streams_echo(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[],
                    message_keys: &["text"],
                },
            ],
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_echo,
        ];
    }
    use __rt::UnsharedAction as _;
    use __rt::FindReply as _;
    const _: fn(&__rt::ReplyValue<()>) = |reply| {
        let _ = reply.__reply();
    };
    impl Echo {
        #[doc(hidden)]
        fn __portcullis_action_echo<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, __User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                let __authorized = __rt::SingleLeaf::finish(
                    __rt::SingleLeaf::start(__call, &__ACTION0),
                    match __rt::kept_answer(
                        __call,
                        <__rt::LeafOptions<__Action0Leaf0, Self>>::__REEVALUATE,
                    ) {
                        ::core::option::Option::Some(__answer) => {
                            ::core::result::Result::Ok(__answer)
                        }
                        ::core::option::Option::None => {
                            __rt::keep_answer(
                                __call,
                                <__rt::LeafOptions<__Action0Leaf0, Self>>::__REEVALUATE,
                                <__Action0Leaf0 as __rt::PermissionLeaf<
                                    Self,
                                    _,
                                >>::has_permission(
                                        &__Action0Leaf0 {},
                                        __handler,
                                        &__rt::Call::permission_context(__call),
                                    )
                                    .await,
                            )
                        }
                    },
                    __authorized,
                )?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A0> {
                    text: __A0,
                }
                let __arguments: __Arguments<_> = __rt::read_arguments(
                    __call,
                    __authorized,
                )?;
                __rt::start_action(__call)?;
                let __output = Self::echo(
                    __handler,
                    <String as __rt::Argument<'_, _>>::into_parameter(__arguments.text),
                );
                match __rt::output_conversion(&__output).__into_result(__output) {
                    ::core::result::Result::Ok(__output) => {
                        __rt::IntoReply::into_reply(__output, __reply)
                    }
                    ::core::result::Result::Err(__error) => {
                        ::core::result::Result::Err(
                            __rt::error_conversion(&__error).__into_error(__error),
                        )
                    }
                }
            })
        }
        #[doc(hidden)]
        const fn __portcullis_streams_echo() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::output_conversion(
                            &Self::echo(
                                __rt::never_called(__never),
                                __rt::never_called(__never),
                            ),
                        )
                        .__value()
                        .__reply()
                },
            )
        }
    }
    #[automatically_derived]
    impl __rt::Consumer for Echo {
        const NAME: &'static ::core::primitive::str = "Echo";
    }
    __rt::register!(Echo);
    const _: () = __rt::check_descriptor(
        <Echo as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
