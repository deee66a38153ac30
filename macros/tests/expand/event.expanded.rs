impl Chat {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn ping(&self) {}
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn upload_created<'e>(&self, event: &'e UploadCreated) -> UploadView<'e> {
        UploadView::of(event)
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    #[cfg(feature = "typing")]
    fn typing(&self, event: &events::Typing, scope: &Scope<Member>) -> Option<Typing> {
        (scope.user() != Some(&event.by)).then(|| event.shown())
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
    #[derive(__rt::QuotedPermission)]
    #[quoted(
        const
        __EVENT0LEAF0:__rt::Codename = uploads::read;type
        __Event0Leaf1 = Muted;fn
        __event0_leaf1()->__Event0Leaf1{__Event0Leaf1{0:5}}const
        __EVENT0LEAF2:__rt::Codename = chat::can_moderate_chat;
    )]
    struct __Event0Quoted;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__Event0Leaf1>>::__ANSWER,
            "`Muted(5)` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`Muted(5)` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
    static __EVENT0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Any(
            &[
                __rt::Expr::All(
                    &[__rt::Expr::Leaf(0), __rt::Expr::Not(&__rt::Expr::Leaf(1))],
                ),
                __rt::Expr::Leaf(2),
            ],
        ),
        leaves: &["uploads.read(channel)", "Muted(5)", "chat.can_moderate_chat"],
        has_codenames: true,
    };
    type __Event0Type = UploadCreated;
    #[cfg(feature = "typing")]
    type __Event1Leaf0 = AllowAny;
    #[cfg(feature = "typing")]
    static __EVENT1: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        has_codenames: false,
    };
    #[cfg(feature = "typing")]
    type __Event1Type = events::Typing;
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
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "Chat";
        const EVENTS: &'static [__rt::EventDescriptor] = &[
            <Self as __rt::Emits<__Event0Type>>::EVENT,
            #[cfg(feature = "typing")]
            <Self as __rt::Emits<__Event1Type>>::EVENT,
        ];
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
    }
    __rt::register!(Chat);
    #[automatically_derived]
    impl __rt::Emits<__Event0Type> for Chat {
        const NAME: &'static ::core::primitive::str = "upload_created";
        const PERMISSION: &'static __rt::Expression = &__EVENT0;
        const HEADERS: __rt::LeafHeaders = &[
            <__rt::EventLeafOptions<__Event0Leaf1, __Event0Type, Self>>::__HEADERS,
            <__rt::RuleOptions<__Event0Leaf1, Self>>::__HEADERS,
        ];
        const EVENT_TYPE: __rt::EventType<__Event0Type> = __rt::EventType::of("");
        const RECEIVE: __rt::ReceiveEvent = __rt::receive_event::<Self, __Event0Type>;
        fn authorize_event(
            &self,
            __subscriber: &__rt::Subscriber<'_, __User>,
            __event: &__Event0Type,
        ) -> ::core::option::Option<::core::primitive::bool> {
            let __handler = self;
            __rt::evaluate_event(
                &__EVENT0,
                |__leaf| match __leaf {
                    0 => {
                        let __subject = &__event.channel;
                        ::core::result::Result::Ok(
                            __rt::Subscriber::may_on(
                                __subscriber,
                                __EVENT0LEAF0,
                                __subject,
                            ),
                        )
                    }
                    1 => {
                        <__Event0Leaf1 as __rt::EventLeaf<
                            __Event0Type,
                            Self,
                            _,
                        >>::may_see(
                            &__event0_leaf1(),
                            __handler,
                            __rt::Subscriber::scope(__subscriber),
                            __event,
                        )
                    }
                    2 => {
                        ::core::result::Result::Ok(
                            __rt::Subscriber::may(__subscriber, __EVENT0LEAF2),
                        )
                    }
                    _ => ::core::result::Result::Ok(::core::option::Option::Some(false)),
                },
            )
        }
        fn shared_frame(
            &self,
            __event: &__Event0Type,
        ) -> ::core::option::Option<__rt::Result<__rt::Frame>> {
            let __handler = self;
            let __output = Self::upload_created(__handler, __event);
            ::core::option::Option::Some(__rt::encode_frame("upload_created", &__output))
        }
    }
    #[cfg(feature = "typing")]
    #[automatically_derived]
    impl __rt::Emits<__Event1Type> for Chat {
        const NAME: &'static ::core::primitive::str = "message.typing";
        const PERMISSION: &'static __rt::Expression = &__EVENT1;
        const HEADERS: __rt::LeafHeaders = &[
            <__rt::EventLeafOptions<__Event1Leaf0, __Event1Type, Self>>::__HEADERS,
            <__rt::RuleOptions<__Event1Leaf0, Self>>::__HEADERS,
        ];
        const EVENT_TYPE: __rt::EventType<__Event1Type> = __rt::EventType::of("");
        const RECEIVE: __rt::ReceiveEvent = __rt::receive_event::<Self, __Event1Type>;
        fn authorize_event(
            &self,
            __subscriber: &__rt::Subscriber<'_, __User>,
            __event: &__Event1Type,
        ) -> ::core::option::Option<::core::primitive::bool> {
            let __handler = self;
            __rt::event_decision(
                <__Event1Leaf0 as __rt::EventLeaf<
                    __Event1Type,
                    Self,
                    _,
                >>::may_see(
                    &__Event1Leaf0 {},
                    __handler,
                    __rt::Subscriber::scope(__subscriber),
                    __event,
                ),
            )
        }
        fn query_coalescing_key<__Query: __rt::KeyQuery<__Event1Type>>(
            __query: __Query,
        ) -> ::core::option::Option<__Query::Answer> {
            __rt::answer_key_query(__query, |__event: &__Event1Type| &__event.by)
        }
        fn personal_frame(
            &self,
            __scope: &__rt::Scope<__User>,
            __event: &__Event1Type,
        ) -> ::core::option::Option<__rt::Result<__rt::Frame>> {
            let __handler = self;
            let __output = Self::typing(__handler, __event, __scope);
            __rt::encode_personal_frame("message.typing", __output)
        }
    }
    const _: () = __rt::check_descriptor(
        <Chat as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
impl<P: Policy> Feed<P> {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn ping(&self) {}
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn r#yield(&self, event: &Changed<P>) -> View {
        self.policy.view(event)
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = ();
    type __Action0Leaf0 = AllowAny;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        has_codenames: false,
    };
    static __EVENT0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["May<P>"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl<P: Policy> __rt::HandlerOrConsumerBlock for Feed<P> {
        type BlockUser = __User;
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Feed",
            permission: ::core::option::Option::None,
            kept_leaves: 0,
            headers: &[],
            is_inherited: false,
            capture_uses: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "ping",
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
    }
    use __rt::UnsharedAction as _;
    impl<P: Policy> Feed<P> {
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
    impl<P: Policy> __rt::Consumer for Feed<P> {
        const NAME: &'static ::core::primitive::str = "Feed";
        const EVENTS: &'static [__rt::EventDescriptor] = &[
            <Self as __rt::Emits<Changed<P>>>::EVENT,
        ];
        const CHECK: () = __rt::check_mounts(
            <Self as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
        );
    }
    #[automatically_derived]
    impl<P: Policy> __rt::Emits<Changed<P>> for Feed<P> {
        const NAME: &'static ::core::primitive::str = "yield";
        const PERMISSION: &'static __rt::Expression = &__EVENT0;
        const HEADERS: __rt::LeafHeaders = &[
            <__rt::EventLeafOptions<May<P>, Changed<P>, Self>>::__HEADERS,
            <__rt::RuleOptions<May<P>, Self>>::__HEADERS,
        ];
        const EVENT_TYPE: __rt::EventType<Changed<P>> = __rt::EventType::of("<P>");
        const RECEIVE: __rt::ReceiveEvent = __rt::receive_event::<Self, Changed<P>>;
        fn authorize_event(
            &self,
            __subscriber: &__rt::Subscriber<'_, __User>,
            __event: &Changed<P>,
        ) -> ::core::option::Option<::core::primitive::bool> {
            let __handler = self;
            __rt::event_decision(
                <May<
                    P,
                > as __rt::EventLeaf<
                    Changed<P>,
                    Self,
                    _,
                >>::may_see(
                    &May::<P> {},
                    __handler,
                    __rt::Subscriber::scope(__subscriber),
                    __event,
                ),
            )
        }
        fn query_coalescing_key<__Query: __rt::KeyQuery<Changed<P>>>(
            __query: __Query,
        ) -> ::core::option::Option<__Query::Answer> {
            __rt::answer_key_query(__query, |__event: &Changed<P>| &__event.0)
        }
        fn shared_frame(
            &self,
            __event: &Changed<P>,
        ) -> ::core::option::Option<__rt::Result<__rt::Frame>> {
            let __handler = self;
            let __output = Self::r#yield(__handler, __event);
            ::core::option::Option::Some(__rt::encode_frame("yield", &__output))
        }
    }
};
