impl Debug {
    #[cfg(feature = "debug")]
    async fn dump(&self) -> Dump {
        self.dump_all()
    }
    async fn version(&self) -> u32 {
        3
    }
    #[cfg(feature = "debug")]
    fn traces(&self) -> &Traces {
        &self.traces
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __BlockLeaf0 = IsAuthenticated;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["IsAuthenticated"],
        codenames: false,
    };
    #[cfg(feature = "debug")]
    type __Action0Leaf0 = Developer;
    #[cfg(feature = "debug")]
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["Developer"],
        codenames: false,
    };
    #[cfg(feature = "debug")]
    type __Route0Leaf0 = Developer;
    #[cfg(feature = "debug")]
    static __ROUTE0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["Developer"],
        codenames: false,
    };
    #[automatically_derived]
    impl __rt::Handler for Debug {
        type User = ();
    }
    impl Debug {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl __rt::Dispatch for Debug {
        type Block = __rt::HandlerBlock;
        const NODE: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Debug",
            permission: ::core::option::Option::Some(&__BLOCK),
            inherited: false,
            needs: &[
                __rt::CaptureUse {
                    by: "permission `IsAuthenticated`",
                    captures: <__BlockLeaf0 as __rt::Permission<Self>>::CAPTURES,
                },
            ],
            actions: &[
                #[cfg(feature = "debug")]
                __rt::ActionDescriptor {
                    name: "dump",
                    permission: ::core::option::Option::Some(&__ACTION0),
                    blocking: false,
                    detached: false,
                    needs: &[
                        __rt::CaptureUse {
                            by: "permission `Developer`",
                            captures: <__Action0Leaf0 as __rt::Permission<
                                Self,
                            >>::CAPTURES,
                        },
                    ],
                    keys: &[],
                },
                __rt::ActionDescriptor {
                    name: "version",
                    permission: ::core::option::Option::None,
                    blocking: false,
                    detached: false,
                    needs: &[],
                    keys: &[],
                },
            ],
            routes: &[
                #[cfg(feature = "debug")]
                __rt::RouteDescriptor {
                    id: 0,
                    pattern: __rt::Pattern {
                        text: "traces/",
                        segments: &[__rt::Segment::Text("traces")],
                        slash: true,
                    },
                    permission: ::core::option::Option::Some(&__ROUTE0),
                    needs: &[
                        __rt::CaptureUse {
                            by: "permission `Developer`",
                            captures: <__Route0Leaf0 as __rt::Permission<Self>>::CAPTURES,
                        },
                    ],
                    node: <<Traces as __rt::Dispatch>::Block as __rt::Mountable<
                        Traces,
                    >>::NODE,
                },
            ],
        };
        const CALLS: &'static [__rt::ActionFn<Self>] = &[
            #[cfg(feature = "debug")]
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
                let __output = Self::dump(__handler).await;
                match __rt::returned(&__output).__settle(__output) {
                    ::core::result::Result::Ok(__output) => {
                        __rt::IntoReply::into_reply(__output, __reply)
                    }
                    ::core::result::Result::Err(__error) => {
                        ::core::result::Result::Err(::core::convert::Into::into(__error))
                    }
                }
            }),
            |__handler, __call, __admitted, __reply| __rt::Box::pin(async move {
                __rt::no_arguments(__call, &__admitted)?;
                __rt::start(__call)?;
                let __output = Self::version(__handler).await;
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
        async fn admit(
            &self,
            __call: &__rt::Call<'_, Self::User>,
            __admitted: __rt::Authorized,
        ) -> __rt::Result<__rt::Authorized> {
            let __handler = self;
            let mut __gate = __rt::Call::gate(__call, &__BLOCK);
            while let ::core::option::Option::Some(__leaf) = __rt::Evaluation::next(
                &mut __gate,
            ) {
                let __answer = match __leaf {
                    0 => {
                        <__BlockLeaf0 as __rt::Permission<
                            Self,
                        >>::has_permission(
                                &__BlockLeaf0 {},
                                __handler,
                                &__rt::Call::context(
                                    __call,
                                    <__BlockLeaf0 as __rt::Permission<Self>>::CAPTURES,
                                ),
                            )
                            .await
                    }
                    _ => __rt::unknown_leaf(),
                };
                __rt::Evaluation::tell(&mut __gate, __answer)?;
            }
            __rt::Evaluation::finish(&__gate, __admitted)
        }
        async fn descend(
            &self,
            __route: ::core::primitive::u16,
            __walk: &mut __rt::Traversal<'_, Self::User>,
            __admitted: __rt::Authorized,
        ) -> __rt::Result<()> {
            let __handler = self;
            match __route {
                #[cfg(feature = "debug")]
                0 => {
                    let __call = __rt::Traversal::call(__walk);
                    let __admitted = {
                        let mut __gate = __rt::Call::gate(__call, &__ROUTE0);
                        while let ::core::option::Option::Some(__leaf) = __rt::Evaluation::next(
                            &mut __gate,
                        ) {
                            let __answer = match __leaf {
                                0 => {
                                    <__Route0Leaf0 as __rt::Permission<
                                        Self,
                                    >>::has_permission(
                                            &__Route0Leaf0 {},
                                            __handler,
                                            &__rt::Call::context(
                                                __call,
                                                <__Route0Leaf0 as __rt::Permission<Self>>::CAPTURES,
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
                    <Traces as __rt::Dispatch>::enter::<
                        Self,
                    >(Self::traces(__handler), __walk, __admitted)
                        .await
                }
                _ => __rt::unknown_route(),
            }
        }
    }
    const _: () = __rt::check_node(<Debug as __rt::Dispatch>::NODE);
};
