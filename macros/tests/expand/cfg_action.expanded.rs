impl Debug {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    #[cfg(feature = "debug")]
    async fn dump(&self) -> Dump {
        self.dump_all()
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn version(&self) -> u32 {
        3
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    #[cfg(feature = "debug")]
    fn traces(&self) -> &Traces {
        &self.traces
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
    #[cfg(feature = "debug")]
    type __Action0Leaf0 = Developer;
    #[cfg(feature = "debug")]
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["Developer"],
        has_codenames: false,
    };
    #[cfg(feature = "debug")]
    const _: () = {
        __rt::check_restricts(
            <__rt::ConstantAnswer<__Action0Leaf0>>::__ANSWER,
            "`Developer` is `AllowAny`, which has no effect, because the permission of the block must hold as well; remove it",
        );
    };
    #[cfg(feature = "debug")]
    type __Route0Leaf0 = Developer;
    #[cfg(feature = "debug")]
    static __ROUTE0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["Developer"],
        has_codenames: false,
    };
    use __rt::UnknownMount as _;
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Debug {
        type BlockUser = __User;
        type Block = __rt::HandlerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Debug",
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
                #[cfg(feature = "debug")]
                __rt::ActionDescriptor {
                    name: "dump",
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
                    is_stream: Self::__portcullis_streams_dump(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[],
                    message_keys: &[],
                },
                __rt::ActionDescriptor {
                    name: "version",
                    permission: ::core::option::Option::None,
                    kept_leaves: 0,
                    headers: &[],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: Self::__portcullis_streams_version(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[],
                    message_keys: &[],
                },
            ],
            routes: &[
                #[cfg(feature = "debug")]
                __rt::RouteDescriptor {
                    id: 0,
                    pattern: __rt::Pattern {
                        text: "traces/",
                        segments: &[__rt::Segment::Text("traces")],
                        has_trailing_slash: true,
                    },
                    permission: ::core::option::Option::Some(&__ROUTE0),
                    kept_leaves: __rt::kept_leaves(
                        &[<__rt::LeafOptions<__Route0Leaf0, Self>>::__REEVALUATE],
                    ),
                    headers: &[
                        <__rt::LeafOptions<__Route0Leaf0, Self>>::__HEADERS,
                        <__rt::RuleOptions<__Route0Leaf0, Self>>::__HEADERS,
                    ],
                    capture_uses: &[],
                    handler: <<Traces as __rt::HandlerOrConsumerBlock>::Block as __rt::Mountable<
                        Traces,
                        Self,
                    >>::DESCRIPTOR,
                },
            ],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            #[cfg(feature = "debug")]
            Self::__portcullis_action_dump,
            Self::__portcullis_action_version,
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
        async fn descend(
            &self,
            __route: ::core::primitive::u16,
            __traversal: &mut __rt::Traversal<'_, Self::User>,
            __authorized: __rt::Authorized,
        ) -> __rt::Result<()> {
            let __handler = self;
            match __route {
                #[cfg(feature = "debug")]
                0 => {
                    let __call = __rt::Traversal::call(__traversal);
                    let __authorized = __rt::SingleLeaf::finish(
                        __rt::SingleLeaf::start(__call, &__ROUTE0),
                        match __rt::kept_answer(
                            __call,
                            <__rt::LeafOptions<__Route0Leaf0, Self>>::__REEVALUATE,
                        ) {
                            ::core::option::Option::Some(__answer) => {
                                ::core::result::Result::Ok(__answer)
                            }
                            ::core::option::Option::None => {
                                __rt::keep_answer(
                                    __call,
                                    <__rt::LeafOptions<__Route0Leaf0, Self>>::__REEVALUATE,
                                    <__Route0Leaf0 as __rt::PermissionLeaf<
                                        Self,
                                        _,
                                    >>::has_permission(
                                            &__Route0Leaf0 {},
                                            __handler,
                                            &__rt::Call::permission_context(__call),
                                        )
                                        .await,
                                )
                            }
                        },
                        __authorized,
                    )?;
                    <__rt::Mount<
                        Traces,
                        Self,
                    >>::__enter(Self::traces(__handler), __traversal, __authorized)
                        .await
                }
                _ => __rt::unknown_route(),
            }
        }
    }
    use __rt::UnsharedAction as _;
    use __rt::FindReply as _;
    const _: fn(&__rt::ReplyValue<()>) = |reply| {
        let _ = reply.__reply();
    };
    impl Debug {
        #[cfg(feature = "debug")]
        #[doc(hidden)]
        fn __portcullis_action_dump<'__a>(
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
                __rt::check_execution(__call, &__authorized)?;
                __rt::start_action(__call)?;
                let __output = Self::dump(__handler).await;
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
        #[cfg(feature = "debug")]
        #[doc(hidden)]
        const fn __portcullis_streams_dump() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::future_output(&Self::dump(__rt::never_called(__never)))
                        .__value()
                        .__reply()
                },
            )
        }
        #[doc(hidden)]
        fn __portcullis_action_version<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, __User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                __rt::check_execution(__call, &__authorized)?;
                __rt::start_action(__call)?;
                let __output = Self::version(__handler).await;
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
        const fn __portcullis_streams_version() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::future_output(&Self::version(__rt::never_called(__never)))
                        .__value()
                        .__reply()
                },
            )
        }
    }
    const _: () = __rt::check_descriptor(
        <Debug as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
