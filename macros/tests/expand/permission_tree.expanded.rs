impl Articles {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn publish(&self) {}
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = ();
    #[derive(__rt::QuotedPermission)]
    #[quoted(
        type
        __BlockLeaf0 = IsAuthenticated;type
        __BlockLeaf1 = Author;type
        __BlockLeaf2 = HasRole;fn
        __block_leaf2()->__BlockLeaf2{__BlockLeaf2{0:"editor",
        1:2}}type
        __BlockLeaf3 = Banned;
    )]
    struct __BlockQuoted;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__BlockLeaf0>>::__ANSWER,
            "`IsAuthenticated` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`IsAuthenticated` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__BlockLeaf1>>::__ANSWER,
            "`Author` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`Author` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__BlockLeaf2>>::__ANSWER,
            "`HasRole(\"editor\", 2)` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`HasRole(\"editor\", 2)` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__BlockLeaf3>>::__ANSWER,
            "`Banned` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`Banned` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::All(
            &[
                __rt::Expr::Leaf(0),
                __rt::Expr::Any(&[__rt::Expr::Leaf(1), __rt::Expr::Leaf(2)]),
                __rt::Expr::Not(&__rt::Expr::Leaf(3)),
            ],
        ),
        leaves: &["IsAuthenticated", "Author", "HasRole(\"editor\", 2)", "Banned"],
        has_codenames: false,
    };
    type __Action0Leaf0 = rules::Draft;
    type __Action0Leaf1 = Author;
    type __Action0Leaf2 = rules::Locked;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__Action0Leaf0>>::__ANSWER,
            "`rules::Draft` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`rules::Draft` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__Action0Leaf1>>::__ANSWER,
            "`Author` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`Author` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__Action0Leaf2>>::__ANSWER,
            "`rules::Locked` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`rules::Locked` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
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
        has_codenames: false,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Articles {
        type BlockUser = __User;
        type Block = __rt::HandlerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Articles",
            permission: ::core::option::Option::Some(&__BLOCK),
            kept_leaves: __rt::kept_leaves(
                &[
                    <__rt::LeafOptions<__BlockLeaf0, Self>>::__REEVALUATE,
                    <__rt::LeafOptions<__BlockLeaf1, Self>>::__REEVALUATE,
                    <__rt::LeafOptions<__BlockLeaf2, Self>>::__REEVALUATE,
                    <__rt::LeafOptions<__BlockLeaf3, Self>>::__REEVALUATE,
                ],
            ),
            headers: &[
                <__rt::LeafOptions<__BlockLeaf0, Self>>::__HEADERS,
                <__rt::RuleOptions<__BlockLeaf0, Self>>::__HEADERS,
                <__rt::LeafOptions<__BlockLeaf1, Self>>::__HEADERS,
                <__rt::RuleOptions<__BlockLeaf1, Self>>::__HEADERS,
                <__rt::LeafOptions<__BlockLeaf2, Self>>::__HEADERS,
                <__rt::RuleOptions<__BlockLeaf2, Self>>::__HEADERS,
                <__rt::LeafOptions<__BlockLeaf3, Self>>::__HEADERS,
                <__rt::RuleOptions<__BlockLeaf3, Self>>::__HEADERS,
            ],
            is_inherited: false,
            capture_uses: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "publish",
                    permission: ::core::option::Option::Some(&__ACTION0),
                    kept_leaves: __rt::kept_leaves(
                        &[
                            <__rt::LeafOptions<__Action0Leaf0, Self>>::__REEVALUATE,
                            <__rt::LeafOptions<__Action0Leaf1, Self>>::__REEVALUATE,
                            <__rt::LeafOptions<__Action0Leaf2, Self>>::__REEVALUATE,
                        ],
                    ),
                    headers: &[
                        <__rt::LeafOptions<__Action0Leaf0, Self>>::__HEADERS,
                        <__rt::RuleOptions<__Action0Leaf0, Self>>::__HEADERS,
                        <__rt::LeafOptions<__Action0Leaf1, Self>>::__HEADERS,
                        <__rt::RuleOptions<__Action0Leaf1, Self>>::__HEADERS,
                        <__rt::LeafOptions<__Action0Leaf2, Self>>::__HEADERS,
                        <__rt::RuleOptions<__Action0Leaf2, Self>>::__HEADERS,
                    ],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: false,
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[],
                    message_keys: &[],
                },
            ],
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_publish,
        ];
        async fn authorize(
            &self,
            __call: &__rt::Call<'_, Self::User>,
            __authorized: __rt::Authorized,
        ) -> __rt::Result<__rt::Authorized> {
            let __handler = self;
            __rt::evaluate(
                    __call,
                    &__BLOCK,
                    __rt::kept_leaves(
                        &[
                            <__rt::LeafOptions<__BlockLeaf0, Self>>::__REEVALUATE,
                            <__rt::LeafOptions<__BlockLeaf1, Self>>::__REEVALUATE,
                            <__rt::LeafOptions<__BlockLeaf2, Self>>::__REEVALUATE,
                            <__rt::LeafOptions<__BlockLeaf3, Self>>::__REEVALUATE,
                        ],
                    ),
                    __authorized,
                    move |__leaf| async move {
                        match __leaf {
                            0 => {
                                <__BlockLeaf0 as __rt::PermissionLeaf<
                                    Self,
                                    _,
                                >>::has_permission(
                                        &__BlockLeaf0 {},
                                        __handler,
                                        &__rt::Call::permission_context(__call),
                                    )
                                    .await
                            }
                            1 => {
                                <__BlockLeaf1 as __rt::PermissionLeaf<
                                    Self,
                                    _,
                                >>::has_permission(
                                        &__BlockLeaf1 {},
                                        __handler,
                                        &__rt::Call::permission_context(__call),
                                    )
                                    .await
                            }
                            2 => {
                                <__BlockLeaf2 as __rt::PermissionLeaf<
                                    Self,
                                    _,
                                >>::has_permission(
                                        &__block_leaf2(),
                                        __handler,
                                        &__rt::Call::permission_context(__call),
                                    )
                                    .await
                            }
                            3 => {
                                <__BlockLeaf3 as __rt::PermissionLeaf<
                                    Self,
                                    _,
                                >>::has_permission(
                                        &__BlockLeaf3 {},
                                        __handler,
                                        &__rt::Call::permission_context(__call),
                                    )
                                    .await
                            }
                            _ => __rt::unknown_leaf(),
                        }
                    },
                )
                .await
        }
    }
    use __rt::UnsharedAction as _;
    impl Articles {
        #[doc(hidden)]
        fn __portcullis_action_publish<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, __User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                let __authorized = __rt::evaluate(
                        __call,
                        &__ACTION0,
                        __rt::kept_leaves(
                            &[
                                <__rt::LeafOptions<__Action0Leaf0, Self>>::__REEVALUATE,
                                <__rt::LeafOptions<__Action0Leaf1, Self>>::__REEVALUATE,
                                <__rt::LeafOptions<__Action0Leaf2, Self>>::__REEVALUATE,
                            ],
                        ),
                        __authorized,
                        move |__leaf| async move {
                            match __leaf {
                                0 => {
                                    <__Action0Leaf0 as __rt::PermissionLeaf<
                                        Self,
                                        _,
                                    >>::has_permission(
                                            &__Action0Leaf0 {},
                                            __handler,
                                            &__rt::Call::permission_context(__call),
                                        )
                                        .await
                                }
                                1 => {
                                    <__Action0Leaf1 as __rt::PermissionLeaf<
                                        Self,
                                        _,
                                    >>::has_permission(
                                            &__Action0Leaf1 {},
                                            __handler,
                                            &__rt::Call::permission_context(__call),
                                        )
                                        .await
                                }
                                2 => {
                                    <__Action0Leaf2 as __rt::PermissionLeaf<
                                        Self,
                                        _,
                                    >>::has_permission(
                                            &__Action0Leaf2 {},
                                            __handler,
                                            &__rt::Call::permission_context(__call),
                                        )
                                        .await
                                }
                                _ => __rt::unknown_leaf(),
                            }
                        },
                    )
                    .await?;
                __rt::check_execution(__call, &__authorized)?;
                __rt::start_action(__call)?;
                let __output = Self::publish(__handler).await;
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
    }
    const _: () = __rt::check_descriptor(
        <Articles as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
