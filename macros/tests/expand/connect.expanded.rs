impl Chat {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn greet(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        self.lobby.enter(cx).await
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn part(&self) {
        self.lobby.leave();
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn resync(&self, cx: &Gap<'_, Self>) {
        self.lobby.resync(cx).await
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn ping(&self) {}
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    #[derive(__rt::QuotedPermission)]
    #[quoted(type __BlockLeaf0 = Banned;)]
    struct __BlockQuoted;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__BlockLeaf0>>::__ANSWER,
            "`Banned` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`Banned` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Not(&__rt::Expr::Leaf(0)),
        leaves: &["Banned"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Chat {
        type BlockUser = __User;
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Chat",
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
                    name: "ping",
                    permission: ::core::option::Option::None,
                    kept_leaves: 0,
                    headers: &[],
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
            Self::__portcullis_action_ping,
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
                        &[<__rt::LeafOptions<__BlockLeaf0, Self>>::__REEVALUATE],
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
                            _ => __rt::unknown_leaf(),
                        }
                    },
                )
                .await
        }
    }
    use __rt::UnsharedAction as _;
    impl Chat {
        #[doc(hidden)]
        fn __portcullis_action_ping<'__a>(
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
                let __output = Self::ping(__handler).await;
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
    #[derive(__rt::QuotedPermission)]
    #[quoted(type __ConnectLeaf0 = IsAuthenticated;)]
    struct __ConnectQuoted;
    static __CONNECT: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["IsAuthenticated"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "Chat";
        const CONNECT_PERMISSION: ::core::option::Option<&'static __rt::Expression> = ::core::option::Option::Some(
            &__CONNECT,
        );
        const CONNECT_HEADERS: __rt::LeafHeaders = &[
            <__rt::LeafOptions<__ConnectLeaf0, Self>>::__HEADERS,
            <__rt::RuleOptions<__ConnectLeaf0, Self>>::__HEADERS,
        ];
        async fn authorize_connect(
            &self,
            __cx: &__rt::ConnectContext<'_, Self::User>,
        ) -> __rt::Result<()> {
            let __handler = self;
            __rt::evaluate_connect(
                    __cx,
                    &__BLOCK,
                    move |__leaf| async move {
                        match __leaf {
                            0 => {
                                <__rt::LeafOptions<
                                    __BlockLeaf0,
                                    Self,
                                >>::__can_connect(&__BlockLeaf0 {}, __handler, __cx)
                                    .await
                            }
                            _ => __rt::unknown_leaf(),
                        }
                    },
                )
                .await?;
            __rt::SingleLeaf::finish(
                __rt::SingleLeaf::start_connect(__cx, &__CONNECT),
                match <__rt::LeafOptions<
                    __ConnectLeaf0,
                    Self,
                >>::__can_connect(&__ConnectLeaf0 {}, __handler, __cx)
                    .await
                {
                    ::core::result::Result::Ok(::core::option::Option::None) => {
                        ::core::result::Result::map(
                            <__ConnectLeaf0 as __rt::PermissionLeaf<
                                Self,
                                _,
                            >>::has_permission(
                                    &__ConnectLeaf0 {},
                                    __handler,
                                    &__rt::ConnectContext::as_context(__cx),
                                )
                                .await,
                            ::core::option::Option::Some,
                        )
                    }
                    __answer => __answer,
                },
                (),
            )
        }
        async fn on_connect(
            &self,
            __cx: &__rt::ConnectContext<'_, Self::User>,
        ) -> __rt::Result<()> {
            let __handler = self;
            let __output = Self::greet(__handler, __cx).await;
            __rt::HookOutcome::into_result(__output)
        }
        async fn on_disconnect(&self, __cx: &__rt::Disconnect<'_, Self::User>) {
            let __handler = self;
            Self::part(__handler)
        }
        const HANDLES_GAPS: ::core::primitive::bool = true;
        async fn on_gap(&self, __cx: &__rt::Gap<'_, Self>) {
            let __handler = self;
            Self::resync(__handler, __cx).await
        }
    }
    __rt::register!(Chat);
    const _: () = __rt::check_descriptor(
        <Chat as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
