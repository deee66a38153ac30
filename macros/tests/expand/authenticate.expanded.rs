impl Chat {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn ping(&self) {}
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn renew(
        &self,
        cx: &Context<'_, Member>,
        token: &str,
        days: u32,
    ) -> Result<Option<Member>> {
        self.sessions.of(token, cx.scope(), days).await
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    type __BlockLeaf0 = AllowAny;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
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
    #[automatically_derived]
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "Chat";
        async fn authorize_connect(
            &self,
            __cx: &__rt::ConnectContext<'_, Self::User>,
        ) -> __rt::Result<()> {
            let __handler = self;
            __rt::SingleLeaf::finish_connect(
                __rt::SingleLeaf::start_connect(__cx, &__BLOCK),
                <__rt::LeafOptions<
                    __BlockLeaf0,
                    Self,
                >>::__can_connect(&__BlockLeaf0 {}, __handler, __cx)
                    .await,
            )
        }
        const AUTHENTICATES: ::core::primitive::bool = true;
        async fn authenticate(
            &self,
            __call: &__rt::Call<'_, Self::User>,
            __authorized: __rt::Authorized,
        ) -> __rt::Result<::core::option::Option<Self::User>> {
            let __handler = self;
            #[derive(__rt::serde::Deserialize)]
            #[serde(crate = "__rt::serde")]
            struct __Arguments<__A1> {
                #[serde(rename = "jwt")]
                token: __A1,
                #[serde(default = "forever")]
                days: u32,
            }
            let __arguments: __Arguments<_> = __rt::read_arguments(
                __call,
                __authorized,
            )?;
            let __output = Self::renew(
                    __handler,
                    &__rt::Call::<
                        '_,
                        <Self as __rt::Handler>::User,
                    >::whole_context(__call),
                    <&str as __rt::Argument<'_, _>>::into_parameter(__arguments.token),
                    __arguments.days,
                )
                .await;
            __rt::Identity::<<Self as __rt::Handler>::User>::into_identity(__output)
        }
    }
    __rt::register!(Chat);
    const _: () = __rt::check_descriptor(
        <Chat as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
impl Feed {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn ping(&self) {}
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    #[cfg(feature = "tokens")]
    fn authenticate(&self) -> Result<Option<()>, Expired> {
        self.session.current()
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = ();
    type __BlockLeaf0 = AllowAny;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Feed {
        type BlockUser = __User;
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Feed",
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
    impl Feed {
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
                let __output = Self::ping(__handler);
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
    #[automatically_derived]
    impl __rt::Consumer for Feed {
        const NAME: &'static ::core::primitive::str = "Feed";
        async fn authorize_connect(
            &self,
            __cx: &__rt::ConnectContext<'_, Self::User>,
        ) -> __rt::Result<()> {
            let __handler = self;
            __rt::SingleLeaf::finish_connect(
                __rt::SingleLeaf::start_connect(__cx, &__BLOCK),
                <__rt::LeafOptions<
                    __BlockLeaf0,
                    Self,
                >>::__can_connect(&__BlockLeaf0 {}, __handler, __cx)
                    .await,
            )
        }
        #[cfg(feature = "tokens")]
        const AUTHENTICATES: ::core::primitive::bool = true;
        #[cfg(feature = "tokens")]
        async fn authenticate(
            &self,
            __call: &__rt::Call<'_, Self::User>,
            __authorized: __rt::Authorized,
        ) -> __rt::Result<::core::option::Option<Self::User>> {
            let __handler = self;
            __rt::check_execution(__call, &__authorized)?;
            let __output = Self::authenticate(__handler);
            __rt::Identity::<<Self as __rt::Handler>::User>::into_identity(__output)
        }
    }
    __rt::register!(Feed);
    const _: () = __rt::check_descriptor(
        <Feed as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
