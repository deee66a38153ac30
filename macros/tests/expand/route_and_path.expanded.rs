impl Chat {
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
    fn files(&self) -> &Files {
        &self.files
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __BlockLeaf0 = IsAuthenticated;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["IsAuthenticated"],
        codenames: false,
    };
    type __Route0Leaf0 = RoomMember;
    static __ROUTE0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["RoomMember"],
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
            name: "chat",
            permission: ::core::option::Option::Some(&__BLOCK),
            inherited: false,
            needs: &[
                __rt::CaptureUse {
                    by: "permission `IsAuthenticated`",
                    captures: <__BlockLeaf0 as __rt::Permission<Self>>::CAPTURES,
                },
            ],
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
                        slash: true,
                    },
                    permission: ::core::option::Option::Some(&__ROUTE0),
                    needs: &[
                        __rt::CaptureUse {
                            by: "permission `RoomMember`",
                            captures: <__Route0Leaf0 as __rt::Permission<Self>>::CAPTURES,
                        },
                    ],
                    node: <<Rooms as __rt::Dispatch>::Block as __rt::Mountable<
                        Rooms,
                    >>::NODE,
                },
                __rt::RouteDescriptor {
                    id: 1,
                    pattern: __rt::Pattern {
                        text: "files/{*path}",
                        segments: &[
                            __rt::Segment::Text("files"),
                            __rt::Segment::Rest("path"),
                        ],
                        slash: false,
                    },
                    permission: ::core::option::Option::None,
                    needs: &[],
                    node: <<Files as __rt::Dispatch>::Block as __rt::Mountable<
                        Files,
                    >>::NODE,
                },
            ],
        };
        const CALLS: &'static [__rt::ActionFn<Self>] = &[];
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
        async fn descend(
            &self,
            __route: ::core::primitive::u16,
            __walk: &mut __rt::Traversal<'_, Self::User>,
            __admitted: __rt::Authorized,
        ) -> __rt::Result<()> {
            let __handler = self;
            match __route {
                0 => {
                    let __call = __rt::Traversal::call(__walk);
                    let __admitted = {
                        let mut __gate = __rt::Call::gate(__call, &__ROUTE0);
                        while let ::core::option::Option::Some(__leaf) = __rt::Evaluation::next(
                            &mut __gate,
                        ) {
                            let __answer = match __leaf {
                                0 => {
                                    <__Route0Leaf0 as __rt::Permission<
                                        Self,
                                    >>::has_permission(
                                            &__Route0Leaf0 {},
                                            __handler,
                                            &__rt::Call::context(
                                                __call,
                                                <__Route0Leaf0 as __rt::Permission<Self>>::CAPTURES,
                                            ),
                                        )
                                        .await
                                }
                                _ => __rt::unknown_leaf(),
                            };
                            __rt::Evaluation::tell(&mut __gate, __answer)?;
                        }
                        __rt::Evaluation::finish(&__gate, __admitted)?
                    };
                    <Rooms as __rt::Dispatch>::enter::<
                        Self,
                    >(Self::rooms(__handler), __walk, __admitted)
                        .await
                }
                1 => {
                    <Files as __rt::Dispatch>::enter::<
                        Self,
                    >(Self::files(__handler), __walk, __admitted)
                        .await
                }
                _ => __rt::unknown_route(),
            }
        }
    }
    #[automatically_derived]
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "chat";
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
    }
    __rt::register!(Chat);
    const _: () = __rt::check_node(<Chat as __rt::Dispatch>::NODE);
    const _: () = __rt::no_captures_here(
        "permission `IsAuthenticated`",
        <__BlockLeaf0 as __rt::Permission<Chat>>::CAPTURES,
    );
    const _: () = __rt::check_mount(<Chat as __rt::Dispatch>::NODE, 0);
    const _: () = __rt::check_mount(<Chat as __rt::Dispatch>::NODE, 1);
};
impl Rooms {
    async fn rename(
        &self,
        room_id: RoomId,
        text: String,
        name: &str,
    ) -> Result<(), NotFound> {
        self.store.rename(room_id, text, name).await
    }
    fn users(&self) -> &Users {
        &self.users
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __Action0Leaf0 = Owner;
    static __ACTION0: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["Owner"],
        codenames: false,
    };
    #[automatically_derived]
    impl __rt::Handler for Rooms {
        type User = Member;
    }
    impl Rooms {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl __rt::Dispatch for Rooms {
        type Block = __rt::HandlerBlock;
        const NODE: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Rooms",
            permission: ::core::option::Option::None,
            inherited: true,
            needs: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "rename",
                    permission: ::core::option::Option::Some(&__ACTION0),
                    blocking: false,
                    detached: false,
                    needs: &[
                        __rt::CaptureUse {
                            by: "action `rename`",
                            captures: &["room_id", "room_id"],
                        },
                        __rt::CaptureUse {
                            by: "permission `Owner`",
                            captures: <__Action0Leaf0 as __rt::Permission<
                                Self,
                            >>::CAPTURES,
                        },
                    ],
                    keys: &["name"],
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
                        slash: false,
                    },
                    permission: ::core::option::Option::None,
                    needs: &[],
                    node: <<Users as __rt::Dispatch>::Block as __rt::Mountable<
                        Users,
                    >>::NODE,
                },
            ],
        };
        const CALLS: &'static [__rt::ActionFn<Self>] = &[
            |__handler, __call, __admitted, __reply| __rt::Box::pin(async move {
                let __admitted = {
                    let mut __gate = __rt::Call::gate(__call, &__ACTION0);
                    while let ::core::option::Option::Some(__leaf) = __rt::Evaluation::next(
                        &mut __gate,
                    ) {
                        let __answer = match __leaf {
                            0 => {
                                <__Action0Leaf0 as __rt::Permission<
                                    Self,
                                >>::has_permission(
                                        &__Action0Leaf0 {},
                                        __handler,
                                        &__rt::Call::context(
                                            __call,
                                            <__Action0Leaf0 as __rt::Permission<Self>>::CAPTURES,
                                        ),
                                    )
                                    .await
                            }
                            _ => __rt::unknown_leaf(),
                        };
                        __rt::Evaluation::tell(&mut __gate, __answer)?;
                    }
                    __rt::Evaluation::finish(&__gate, __admitted)?
                };
                let __p0: RoomId = __rt::path::<RoomId, _>(__call, "room_id")?;
                let __p1: String = __rt::path::<String, _>(__call, "room_id")?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A2> {
                    name: __A2,
                }
                let __arguments: __Arguments<_> = __rt::arguments(__call, __admitted)?;
                __rt::start(__call)?;
                let __output = Self::rename(
                        __handler,
                        __p0,
                        __p1,
                        <&str as __rt::Argument<'_, _>>::take(__arguments.name),
                    )
                    .await;
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
        async fn descend(
            &self,
            __route: ::core::primitive::u16,
            __walk: &mut __rt::Traversal<'_, Self::User>,
            __admitted: __rt::Authorized,
        ) -> __rt::Result<()> {
            let __handler = self;
            match __route {
                0 => {
                    <Users as __rt::Dispatch>::enter::<
                        Self,
                    >(Self::users(__handler), __walk, __admitted)
                        .await
                }
                _ => __rt::unknown_route(),
            }
        }
    }
    const _: () = __rt::check_node(<Rooms as __rt::Dispatch>::NODE);
};
