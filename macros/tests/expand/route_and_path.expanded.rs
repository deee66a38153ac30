impl Chat {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn files(&self) -> &Files {
        &self.files
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    type __BlockLeaf0 = IsAuthenticated;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["IsAuthenticated"],
        has_codenames: false,
    };
    #[derive(__rt::QuotedPermission)]
    #[quoted(type __Route0Leaf0 = RoomMember;)]
    struct __Route0Quoted;
    static __ROUTE0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["RoomMember"],
        has_codenames: false,
    };
    use __rt::UnknownMount as _;
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Chat {
        type BlockUser = __User;
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "chat",
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
            actions: &[],
            routes: &[
                __rt::RouteDescriptor {
                    id: 0,
                    pattern: __rt::Pattern {
                        text: "rooms/{room_id:[0-9]+}/",
                        segments: &[
                            __rt::Segment::Text("rooms"),
                            __rt::Segment::Regex(
                                "room_id",
                                || {
                                    static REGEX: __rt::Regex = __rt::Regex::new("[0-9]+");
                                    &REGEX
                                },
                            ),
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
                    capture_uses: &[],
                    handler: <<Rooms as __rt::HandlerOrConsumerBlock>::Block as __rt::Mountable<
                        Rooms,
                        Self,
                    >>::DESCRIPTOR,
                },
                __rt::RouteDescriptor {
                    id: 1,
                    pattern: __rt::Pattern {
                        text: "files/{*path}",
                        segments: &[
                            __rt::Segment::Text("files"),
                            __rt::Segment::Rest("path"),
                        ],
                        has_trailing_slash: false,
                    },
                    permission: ::core::option::Option::None,
                    kept_leaves: 0,
                    headers: &[],
                    capture_uses: &[],
                    handler: <<Files as __rt::HandlerOrConsumerBlock>::Block as __rt::Mountable<
                        Files,
                        Self,
                    >>::DESCRIPTOR,
                },
            ],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[];
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
                                    <__Route0Leaf0 as __rt::PermissionLeaf<
                                        Self,
                                        _,
                                    >>::has_permission(
                                            &__Route0Leaf0 {},
                                            __handler,
                                            &__rt::Call::permission_context(__call),
                                        )
                                        .await,
                                )
                            }
                        },
                        __authorized,
                    )?;
                    <__rt::Mount<
                        Rooms,
                        Self,
                    >>::__enter(Self::rooms(__handler), __traversal, __authorized)
                        .await
                }
                1 => {
                    <__rt::Mount<
                        Files,
                        Self,
                    >>::__enter(Self::files(__handler), __traversal, __authorized)
                        .await
                }
                _ => __rt::unknown_route(),
            }
        }
    }
    #[automatically_derived]
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "chat";
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
    const _: () = __rt::check_descriptor(
        <Chat as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
    const _: () = __rt::check_mount(
        <Chat as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
        0,
    );
    const _: () = __rt::check_mount(
        <Chat as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
        1,
    );
};
impl Rooms {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn rename(
        &self,
        room_id: RoomId,
        text: String,
        name: &str,
    ) -> Result<(), NotFound> {
        self.store.rename(room_id, text, name).await
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn users(&self) -> &Users {
        &self.users
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    type __Action0Leaf0 = Owner;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["Owner"],
        has_codenames: false,
    };
    const _: () = {
        __rt::check_restricts(
            <__rt::ConstantAnswer<__Action0Leaf0>>::__ANSWER,
            "`Owner` is `AllowAny`, which has no effect, because the permission of the block must hold as well; remove it",
        );
    };
    use __rt::UnknownMount as _;
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Rooms {
        type BlockUser = __User;
        type Block = __rt::HandlerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Rooms",
            permission: ::core::option::Option::None,
            kept_leaves: 0,
            headers: &[],
            is_inherited: true,
            capture_uses: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "rename",
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
                    is_stream: Self::__portcullis_streams_rename(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[
                        __rt::CaptureUse {
                            reader: "action `rename`",
                            captures: &["room_id", "room_id"],
                        },
                    ],
                    message_keys: &["name"],
                },
            ],
            routes: &[
                __rt::RouteDescriptor {
                    id: 0,
                    pattern: __rt::Pattern {
                        text: "users/{user}",
                        segments: &[
                            __rt::Segment::Text("users"),
                            __rt::Segment::Capture("user"),
                        ],
                        has_trailing_slash: false,
                    },
                    permission: ::core::option::Option::None,
                    kept_leaves: 0,
                    headers: &[],
                    capture_uses: &[],
                    handler: <<Users as __rt::HandlerOrConsumerBlock>::Block as __rt::Mountable<
                        Users,
                        Self,
                    >>::DESCRIPTOR,
                },
            ],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_rename,
        ];
        async fn descend(
            &self,
            __route: ::core::primitive::u16,
            __traversal: &mut __rt::Traversal<'_, Self::User>,
            __authorized: __rt::Authorized,
        ) -> __rt::Result<()> {
            let __handler = self;
            match __route {
                0 => {
                    <__rt::Mount<
                        Users,
                        Self,
                    >>::__enter(Self::users(__handler), __traversal, __authorized)
                        .await
                }
                _ => __rt::unknown_route(),
            }
        }
    }
    use __rt::UnsharedAction as _;
    use __rt::FindReply as _;
    const _: fn(&__rt::ReplyValue<()>) = |reply| {
        let _ = reply.__reply();
    };
    impl Rooms {
        #[doc(hidden)]
        fn __portcullis_action_rename<'__a>(
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
                let __p0: RoomId = __rt::read_capture::<RoomId, _>(__call, "room_id")?;
                let __p1: String = __rt::read_capture::<String, _>(__call, "room_id")?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A2> {
                    name: __A2,
                }
                let __arguments: __Arguments<_> = __rt::read_arguments(
                    __call,
                    __authorized,
                )?;
                __rt::start_action(__call)?;
                let __output = Self::rename(
                        __handler,
                        __p0,
                        __p1,
                        <&str as __rt::Argument<'_, _>>::into_parameter(__arguments.name),
                    )
                    .await;
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
        const fn __portcullis_streams_rename() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::future_output(
                            &Self::rename(
                                __rt::never_called(__never),
                                __rt::never_called(__never),
                                __rt::never_called(__never),
                                __rt::never_called(__never),
                            ),
                        )
                        .__value()
                        .__reply()
                },
            )
        }
    }
    const _: () = __rt::check_descriptor(
        <Rooms as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
