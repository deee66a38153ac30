impl Articles {
    async fn publish(&self) {}
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __BlockLeaf0 = IsAuthenticated;
    type __BlockLeaf1 = Author;
    type __BlockLeaf2 = HasRole;
    type __BlockLeaf3 = Banned;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::All(
            &[
                __rt::Expr::Leaf(0),
                __rt::Expr::Any(&[__rt::Expr::Leaf(1), __rt::Expr::Leaf(2)]),
                __rt::Expr::Not(&__rt::Expr::Leaf(3)),
            ],
        ),
        leaves: &["IsAuthenticated", "Author", "HasRole(\"editor\", 2)", "Banned"],
        codenames: false,
    };
    type __Action0Leaf0 = rules::Draft;
    type __Action0Leaf1 = Author;
    type __Action0Leaf2 = rules::Locked;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Any(
            &[
                __rt::Expr::Leaf(0),
                __rt::Expr::All(
                    &[__rt::Expr::Leaf(1), __rt::Expr::Not(&__rt::Expr::Leaf(2))],
                ),
            ],
        ),
        leaves: &["rules::Draft", "Author", "rules::Locked"],
        codenames: false,
    };
    #[automatically_derived]
    impl __rt::Handler for Articles {
        type User = ();
    }
    impl Articles {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl __rt::Dispatch for Articles {
        type Block = __rt::HandlerBlock;
        const NODE: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Articles",
            permission: ::core::option::Option::Some(&__BLOCK),
            inherited: false,
            needs: &[
                __rt::CaptureUse {
                    by: "permission `IsAuthenticated`",
                    captures: <__BlockLeaf0 as __rt::Permission<Self>>::CAPTURES,
                },
                __rt::CaptureUse {
                    by: "permission `Author`",
                    captures: <__BlockLeaf1 as __rt::Permission<Self>>::CAPTURES,
                },
                __rt::CaptureUse {
                    by: "permission `HasRole(\"editor\", 2)`",
                    captures: <__BlockLeaf2 as __rt::Permission<Self>>::CAPTURES,
                },
                __rt::CaptureUse {
                    by: "permission `Banned`",
                    captures: <__BlockLeaf3 as __rt::Permission<Self>>::CAPTURES,
                },
            ],
            actions: &[
                __rt::ActionDescriptor {
                    name: "publish",
                    permission: ::core::option::Option::Some(&__ACTION0),
                    blocking: false,
                    detached: false,
                    needs: &[
                        __rt::CaptureUse {
                            by: "permission `rules::Draft`",
                            captures: <__Action0Leaf0 as __rt::Permission<
                                Self,
                            >>::CAPTURES,
                        },
                        __rt::CaptureUse {
                            by: "permission `Author`",
                            captures: <__Action0Leaf1 as __rt::Permission<
                                Self,
                            >>::CAPTURES,
                        },
                        __rt::CaptureUse {
                            by: "permission `rules::Locked`",
                            captures: <__Action0Leaf2 as __rt::Permission<
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
                            1 => {
                                <__Action0Leaf1 as __rt::Permission<
                                    Self,
                                >>::has_permission(
                                        &__Action0Leaf1 {},
                                        __handler,
                                        &__rt::Call::context(
                                            __call,
                                            <__Action0Leaf1 as __rt::Permission<Self>>::CAPTURES,
                                        ),
                                    )
                                    .await
                            }
                            2 => {
                                <__Action0Leaf2 as __rt::Permission<
                                    Self,
                                >>::has_permission(
                                        &__Action0Leaf2 {},
                                        __handler,
                                        &__rt::Call::context(
                                            __call,
                                            <__Action0Leaf2 as __rt::Permission<Self>>::CAPTURES,
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
                let __output = Self::publish(__handler).await;
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
                    1 => {
                        <__BlockLeaf1 as __rt::Permission<
                            Self,
                        >>::has_permission(
                                &__BlockLeaf1 {},
                                __handler,
                                &__rt::Call::context(
                                    __call,
                                    <__BlockLeaf1 as __rt::Permission<Self>>::CAPTURES,
                                ),
                            )
                            .await
                    }
                    2 => {
                        <__BlockLeaf2 as __rt::Permission<
                            Self,
                        >>::has_permission(
                                &__BlockLeaf2 { 0: "editor", 1: 2 },
                                __handler,
                                &__rt::Call::context(
                                    __call,
                                    <__BlockLeaf2 as __rt::Permission<Self>>::CAPTURES,
                                ),
                            )
                            .await
                    }
                    3 => {
                        <__BlockLeaf3 as __rt::Permission<
                            Self,
                        >>::has_permission(
                                &__BlockLeaf3 {},
                                __handler,
                                &__rt::Call::context(
                                    __call,
                                    <__BlockLeaf3 as __rt::Permission<Self>>::CAPTURES,
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
    }
    const _: () = __rt::check_node(<Articles as __rt::Dispatch>::NODE);
};
