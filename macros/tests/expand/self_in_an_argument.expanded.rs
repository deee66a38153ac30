impl Votes {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn vote(
        &self,
        ballot: <Self as Election>::Ballot,
        round: <Self as Election>::Round,
    ) -> bool {
        self.count(ballot, round)
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = ();
    type __BlockLeaf0 = IsAuthenticated;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["IsAuthenticated"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Votes {
        type BlockUser = __User;
        type Block = __rt::HandlerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Votes",
            permission: ::core::option::Option::Some(&__BLOCK),
            kept_leaves: __rt::kept_leaves(
                &[<__rt::LeafOptions<__BlockLeaf0, Self>>::__REEVALUATE],
            ),
            headers: &[
                <__rt::LeafOptions<__BlockLeaf0, Self>>::__HEADERS,
                <__rt::RuleOptions<__BlockLeaf0, Self>>::__HEADERS,
            ],
            is_inherited: false,
            capture_uses: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "vote",
                    permission: ::core::option::Option::None,
                    kept_leaves: 0,
                    headers: &[],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: Self::__portcullis_streams_vote(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[
                        __rt::CaptureUse {
                            reader: "action `vote`",
                            captures: &["round"],
                        },
                    ],
                    message_keys: &["ballot"],
                },
            ],
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_vote,
        ];
        async fn authorize(
            &self,
            __call: &__rt::Call<'_, Self::User>,
            __authorized: __rt::Authorized,
        ) -> __rt::Result<__rt::Authorized> {
            let __handler = self;
            __rt::SingleLeaf::finish(
                __rt::SingleLeaf::start(__call, &__BLOCK),
                match __rt::kept_answer(
                    __call,
                    <__rt::LeafOptions<__BlockLeaf0, Self>>::__REEVALUATE,
                ) {
                    ::core::option::Option::Some(__answer) => {
                        ::core::result::Result::Ok(__answer)
                    }
                    ::core::option::Option::None => {
                        __rt::keep_answer(
                            __call,
                            <__rt::LeafOptions<__BlockLeaf0, Self>>::__REEVALUATE,
                            <__BlockLeaf0 as __rt::PermissionLeaf<
                                Self,
                                _,
                            >>::has_permission(
                                    &__BlockLeaf0 {},
                                    __handler,
                                    &__rt::Call::permission_context(__call),
                                )
                                .await,
                        )
                    }
                },
                __authorized,
            )
        }
    }
    use __rt::UnsharedAction as _;
    use __rt::FindReply as _;
    const _: fn(&__rt::ReplyValue<()>) = |reply| {
        let _ = reply.__reply();
    };
    impl Votes {
        #[doc(hidden)]
        fn __portcullis_action_vote<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, __User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                let __p1: <Self as Election>::Round = __rt::read_capture::<
                    <Self as Election>::Round,
                    _,
                >(__call, "round")?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A0> {
                    ballot: __A0,
                }
                let __arguments: __Arguments<_> = __rt::read_arguments(
                    __call,
                    __authorized,
                )?;
                __rt::start_action(__call)?;
                let __output = Self::vote(
                    __handler,
                    <<Self as Election>::Ballot as __rt::Argument<
                        '_,
                        _,
                    >>::into_parameter(__arguments.ballot),
                    __p1,
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
        const fn __portcullis_streams_vote() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::output_conversion(
                            &Self::vote(
                                __rt::never_called(__never),
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
    const _: () = __rt::check_descriptor(
        <Votes as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
