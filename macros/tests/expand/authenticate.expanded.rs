impl Chat {
    async fn ping(&self) {}
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
    type __BlockLeaf0 = AllowAny;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        codenames: false,
    };
    #[automatically_derived]
    impl __rt::Handler for Chat {
        type User = Member;
    }
    impl Chat {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl __rt::Dispatch for Chat {
        type Block = __rt::ConsumerBlock;
        const NODE: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Chat",
            permission: ::core::option::Option::Some(&__BLOCK),
            inherited: false,
            needs: &[
                __rt::CaptureUse {
                    by: "permission `AllowAny`",
                    captures: <__BlockLeaf0 as __rt::Permission<Self>>::CAPTURES,
                },
            ],
            actions: &[
                __rt::ActionDescriptor {
                    name: "ping",
                    permission: ::core::option::Option::None,
                    blocking: false,
                    detached: false,
                    needs: &[],
                    keys: &[],
                },
            ],
            routes: &[],
        };
        const CALLS: &'static [__rt::ActionFn<Self>] = &[
            |__handler, __call, __admitted, __reply| __rt::Box::pin(async move {
                __rt::no_arguments(__call, &__admitted)?;
                __rt::start(__call)?;
                let __output = Self::ping(__handler).await;
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
    }
    #[automatically_derived]
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "Chat";
        async fn may_connect(
            &self,
            __cx: &__rt::ConnectContext<'_, Self::User>,
        ) -> __rt::Result<()> {
            let __handler = self;
            let mut __gate = __rt::ConnectContext::gate(__cx, &__BLOCK);
            while let ::core::option::Option::Some(__leaf) = __rt::Evaluation::next(
                &mut __gate,
            ) {
                let __answer = match __leaf {
                    0 => {
                        <__BlockLeaf0 as __rt::Permission<
                            Self,
                        >>::can_connect(&__BlockLeaf0 {}, __handler, __cx)
                            .await
                    }
                    _ => __rt::unknown_leaf(),
                };
                __rt::Evaluation::tell(&mut __gate, __answer)?;
            }
            __rt::Evaluation::finish_connect(&__gate)
        }
        const AUTHENTICATES: ::core::primitive::bool = true;
        async fn authenticate(
            &self,
            __call: &__rt::Call<'_, Self::User>,
            __admitted: __rt::Authorized,
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
            let __arguments: __Arguments<_> = __rt::arguments(__call, __admitted)?;
            let __output = Self::renew(
                    __handler,
                    &__rt::Call::<
                        '_,
                        <Self as __rt::Handler>::User,
                    >::whole_context(__call),
                    <&str as __rt::Argument<'_, _>>::take(__arguments.token),
                    __arguments.days,
                )
                .await;
            __rt::Identity::<<Self as __rt::Handler>::User>::identity(__output)
        }
    }
    __rt::register!(Chat);
    const _: () = __rt::check_node(<Chat as __rt::Dispatch>::NODE);
    const _: () = __rt::no_captures_here(
        "permission `AllowAny`",
        <__BlockLeaf0 as __rt::Permission<Chat>>::CAPTURES,
    );
};
impl Feed {
    fn ping(&self) {}
    #[cfg(feature = "tokens")]
    fn authenticate(&self) -> Result<Option<()>, Expired> {
        self.session.current()
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __BlockLeaf0 = AllowAny;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        codenames: false,
    };
    #[automatically_derived]
    impl __rt::Handler for Feed {
        type User = ();
    }
    impl Feed {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl __rt::Dispatch for Feed {
        type Block = __rt::ConsumerBlock;
        const NODE: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Feed",
            permission: ::core::option::Option::Some(&__BLOCK),
            inherited: false,
            needs: &[
                __rt::CaptureUse {
                    by: "permission `AllowAny`",
                    captures: <__BlockLeaf0 as __rt::Permission<Self>>::CAPTURES,
                },
            ],
            actions: &[
                __rt::ActionDescriptor {
                    name: "ping",
                    permission: ::core::option::Option::None,
                    blocking: false,
                    detached: false,
                    needs: &[],
                    keys: &[],
                },
            ],
            routes: &[],
        };
        const CALLS: &'static [__rt::ActionFn<Self>] = &[
            |__handler, __call, __admitted, __reply| __rt::Box::pin(async move {
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
    }
    #[automatically_derived]
    impl __rt::Consumer for Feed {
        const NAME: &'static ::core::primitive::str = "Feed";
        async fn may_connect(
            &self,
            __cx: &__rt::ConnectContext<'_, Self::User>,
        ) -> __rt::Result<()> {
            let __handler = self;
            let mut __gate = __rt::ConnectContext::gate(__cx, &__BLOCK);
            while let ::core::option::Option::Some(__leaf) = __rt::Evaluation::next(
                &mut __gate,
            ) {
                let __answer = match __leaf {
                    0 => {
                        <__BlockLeaf0 as __rt::Permission<
                            Self,
                        >>::can_connect(&__BlockLeaf0 {}, __handler, __cx)
                            .await
                    }
                    _ => __rt::unknown_leaf(),
                };
                __rt::Evaluation::tell(&mut __gate, __answer)?;
            }
            __rt::Evaluation::finish_connect(&__gate)
        }
        #[cfg(feature = "tokens")]
        const AUTHENTICATES: ::core::primitive::bool = true;
        #[cfg(feature = "tokens")]
        async fn authenticate(
            &self,
            __call: &__rt::Call<'_, Self::User>,
            __admitted: __rt::Authorized,
        ) -> __rt::Result<::core::option::Option<Self::User>> {
            let __handler = self;
            __rt::no_arguments(__call, &__admitted)?;
            let __output = Self::authenticate(__handler);
            __rt::Identity::<<Self as __rt::Handler>::User>::identity(__output)
        }
    }
    __rt::register!(Feed);
    const _: () = __rt::check_node(<Feed as __rt::Dispatch>::NODE);
    const _: () = __rt::no_captures_here(
        "permission `AllowAny`",
        <__BlockLeaf0 as __rt::Permission<Feed>>::CAPTURES,
    );
};
