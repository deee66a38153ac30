impl Rooms {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn close(&self) {}
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn delete(&self, message: Object<Message>) {}
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn threads(&self) -> &Threads {
        &self.threads
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    #[derive(__rt::QuotedPermission)]
    #[quoted(type __BlockLeaf0 = IsAuthenticated;type __BlockLeaf1 = InRoom;)]
    struct __BlockQuoted;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__BlockLeaf0>>::__ANSWER,
            "`IsAuthenticated` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`IsAuthenticated` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__BlockLeaf1>>::__ANSWER,
            "`InRoom({room_id})` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`InRoom({room_id})` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::All(&[__rt::Expr::Leaf(0), __rt::Expr::Leaf(1)]),
        leaves: &["IsAuthenticated", "InRoom({room_id})"],
        has_codenames: false,
    };
    type __Action0Leaf0 = Blocking<InLedger>;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["Blocking(InLedger({room_id}, \"open\"))"],
        has_codenames: false,
    };
    const _: () = {
        __rt::check_restricts(
            <__rt::ConstantAnswer<__Action0Leaf0>>::__ANSWER,
            "`Blocking(InLedger({room_id}, \"open\"))` is `AllowAny`, which has no effect, because the permission of the block must hold as well; remove it",
        );
    };
    type __Action1Leaf0 = Author;
    static __ACTION1: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["Author(message, {room_id})"],
        has_codenames: false,
    };
    type __Route0Leaf0 = InThread;
    static __ROUTE0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["InThread({thread})"],
        has_codenames: false,
    };
    use __rt::UnknownMount as _;
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Rooms {
        type BlockUser = __User;
        type Block = __rt::HandlerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Rooms",
            permission: ::core::option::Option::Some(&__BLOCK),
            kept_leaves: __rt::kept_leaves(
                &[
                    <__rt::LeafOptions<__BlockLeaf0, Self>>::__REEVALUATE,
                    <__rt::LeafOptions<__BlockLeaf1, Self>>::__REEVALUATE,
                ],
            ),
            headers: &[
                <__rt::LeafOptions<__BlockLeaf0, Self>>::__HEADERS,
                <__rt::RuleOptions<__BlockLeaf0, Self>>::__HEADERS,
                <__rt::LeafOptions<__BlockLeaf1, Self>>::__HEADERS,
                <__rt::RuleOptions<__BlockLeaf1, Self>>::__HEADERS,
            ],
            is_inherited: false,
            capture_uses: &[
                __rt::CaptureUse {
                    reader: "`InRoom({room_id})`",
                    captures: &["room_id"],
                },
            ],
            actions: &[
                __rt::ActionDescriptor {
                    name: "close",
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
                    capture_uses: &[
                        __rt::CaptureUse {
                            reader: "`Blocking(InLedger({room_id}, \"open\"))` of action `close`",
                            captures: &["room_id"],
                        },
                    ],
                    message_keys: &[],
                },
                __rt::ActionDescriptor {
                    name: "delete",
                    permission: ::core::option::Option::Some(&__ACTION1),
                    kept_leaves: __rt::kept_leaves(
                        &[
                            <__rt::ObjectLeafOptions<
                                __Action1Leaf0,
                                <Object<Message> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__REEVALUATE,
                        ],
                    ),
                    headers: &[
                        <__rt::ObjectLeafOptions<
                            __Action1Leaf0,
                            <Object<Message> as __rt::LoadedParameter>::Item,
                            Self,
                        >>::__HEADERS,
                    ],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: false,
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[
                        __rt::CaptureUse {
                            reader: "`Author(message, {room_id})` of action `delete`",
                            captures: {
                                __rt::check_not_constant(
                                    <__rt::ObjectLeafOptions<
                                        __Action1Leaf0,
                                        <Object<Message> as __rt::LoadedParameter>::Item,
                                        Self,
                                    >>::__ANSWER,
                                    "`Author(message, {room_id})` allows every object; write `AllowAny(message)`",
                                    "`Author(message, {room_id})` is `DenyAll`, which takes no object; write `DenyAll` alone",
                                );
                                &["room_id"]
                            },
                        },
                        __rt::CaptureUse {
                            reader: "object `message`",
                            captures: <__rt::LoadOptions<
                                <Object<Message> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__CAPTURES,
                        },
                    ],
                    message_keys: &["message"],
                },
            ],
            routes: &[
                __rt::RouteDescriptor {
                    id: 0,
                    pattern: __rt::Pattern {
                        text: "threads/{thread}/",
                        segments: &[
                            __rt::Segment::Text("threads"),
                            __rt::Segment::Capture("thread"),
                        ],
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
                    capture_uses: &[
                        __rt::CaptureUse {
                            reader: "`InThread({thread})`",
                            captures: &["thread"],
                        },
                    ],
                    handler: <<Threads as __rt::HandlerOrConsumerBlock>::Block as __rt::Mountable<
                        Threads,
                        Self,
                    >>::DESCRIPTOR,
                },
            ],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_close,
            Self::__portcullis_action_delete,
        ];
        async fn authorize(
            &self,
            __call: &__rt::Call<'_, Self::User>,
            __authorized: __rt::Authorized,
        ) -> __rt::Result<__rt::Authorized> {
            let __handler = self;
            {
                let mut __evaluation = __rt::Conjunction::start(
                    __call,
                    &__BLOCK,
                    __rt::kept_leaves(
                        &[
                            <__rt::LeafOptions<__BlockLeaf0, Self>>::__REEVALUATE,
                            <__rt::LeafOptions<__BlockLeaf1, Self>>::__REEVALUATE,
                        ],
                    ),
                );
                if __rt::Conjunction::begin(&mut __evaluation, 0) {
                    let __answer = <__BlockLeaf0 as __rt::PermissionLeaf<
                        Self,
                        _,
                    >>::has_permission(
                            &__BlockLeaf0 {},
                            __handler,
                            &__rt::Call::permission_context(__call),
                        )
                        .await;
                    __rt::Conjunction::record(&mut __evaluation, __answer)?;
                }
                if __rt::Conjunction::begin(&mut __evaluation, 1) {
                    let __answer = match __rt::build_leaf(|| ::core::result::Result::Ok(__BlockLeaf1 {
                        0: __rt::read_capture(__call, "room_id")?,
                    })) {
                        ::core::result::Result::Ok(__leaf) => {
                            let __leaf = &__leaf;
                            <__BlockLeaf1 as __rt::PermissionLeaf<
                                Self,
                                _,
                            >>::has_permission(
                                    __leaf,
                                    __handler,
                                    &__rt::Call::permission_context(__call),
                                )
                                .await
                        }
                        ::core::result::Result::Err(__answer) => {
                            ::core::result::Result::Err(__answer)
                        }
                    };
                    __rt::Conjunction::record(&mut __evaluation, __answer)?;
                }
                __rt::Conjunction::finish(&mut __evaluation, __authorized)
            }
        }
        async fn descend(
            &self,
            __route: ::core::primitive::u16,
            __traversal: &mut __rt::Traversal<'_, Self::User>,
            __authorized: __rt::Authorized,
        ) -> __rt::Result<()> {
            let __handler = self;
            match __route {
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
                                    match __rt::build_leaf(|| ::core::result::Result::Ok(__Route0Leaf0 {
                                        0: __rt::read_capture(__call, "thread")?,
                                    })) {
                                        ::core::result::Result::Ok(__leaf) => {
                                            let __leaf = &__leaf;
                                            <__Route0Leaf0 as __rt::PermissionLeaf<
                                                Self,
                                                _,
                                            >>::has_permission(
                                                    __leaf,
                                                    __handler,
                                                    &__rt::Call::permission_context(__call),
                                                )
                                                .await
                                        }
                                        ::core::result::Result::Err(__answer) => {
                                            ::core::result::Result::Err(__answer)
                                        }
                                    },
                                )
                            }
                        },
                        __authorized,
                    )?;
                    <__rt::Mount<
                        Threads,
                        Self,
                    >>::__enter(Self::threads(__handler), __traversal, __authorized)
                        .await
                }
                _ => __rt::unknown_route(),
            }
        }
    }
    use __rt::UnsharedAction as _;
    impl Rooms {
        #[doc(hidden)]
        fn __portcullis_action_close<'__a>(
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
                                match __rt::build_leaf(|| ::core::result::Result::Ok(__Action0Leaf0 {
                                    0: InLedger(__rt::read_capture(__call, "room_id")?, "open"),
                                })) {
                                    ::core::result::Result::Ok(__leaf) => {
                                        let __leaf = &__leaf;
                                        <__Action0Leaf0 as __rt::PermissionLeaf<
                                            Self,
                                            _,
                                        >>::has_permission(
                                                __leaf,
                                                __handler,
                                                &__rt::Call::permission_context(__call),
                                            )
                                            .await
                                    }
                                    ::core::result::Result::Err(__answer) => {
                                        ::core::result::Result::Err(__answer)
                                    }
                                },
                            )
                        }
                    },
                    __authorized,
                )?;
                __rt::check_execution(__call, &__authorized)?;
                __rt::start_action(__call)?;
                let __output = Self::close(__handler).await;
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
        fn __portcullis_action_delete<'__a>(
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
                        &__ACTION1,
                        __rt::kept_leaves(
                            &[
                                <__rt::ObjectLeafOptions<
                                    __Action1Leaf0,
                                    <Object<Message> as __rt::LoadedParameter>::Item,
                                    Self,
                                >>::__REEVALUATE,
                            ],
                        ),
                        move |__leaf| async move {
                            match __leaf {
                                0 => {
                                    __rt::answer_before_loading(
                                        <__rt::ObjectLeafOptions<
                                            __Action1Leaf0,
                                            <Object<Message> as __rt::LoadedParameter>::Item,
                                            Self,
                                        >>::__ANSWER,
                                    )
                                }
                                _ => __rt::unknown_leaf(),
                            }
                        },
                    )
                    .await?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A0> {
                    message: __A0,
                }
                let __arguments: __Arguments<_> = __rt::read_arguments_for_evaluation(
                    __call,
                    &__evaluation,
                )?;
                let __p0 = <Object<
                    Message,
                > as __rt::ObjectParameter<
                    Self,
                >>::start_loading(__arguments.message, __call, "message")?;
                let __authorized = {
                    let __p0 = &__p0;
                    __rt::evaluate_objects(
                            __evaluation,
                            __authorized,
                            move |__leaf| async move {
                                match __leaf {
                                    0 => {
                                        match __rt::build_leaf(|| ::core::result::Result::Ok(__Action1Leaf0 {
                                            0: __rt::read_capture(__call, "room_id")?,
                                        })) {
                                            ::core::result::Result::Ok(__leaf) => {
                                                let __leaf = &__leaf;
                                                __rt::LoadingObjects::evaluate_leaf(
                                                        __p0,
                                                        <Object<
                                                            Message,
                                                        > as __rt::ObjectParameter<
                                                            Self,
                                                        >>::fetch(&__p0, __handler, __call),
                                                        move |__object| async move {
                                                            <__Action1Leaf0 as __rt::ObjectPermission<
                                                                <Object<Message> as __rt::LoadedParameter>::Item,
                                                                Self,
                                                            >>::has_object_permission(
                                                                    __leaf,
                                                                    __handler,
                                                                    &__rt::Call::permission_context(__call),
                                                                    __object,
                                                                )
                                                                .await
                                                        },
                                                    )
                                                    .await
                                            }
                                            ::core::result::Result::Err(__answer) => {
                                                ::core::result::Result::Err(__answer)
                                            }
                                        }
                                    }
                                    _ => __rt::unknown_leaf(),
                                }
                            },
                        )
                        .await?
                };
                __rt::check_execution(__call, &__authorized)?;
                __rt::LoadingObjects::load(
                        &__p0,
                        <Object<
                            Message,
                        > as __rt::ObjectParameter<
                            Self,
                        >>::fetch(&__p0, __handler, __call),
                    )
                    .await?;
                let __p0 = <Object<
                    Message,
                > as __rt::ObjectParameter<Self>>::into_parameter(__p0, &__authorized)?;
                __rt::start_action(__call)?;
                let __output = Self::delete(__handler, __p0).await;
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
        <Rooms as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
