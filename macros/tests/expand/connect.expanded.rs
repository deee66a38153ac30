impl Chat {
    async fn greet(&self, cx: &Connect<'_, Member>) -> Result<()> {
        self.lobby.enter(cx).await
    }
    fn part(&self) {
        self.lobby.leave();
    }
    async fn ping(&self) {}
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __BlockLeaf0 = Banned;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Not(&__rt::Expr::Leaf(0)),
        leaves: &["Banned"],
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
                    by: "permission `Banned`",
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
    type __ConnectLeaf0 = IsAuthenticated;
    static __CONNECT: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["IsAuthenticated"],
        codenames: false,
    };
    #[automatically_derived]
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "Chat";
        const CONNECT: ::core::option::Option<&'static __rt::Expression> = ::core::option::Option::Some(
            &__CONNECT,
        );
        async fn may_connect(
            &self,
            __cx: &__rt::Connect<'_, Self::User>,
        ) -> __rt::Result<()> {
            let __handler = self;
            {
                let mut __gate = __rt::Connect::gate(__cx, &__BLOCK);
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
            }?;
            let mut __gate = __rt::Connect::gate(__cx, &__CONNECT);
            while let ::core::option::Option::Some(__leaf) = __rt::Evaluation::next(
                &mut __gate,
            ) {
                let __answer = match __leaf {
                    0 => {
                        match <__ConnectLeaf0 as __rt::Permission<
                            Self,
                        >>::can_connect(&__ConnectLeaf0 {}, __handler, __cx)
                            .await
                        {
                            ::core::result::Result::Ok(::core::option::Option::None) => {
                                ::core::result::Result::map(
                                    <__ConnectLeaf0 as __rt::Permission<
                                        Self,
                                    >>::has_permission(
                                            &__ConnectLeaf0 {},
                                            __handler,
                                            &__rt::Connect::as_context(__cx),
                                        )
                                        .await,
                                    ::core::option::Option::Some,
                                )
                            }
                            __answer => __answer,
                        }
                    }
                    _ => __rt::unknown_leaf(),
                };
                __rt::Evaluation::tell(&mut __gate, __answer)?;
            }
            __rt::Evaluation::finish_connect_strictly(&__gate)
        }
        async fn connected(
            &self,
            __cx: &__rt::Connect<'_, Self::User>,
        ) -> __rt::Result<()> {
            let __handler = self;
            let __output = Self::greet(__handler, __cx).await;
            __rt::HookOutcome::outcome(__output)
        }
        async fn disconnected(&self, __scope: &__rt::Scope<Self::User>) {
            let __handler = self;
            Self::part(__handler)
        }
    }
    const _: () = __rt::no_captures(
        "IsAuthenticated",
        <__ConnectLeaf0 as __rt::Permission<Chat>>::CAPTURES,
    );
    __rt::register!(Chat);
    const _: () = __rt::check_node(<Chat as __rt::Dispatch>::NODE);
    const _: () = __rt::no_captures_here(
        "permission `Banned`",
        <__BlockLeaf0 as __rt::Permission<Chat>>::CAPTURES,
    );
};
