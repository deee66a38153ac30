///The codenames of `chat`.
mod chat {
    use ::portcullis::__private as __rt;
    ///Can use chat
    #[allow(non_upper_case_globals)]
    pub const can_use_chat: __rt::Codename = {
        static ROW: __rt::CodenameRow = __rt::CodenameRow::new(
            "chat.can_use_chat",
            "Can use chat",
            ::core::module_path!(),
        );
        __rt::Codename::of(&ROW)
    };
    __rt::declare!(can_use_chat);
    ///May delete what others wrote
    #[allow(non_upper_case_globals)]
    pub const can_moderate_chat: __rt::Codename = {
        static ROW: __rt::CodenameRow = __rt::CodenameRow::new(
            "chat.can_moderate_chat",
            "May delete what others wrote",
            ::core::module_path!(),
        );
        __rt::Codename::of(&ROW)
    };
    __rt::declare!(can_moderate_chat);
}
/// What is done with files.
pub mod uploads {
    use ::portcullis::__private as __rt;
    ///Sees uploads
    #[allow(non_upper_case_globals)]
    pub const read: __rt::Codename = {
        static ROW: __rt::CodenameRow = __rt::CodenameRow::new(
            "uploads.read",
            "Sees uploads",
            ::core::module_path!(),
        );
        __rt::Codename::of(&ROW)
    };
    __rt::declare!(read);
    ///Adds uploads
    #[cfg(feature = "writing")]
    #[allow(non_upper_case_globals)]
    pub const write: __rt::Codename = {
        static ROW: __rt::CodenameRow = __rt::CodenameRow::new(
            "uploads.write",
            "Adds uploads",
            ::core::module_path!(),
        );
        __rt::Codename::of(&ROW)
    };
    #[cfg(feature = "writing")]
    __rt::declare!(write);
}
///The codenames of `type`.
pub(crate) mod r#type {
    use ::renamed::__private as __rt;
    ///Everything
    #[allow(non_upper_case_globals)]
    pub const all: __rt::Codename = {
        static ROW: __rt::CodenameRow = __rt::CodenameRow::new(
            "type.all",
            "Everything",
            ::core::module_path!(),
        );
        __rt::Codename::of(&ROW)
    };
    __rt::declare!(all);
}
impl Chat {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn clear(&self, channel: ChannelId) {}
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn ping(&self) {}
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    const __BLOCKLEAF0: __rt::Codename = chat::can_use_chat;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["chat.can_use_chat"],
        has_codenames: true,
    };
    #[derive(__rt::QuotedPermission)]
    #[quoted(
        const
        __ACTION0LEAF0:__rt::Codename = chat::can_moderate_chat;const
        __ACTION0LEAF1:__rt::Codename = uploads::read;
    )]
    struct __Action0Quoted;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Any(&[__rt::Expr::Leaf(0), __rt::Expr::Leaf(1)]),
        leaves: &["chat.can_moderate_chat", "uploads.read(channel)"],
        has_codenames: true,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Chat {
        type BlockUser = __User;
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Chat",
            permission: ::core::option::Option::Some(&__BLOCK),
            kept_leaves: 0,
            headers: &[],
            is_inherited: false,
            capture_uses: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "clear",
                    permission: ::core::option::Option::Some(&__ACTION0),
                    kept_leaves: 0,
                    headers: &[],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: false,
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[],
                    message_keys: &["channel"],
                },
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
            Self::__portcullis_action_clear,
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
                __rt::Call::may(__call, __BLOCKLEAF0).await,
                __authorized,
            )
        }
    }
    use __rt::UnsharedAction as _;
    impl Chat {
        #[doc(hidden)]
        fn __portcullis_action_clear<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, __User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                let __evaluation = __rt::evaluate_before_loading(
                        __call,
                        &__ACTION0,
                        0,
                        move |__leaf| async move {
                            match __leaf {
                                0 => {
                                    ::core::result::Result::map(
                                        __rt::Call::may(__call, __ACTION0LEAF0).await,
                                        ::core::option::Option::Some,
                                    )
                                }
                                1 => {
                                    __rt::answer_before_loading(::core::option::Option::None)
                                }
                                _ => __rt::unknown_leaf(),
                            }
                        },
                    )
                    .await?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A0> {
                    channel: __A0,
                }
                let __arguments: __Arguments<_> = __rt::read_arguments_for_evaluation(
                    __call,
                    &__evaluation,
                )?;
                let __p0: ChannelId = <ChannelId as __rt::Argument<
                    '_,
                    _,
                >>::into_parameter(__arguments.channel);
                let __authorized = {
                    let __p0 = &__p0;
                    __rt::evaluate_objects(
                            __evaluation,
                            __authorized,
                            move |__leaf| async move {
                                match __leaf {
                                    1 => {
                                        __rt::may_on(
                                                __call,
                                                __ACTION0LEAF1,
                                                __rt::collect_keys(__p0),
                                            )
                                            .await
                                    }
                                    _ => __rt::unknown_leaf(),
                                }
                            },
                        )
                        .await?
                };
                __rt::check_execution(__call, &__authorized)?;
                __rt::start_action(__call)?;
                let __output = Self::clear(__handler, __p0).await;
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
    #[quoted(
        type
        __ConnectLeaf0 = IsAuthenticated;const
        __CONNECTLEAF1:__rt::Codename = shop::door::enter;
    )]
    struct __ConnectQuoted;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__ConnectLeaf0>>::__ANSWER,
            "`IsAuthenticated` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`IsAuthenticated` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
    static __CONNECT: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::All(&[__rt::Expr::Leaf(0), __rt::Expr::Leaf(1)]),
        leaves: &["IsAuthenticated", "shop::door.enter"],
        has_codenames: true,
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
            __rt::SingleLeaf::finish_connect(
                __rt::SingleLeaf::start_connect(__cx, &__BLOCK),
                __rt::no_opinion(),
            )?;
            __rt::evaluate_strict_connect(
                    __cx,
                    &__CONNECT,
                    move |__leaf| async move {
                        match __leaf {
                            0 => {
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
                                }
                            }
                            1 => {
                                ::core::result::Result::map(
                                    __rt::ConnectContext::may(__cx, __CONNECTLEAF1).await,
                                    ::core::option::Option::Some,
                                )
                            }
                            _ => __rt::unknown_leaf(),
                        }
                    },
                )
                .await
        }
    }
    __rt::register!(Chat);
    const _: () = __rt::check_descriptor(
        <Chat as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
