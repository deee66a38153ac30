impl Folders {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn file(
        &self,
        cx: &Context<'_, Member>,
        message: Object<Message>,
        draft: Option<Object<Draft>>,
        folders: Vec<Object<Folder>>,
        room: Object<Room>,
        team: TeamId,
        channel: ChannelId,
        text: &str,
    ) -> Result<NoContent> {
        self.store.file(cx, message, draft, folders, room, team, channel, text).await
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn open(&self, folder: Object<Folder>) -> Folder {
        folder.into_inner()
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    #[derive(__rt::QuotedPermission)]
    #[quoted(type __BlockLeaf0 = IsAuthenticated;)]
    struct __BlockQuoted;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["IsAuthenticated"],
        has_codenames: false,
    };
    #[derive(__rt::QuotedPermission)]
    #[quoted(
        type
        __Action0Leaf0 = Author;type
        __Action0Leaf1 = InState;fn
        __action0_leaf1()->__Action0Leaf1{__Action0Leaf1{0:"open"}}const
        __ACTION0LEAF2:__rt::Codename = chat::can_moderate_chat;const
        __ACTION0LEAF3:__rt::Codename = uploads::read;const
        __ACTION0LEAF4:__rt::Codename = uploads::write;type
        __Action0Leaf5 = AllowAny;
    )]
    struct __Action0Quoted;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::All(
            &[
                __rt::Expr::Leaf(0),
                __rt::Expr::Any(&[__rt::Expr::Leaf(1), __rt::Expr::Leaf(2)]),
                __rt::Expr::Leaf(3),
                __rt::Expr::Leaf(4),
                __rt::Expr::Leaf(5),
            ],
        ),
        leaves: &[
            "Author(message)",
            "InState(draft, \"open\")",
            "chat.can_moderate_chat",
            "uploads.read(channel)",
            "uploads.write(folders)",
            "AllowAny(room)",
        ],
        has_codenames: true,
    };
    type __Action1Leaf0 = Owner;
    const __ACTION1LEAF1: __rt::Codename = shop::admin::all;
    static __ACTION1: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Any(&[__rt::Expr::Leaf(0), __rt::Expr::Leaf(1)]),
        leaves: &["Owner(folder)", "shop::admin.all"],
        has_codenames: true,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Folders {
        type BlockUser = __User;
        type Block = __rt::HandlerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Folders",
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
                    name: "file",
                    permission: ::core::option::Option::Some(&__ACTION0),
                    kept_leaves: __rt::kept_leaves(
                        &[
                            <__rt::ObjectLeafOptions<
                                __Action0Leaf0,
                                <Object<Message> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__REEVALUATE,
                            <__rt::ObjectLeafOptions<
                                __Action0Leaf1,
                                <Option<Object<Draft>> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__REEVALUATE,
                            true,
                            true,
                            true,
                            <__rt::ObjectLeafOptions<
                                __Action0Leaf5,
                                <Object<Room> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__REEVALUATE,
                        ],
                    ),
                    headers: &[
                        <__rt::ObjectLeafOptions<
                            __Action0Leaf0,
                            <Object<Message> as __rt::LoadedParameter>::Item,
                            Self,
                        >>::__HEADERS,
                        <__rt::ObjectLeafOptions<
                            __Action0Leaf1,
                            <Option<Object<Draft>> as __rt::LoadedParameter>::Item,
                            Self,
                        >>::__HEADERS,
                        <__rt::ObjectLeafOptions<
                            __Action0Leaf5,
                            <Object<Room> as __rt::LoadedParameter>::Item,
                            Self,
                        >>::__HEADERS,
                    ],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: Self::__portcullis_streams_file(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[
                        __rt::CaptureUse {
                            reader: "action `file`",
                            captures: &["room_id", "team"],
                        },
                        __rt::CaptureUse {
                            reader: "`Author(message)` of action `file`",
                            captures: {
                                __rt::check_not_constant(
                                    <__rt::ObjectLeafOptions<
                                        __Action0Leaf0,
                                        <Object<Message> as __rt::LoadedParameter>::Item,
                                        Self,
                                    >>::__ANSWER,
                                    "`Author(message)` allows every object; write `AllowAny(message)`",
                                    "`Author(message)` is `DenyAll`, which takes no object; write `DenyAll` alone",
                                );
                                &[]
                            },
                        },
                        __rt::CaptureUse {
                            reader: "`InState(draft, \"open\")` of action `file`",
                            captures: {
                                __rt::check_not_constant(
                                    <__rt::ObjectLeafOptions<
                                        __Action0Leaf1,
                                        <Option<Object<Draft>> as __rt::LoadedParameter>::Item,
                                        Self,
                                    >>::__ANSWER,
                                    "`InState(draft, \"open\")` allows every object; write `AllowAny(draft)`",
                                    "`InState(draft, \"open\")` is `DenyAll`, which takes no object; write `DenyAll` alone",
                                );
                                &[]
                            },
                        },
                        __rt::CaptureUse {
                            reader: "object `message`",
                            captures: <__rt::LoadOptions<
                                <Object<Message> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__CAPTURES,
                        },
                        __rt::CaptureUse {
                            reader: "object `draft`",
                            captures: <__rt::LoadOptions<
                                <Option<Object<Draft>> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__CAPTURES,
                        },
                        __rt::CaptureUse {
                            reader: "object `folders`",
                            captures: <__rt::LoadOptions<
                                <Vec<Object<Folder>> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__CAPTURES,
                        },
                        __rt::CaptureUse {
                            reader: "object `room`",
                            captures: <__rt::LoadOptions<
                                <Object<Room> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__CAPTURES,
                        },
                    ],
                    message_keys: &["message", "draft_id", "order", "channel", "text"],
                },
                __rt::ActionDescriptor {
                    name: "open",
                    permission: ::core::option::Option::Some(&__ACTION1),
                    kept_leaves: __rt::kept_leaves(
                        &[
                            <__rt::ObjectLeafOptions<
                                __Action1Leaf0,
                                <Object<Folder> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__REEVALUATE,
                            true,
                        ],
                    ),
                    headers: &[
                        <__rt::ObjectLeafOptions<
                            __Action1Leaf0,
                            <Object<Folder> as __rt::LoadedParameter>::Item,
                            Self,
                        >>::__HEADERS,
                    ],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: Self::__portcullis_streams_open(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[
                        __rt::CaptureUse {
                            reader: "`Owner(folder)` of action `open`",
                            captures: {
                                __rt::check_not_constant(
                                    <__rt::ObjectLeafOptions<
                                        __Action1Leaf0,
                                        <Object<Folder> as __rt::LoadedParameter>::Item,
                                        Self,
                                    >>::__ANSWER,
                                    "`Owner(folder)` allows every object; write `AllowAny(folder)`",
                                    "`Owner(folder)` is `DenyAll`, which takes no object; write `DenyAll` alone",
                                );
                                &[]
                            },
                        },
                        __rt::CaptureUse {
                            reader: "object `folder`",
                            captures: <__rt::LoadOptions<
                                <Object<Folder> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__CAPTURES,
                        },
                    ],
                    message_keys: &["folder"],
                },
            ],
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_file,
            Self::__portcullis_action_open,
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
    use __rt::FindReply as _;
    const _: fn(&__rt::ReplyValue<()>) = |reply| {
        let _ = reply.__reply();
    };
    impl Folders {
        #[doc(hidden)]
        fn __portcullis_action_file<'__a>(
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
                        __rt::kept_leaves(
                            &[
                                <__rt::ObjectLeafOptions<
                                    __Action0Leaf0,
                                    <Object<Message> as __rt::LoadedParameter>::Item,
                                    Self,
                                >>::__REEVALUATE,
                                <__rt::ObjectLeafOptions<
                                    __Action0Leaf1,
                                    <Option<Object<Draft>> as __rt::LoadedParameter>::Item,
                                    Self,
                                >>::__REEVALUATE,
                                true,
                                true,
                                true,
                                <__rt::ObjectLeafOptions<
                                    __Action0Leaf5,
                                    <Object<Room> as __rt::LoadedParameter>::Item,
                                    Self,
                                >>::__REEVALUATE,
                            ],
                        ),
                        move |__leaf| async move {
                            match __leaf {
                                0 => {
                                    __rt::answer_before_loading(
                                        <__rt::ObjectLeafOptions<
                                            __Action0Leaf0,
                                            <Object<Message> as __rt::LoadedParameter>::Item,
                                            Self,
                                        >>::__ANSWER,
                                    )
                                }
                                1 => {
                                    __rt::answer_before_loading(
                                        <__rt::ObjectLeafOptions<
                                            __Action0Leaf1,
                                            <Option<Object<Draft>> as __rt::LoadedParameter>::Item,
                                            Self,
                                        >>::__ANSWER,
                                    )
                                }
                                2 => {
                                    ::core::result::Result::map(
                                        __rt::Call::may(__call, __ACTION0LEAF2).await,
                                        ::core::option::Option::Some,
                                    )
                                }
                                3 => {
                                    __rt::answer_before_loading(::core::option::Option::None)
                                }
                                4 => {
                                    __rt::answer_before_loading(::core::option::Option::None)
                                }
                                5 => {
                                    __rt::answer_before_loading(
                                        <__rt::ObjectLeafOptions<
                                            __Action0Leaf5,
                                            <Object<Room> as __rt::LoadedParameter>::Item,
                                            Self,
                                        >>::__ANSWER,
                                    )
                                }
                                _ => __rt::unknown_leaf(),
                            }
                        },
                    )
                    .await?;
                let __p5: TeamId = __rt::read_capture::<TeamId, _>(__call, "team")?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                #[serde(deny_unknown_fields)]
                struct __Arguments<__A1, __A2, __A6, __A7> {
                    message: __A1,
                    #[serde(rename(deserialize = "draft_id"))]
                    draft: __A2,
                    channel: __A6,
                    text: __A7,
                    #[serde(default, rename = "order")]
                    __n3: __rt::serde::de::IgnoredAny,
                }
                let __arguments: __Arguments<_, _, _, _> = __rt::read_arguments_for_evaluation(
                    __call,
                    &__evaluation,
                )?;
                let __p6: ChannelId = <ChannelId as __rt::Argument<
                    '_,
                    _,
                >>::into_parameter(__arguments.channel);
                let __p1 = <Object<
                    Message,
                > as __rt::ObjectParameter<
                    Self,
                >>::start_loading(__arguments.message, __call, "message")?;
                let __p2 = <Option<
                    Object<Draft>,
                > as __rt::ObjectParameter<
                    Self,
                >>::start_loading(__arguments.draft, __call, "draft_id")?;
                let __p3 = <Vec<
                    Object<Folder>,
                > as __rt::ObjectParameter<
                    Self,
                >>::start_loading(
                    __rt::read_nested(
                        __call,
                        &__evaluation,
                        "order.items[].folder_id",
                        &["order", "items", "[]", "folder_id"],
                    )?,
                    __call,
                    "order.items[].folder_id",
                )?;
                let __p4 = <Object<
                    Room,
                > as __rt::ObjectParameter<
                    Self,
                >>::start_loading(
                    __rt::read_capture::<
                        <Object<Room> as __rt::ObjectParameter<Self>>::Keys,
                        _,
                    >(__call, "room_id")?,
                    __call,
                    "room_id",
                )?;
                let __authorized = {
                    let __p1 = &__p1;
                    let __p2 = &__p2;
                    let __p3 = &__p3;
                    let __p4 = &__p4;
                    let __p6 = &__p6;
                    __rt::evaluate_objects(
                            __evaluation,
                            __authorized,
                            move |__leaf| async move {
                                match __leaf {
                                    0 => {
                                        __rt::LoadingObjects::evaluate_leaf(
                                                __p1,
                                                <Object<
                                                    Message,
                                                > as __rt::ObjectParameter<
                                                    Self,
                                                >>::fetch(&__p1, __handler, __call),
                                                move |__object| async move {
                                                    <__Action0Leaf0 as __rt::ObjectPermission<
                                                        <Object<Message> as __rt::LoadedParameter>::Item,
                                                        Self,
                                                    >>::has_object_permission(
                                                            &__Action0Leaf0 {},
                                                            __handler,
                                                            &__rt::Call::permission_context(__call),
                                                            __object,
                                                        )
                                                        .await
                                                },
                                            )
                                            .await
                                    }
                                    1 => {
                                        __rt::LoadingObjects::evaluate_leaf(
                                                __p2,
                                                <Option<
                                                    Object<Draft>,
                                                > as __rt::ObjectParameter<
                                                    Self,
                                                >>::fetch(&__p2, __handler, __call),
                                                move |__object| async move {
                                                    <__Action0Leaf1 as __rt::ObjectPermission<
                                                        <Option<Object<Draft>> as __rt::LoadedParameter>::Item,
                                                        Self,
                                                    >>::has_object_permission(
                                                            &__action0_leaf1(),
                                                            __handler,
                                                            &__rt::Call::permission_context(__call),
                                                            __object,
                                                        )
                                                        .await
                                                },
                                            )
                                            .await
                                    }
                                    3 => {
                                        __rt::may_on(
                                                __call,
                                                __ACTION0LEAF3,
                                                __rt::collect_keys(__p6),
                                            )
                                            .await
                                    }
                                    4 => {
                                        __rt::LoadingObjects::may(
                                                __p3,
                                                <Vec<
                                                    Object<Folder>,
                                                > as __rt::ObjectParameter<
                                                    Self,
                                                >>::fetch(&__p3, __handler, __call),
                                                __call,
                                                __ACTION0LEAF4,
                                                __rt::GrantKey::grant_key,
                                            )
                                            .await
                                    }
                                    5 => {
                                        __rt::LoadingObjects::evaluate_leaf(
                                                __p4,
                                                <Object<
                                                    Room,
                                                > as __rt::ObjectParameter<
                                                    Self,
                                                >>::fetch(&__p4, __handler, __call),
                                                move |__object| async move {
                                                    <__Action0Leaf5 as __rt::ObjectPermission<
                                                        <Object<Room> as __rt::LoadedParameter>::Item,
                                                        Self,
                                                    >>::has_object_permission(
                                                            &__Action0Leaf5 {},
                                                            __handler,
                                                            &__rt::Call::permission_context(__call),
                                                            __object,
                                                        )
                                                        .await
                                                },
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
                __rt::LoadingObjects::load(
                        &__p1,
                        <Object<
                            Message,
                        > as __rt::ObjectParameter<
                            Self,
                        >>::fetch(&__p1, __handler, __call),
                    )
                    .await?;
                let __p1 = <Object<
                    Message,
                > as __rt::ObjectParameter<Self>>::into_parameter(__p1, &__authorized)?;
                __rt::LoadingObjects::load(
                        &__p2,
                        <Option<
                            Object<Draft>,
                        > as __rt::ObjectParameter<
                            Self,
                        >>::fetch(&__p2, __handler, __call),
                    )
                    .await?;
                let __p2 = <Option<
                    Object<Draft>,
                > as __rt::ObjectParameter<Self>>::into_parameter(__p2, &__authorized)?;
                __rt::LoadingObjects::load(
                        &__p3,
                        <Vec<
                            Object<Folder>,
                        > as __rt::ObjectParameter<
                            Self,
                        >>::fetch(&__p3, __handler, __call),
                    )
                    .await?;
                let __p3 = <Vec<
                    Object<Folder>,
                > as __rt::ObjectParameter<Self>>::into_parameter(__p3, &__authorized)?;
                __rt::LoadingObjects::load(
                        &__p4,
                        <Object<
                            Room,
                        > as __rt::ObjectParameter<
                            Self,
                        >>::fetch(&__p4, __handler, __call),
                    )
                    .await?;
                let __p4 = <Object<
                    Room,
                > as __rt::ObjectParameter<Self>>::into_parameter(__p4, &__authorized)?;
                __rt::start_action(__call)?;
                let __output = Self::file(
                        __handler,
                        &__rt::Call::<
                            '_,
                            <Self as __rt::Handler>::User,
                        >::whole_context(__call),
                        __p1,
                        __p2,
                        __p3,
                        __p4,
                        __p5,
                        __p6,
                        <&str as __rt::Argument<'_, _>>::into_parameter(__arguments.text),
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
        const fn __portcullis_streams_file() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::future_output(
                            &Self::file(
                                __rt::never_called(__never),
                                __rt::never_called(__never),
                                __rt::never_called(__never),
                                __rt::never_called(__never),
                                __rt::never_called(__never),
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
        #[doc(hidden)]
        fn __portcullis_action_open<'__a>(
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
                                    <Object<Folder> as __rt::LoadedParameter>::Item,
                                    Self,
                                >>::__REEVALUATE,
                                true,
                            ],
                        ),
                        move |__leaf| async move {
                            match __leaf {
                                0 => {
                                    __rt::answer_before_loading(
                                        <__rt::ObjectLeafOptions<
                                            __Action1Leaf0,
                                            <Object<Folder> as __rt::LoadedParameter>::Item,
                                            Self,
                                        >>::__ANSWER,
                                    )
                                }
                                1 => {
                                    ::core::result::Result::map(
                                        __rt::Call::may(__call, __ACTION1LEAF1).await,
                                        ::core::option::Option::Some,
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
                    folder: __A0,
                }
                let __arguments: __Arguments<_> = __rt::read_arguments_for_evaluation(
                    __call,
                    &__evaluation,
                )?;
                let __p0 = <Object<
                    Folder,
                > as __rt::ObjectParameter<
                    Self,
                >>::start_loading(__arguments.folder, __call, "folder")?;
                let __authorized = {
                    let __p0 = &__p0;
                    __rt::evaluate_objects(
                            __evaluation,
                            __authorized,
                            move |__leaf| async move {
                                match __leaf {
                                    0 => {
                                        __rt::LoadingObjects::evaluate_leaf(
                                                __p0,
                                                <Object<
                                                    Folder,
                                                > as __rt::ObjectParameter<
                                                    Self,
                                                >>::fetch(&__p0, __handler, __call),
                                                move |__object| async move {
                                                    <__Action1Leaf0 as __rt::ObjectPermission<
                                                        <Object<Folder> as __rt::LoadedParameter>::Item,
                                                        Self,
                                                    >>::has_object_permission(
                                                            &__Action1Leaf0 {},
                                                            __handler,
                                                            &__rt::Call::permission_context(__call),
                                                            __object,
                                                        )
                                                        .await
                                                },
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
                __rt::LoadingObjects::load(
                        &__p0,
                        <Object<
                            Folder,
                        > as __rt::ObjectParameter<
                            Self,
                        >>::fetch(&__p0, __handler, __call),
                    )
                    .await?;
                let __p0 = <Object<
                    Folder,
                > as __rt::ObjectParameter<Self>>::into_parameter(__p0, &__authorized)?;
                __rt::start_action(__call)?;
                let __output = Self::open(__handler, __p0);
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
        const fn __portcullis_streams_open() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::output_conversion(
                            &Self::open(
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
        <Folders as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
impl Chat {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn read(&self, message: Object<Message>) -> Message {
        message.into_inner()
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    #[derive(__rt::QuotedPermission)]
    #[quoted(type __Action0Leaf0 = AllowAny;)]
    struct __Action0Quoted;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny(message)"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Chat {
        type BlockUser = __User;
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Chat",
            permission: ::core::option::Option::None,
            kept_leaves: 0,
            headers: &[],
            is_inherited: false,
            capture_uses: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "read",
                    permission: ::core::option::Option::Some(&__ACTION0),
                    kept_leaves: __rt::kept_leaves(
                        &[
                            <__rt::ObjectLeafOptions<
                                __Action0Leaf0,
                                <Object<Message> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__REEVALUATE,
                        ],
                    ),
                    headers: &[
                        <__rt::ObjectLeafOptions<
                            __Action0Leaf0,
                            <Object<Message> as __rt::LoadedParameter>::Item,
                            Self,
                        >>::__HEADERS,
                    ],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: Self::__portcullis_streams_read(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[
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
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_read,
        ];
    }
    use __rt::UnsharedAction as _;
    use __rt::FindReply as _;
    const _: fn(&__rt::ReplyValue<()>) = |reply| {
        let _ = reply.__reply();
    };
    impl Chat {
        #[doc(hidden)]
        fn __portcullis_action_read<'__a>(
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
                        __rt::kept_leaves(
                            &[
                                <__rt::ObjectLeafOptions<
                                    __Action0Leaf0,
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
                                            __Action0Leaf0,
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
                                        __rt::LoadingObjects::evaluate_leaf(
                                                __p0,
                                                <Object<
                                                    Message,
                                                > as __rt::ObjectParameter<
                                                    Self,
                                                >>::fetch(&__p0, __handler, __call),
                                                move |__object| async move {
                                                    <__Action0Leaf0 as __rt::ObjectPermission<
                                                        <Object<Message> as __rt::LoadedParameter>::Item,
                                                        Self,
                                                    >>::has_object_permission(
                                                            &__Action0Leaf0 {},
                                                            __handler,
                                                            &__rt::Call::permission_context(__call),
                                                            __object,
                                                        )
                                                        .await
                                                },
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
                let __output = Self::read(__handler, __p0).await;
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
        const fn __portcullis_streams_read() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::future_output(
                            &Self::read(
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
    #[automatically_derived]
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "Chat";
    }
    __rt::register!(Chat);
    const _: () = __rt::check_descriptor(
        <Chat as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
    const _: () = __rt::check_consumer_captures(
        "object `message`",
        <__rt::LoadOptions<
            <Object<Message> as __rt::LoadedParameter>::Item,
            Chat,
        >>::__CAPTURES,
    );
};
