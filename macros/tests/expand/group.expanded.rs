pub struct RoomGroup {
    pub room_id: u32,
    pub channel: ChannelId,
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    #[derive(__rt::QuotedPermission)]
    #[quoted(
        type
        __GroupLeaf0 = RoomMember;type
        __GroupLeaf1 = HasRole;fn
        __group_leaf1()->__GroupLeaf1{__GroupLeaf1{0:"staff"}}const
        __GROUPLEAF2:__rt::Codename = chat::can_moderate_chat;const
        __GROUPLEAF3:__rt::Codename = uploads::read;
    )]
    struct __GroupQuoted;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__GroupLeaf0>>::__ANSWER,
            "`RoomMember` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`RoomMember` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__GroupLeaf1>>::__ANSWER,
            "`HasRole(\"staff\")` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`HasRole(\"staff\")` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
    static __GROUP: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Any(
            &[
                __rt::Expr::Leaf(0),
                __rt::Expr::All(&[__rt::Expr::Leaf(1), __rt::Expr::Leaf(2)]),
                __rt::Expr::Leaf(3),
            ],
        ),
        leaves: &[
            "RoomMember",
            "HasRole(\"staff\")",
            "chat.can_moderate_chat",
            "uploads.read(channel)",
        ],
        has_codenames: true,
    };
    #[derive(__rt::QuotedPermission)]
    #[quoted(
        type
        __PublishLeaf0 = RoomMember;const
        __PUBLISHLEAF1:__rt::Codename = uploads::write;
    )]
    struct __PublishQuoted;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__PublishLeaf0>>::__ANSWER,
            "`RoomMember` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`RoomMember` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
    static __PUBLISH: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::All(&[__rt::Expr::Leaf(0), __rt::Expr::Leaf(1)]),
        leaves: &["RoomMember", "uploads.write(channel)"],
        has_codenames: true,
    };
    __rt::register_group!(RoomGroup);
    use __rt::UnknownReach as _;
    const _: () = __rt::check_distributed(
        __rt::Reach::<__GroupConsumer, MessageCreated>::IS_DISTRIBUTED,
        "`MessageCreated` is a local event, but the group `RoomGroup` is not local; write `local` in `#[group(…)]`, or remove `#[event(local)]` from `MessageCreated`",
    );
    const _: () = __rt::check_distributed(
        __rt::Reach::<__GroupConsumer, events::Typing>::IS_DISTRIBUTED,
        "`events::Typing` is a local event, but the group `RoomGroup` is not local; write `local` in `#[group(…)]`, or remove `#[event(local)]` from `events::Typing`",
    );
    type __GroupConsumer = Chat;
    #[automatically_derived]
    impl __rt::Group for RoomGroup {
        type Consumer = __GroupConsumer;
        type Events = Self;
        const NAME: &'static ::core::primitive::str = "RoomGroup";
        const PATH: &'static ::core::primitive::str = ::core::concat!(
            ::core::module_path!(), "::", "RoomGroup"
        );
        const FINGERPRINT: ::core::primitive::u64 = __rt::fingerprint(
            "struct RoomGroup {room_id: u32, channel: ChannelId}",
        );
        const PERMISSION: &'static __rt::Expression = &__GROUP;
        const PUBLISH: __rt::PublishRule = __rt::PublishRule::Expression(&__PUBLISH);
        const HEADERS: __rt::LeafHeaders = &[
            <__rt::GroupLeafOptions<__GroupLeaf0, Self, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__GroupLeaf0, __GroupConsumer>>::__HEADERS,
            <__rt::GroupLeafOptions<__GroupLeaf1, Self, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__GroupLeaf1, __GroupConsumer>>::__HEADERS,
            <__rt::GroupLeafOptions<__PublishLeaf0, Self, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__PublishLeaf0, __GroupConsumer>>::__HEADERS,
        ];
        const CODEC: ::core::option::Option<__rt::Codec<Self>> = ::core::option::Option::Some(__rt::Codec {
            encode: |__value, __encoder| {
                let Self { room_id: __field0, channel: __field1 } = __value;
                __rt::FieldEncoder::key_field(__encoder, __field0)?;
                __rt::FieldEncoder::key_field(__encoder, __field1)?;
                ::core::result::Result::Ok(())
            },
            decode: |__decoder| {
                ::core::result::Result::Ok(Self {
                    room_id: __rt::FieldDecoder::key_field(__decoder)?,
                    channel: __rt::FieldDecoder::key_field(__decoder)?,
                })
            },
        });
        fn public_name(&self) -> ::core::option::Option<::std::string::String> {
            let __group = self;
            ::core::option::Option::Some(
                ::std::format!("rooms/{}/{{{}}}", __group.room_id, __group.channel),
            )
        }
        async fn authorize_join(
            &self,
            __consumer: &__GroupConsumer,
            __call: &__rt::Call<'_, <__GroupConsumer as __rt::Handler>::User>,
        ) -> __rt::Result<()> {
            let __group = self;
            __rt::evaluate(
                    __call,
                    &__GROUP,
                    0,
                    (),
                    move |__leaf| async move {
                        match __leaf {
                            0 => {
                                <__GroupLeaf0 as __rt::GroupLeaf<
                                    Self,
                                    __GroupConsumer,
                                    _,
                                >>::may_join(
                                        &__GroupLeaf0 {},
                                        __consumer,
                                        __rt::Call::scope(__call),
                                        __group,
                                    )
                                    .await
                            }
                            1 => {
                                <__GroupLeaf1 as __rt::GroupLeaf<
                                    Self,
                                    __GroupConsumer,
                                    _,
                                >>::may_join(
                                        &__GroupLeaf1 { 0: "staff" },
                                        __consumer,
                                        __rt::Call::scope(__call),
                                        __group,
                                    )
                                    .await
                            }
                            2 => __rt::Call::may(__call, __GROUPLEAF2).await,
                            3 => {
                                let __subject = &__group.channel;
                                __rt::may_join_on(
                                        __call,
                                        __GROUPLEAF3,
                                        __rt::collect_keys(__subject),
                                    )
                                    .await
                            }
                            _ => __rt::unknown_leaf(),
                        }
                    },
                )
                .await
        }
        async fn authorize_publish(
            &self,
            __consumer: &__GroupConsumer,
            __call: &__rt::Call<'_, <__GroupConsumer as __rt::Handler>::User>,
        ) -> __rt::Result<()> {
            let __group = self;
            __rt::evaluate(
                    __call,
                    &__PUBLISH,
                    0,
                    (),
                    move |__leaf| async move {
                        match __leaf {
                            0 => {
                                <__PublishLeaf0 as __rt::GroupLeaf<
                                    Self,
                                    __GroupConsumer,
                                    _,
                                >>::may_join(
                                        &__PublishLeaf0 {},
                                        __consumer,
                                        __rt::Call::scope(__call),
                                        __group,
                                    )
                                    .await
                            }
                            1 => {
                                let __subject = &__group.channel;
                                __rt::may_join_on(
                                        __call,
                                        __PUBLISHLEAF1,
                                        __rt::collect_keys(__subject),
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
    #[automatically_derived]
    impl __rt::CarriedEvent<MessageCreated> for RoomGroup {
        type Consumer = __GroupConsumer;
    }
    #[automatically_derived]
    impl __rt::CarriedEvent<events::Typing> for RoomGroup {
        type Consumer = __GroupConsumer;
    }
};
enum Everybody {
    Awake,
    Asleep,
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::sockets::__private as __rt;
    use __rt::LeafDefaults as _;
    type __GroupLeaf0 = AllowAny;
    static __GROUP: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        has_codenames: false,
    };
    __rt::register_group!(Everybody);
    use __rt::UnknownReach as _;
    const _: () = __rt::check_distributed(
        __rt::Reach::<__GroupConsumer, Changed<Polite>>::IS_DISTRIBUTED,
        "`Changed<Polite>` is a local event, but the group `Everybody` is not local; write `local` in `#[group(…)]`, or remove `#[event(local)]` from `Changed<Polite>`",
    );
    type __GroupConsumer = feed::Feed<Polite>;
    #[automatically_derived]
    impl __rt::Group for Everybody {
        type Consumer = __GroupConsumer;
        type Events = Self;
        const NAME: &'static ::core::primitive::str = "Everybody";
        const PATH: &'static ::core::primitive::str = ::core::concat!(
            ::core::module_path!(), "::", "Everybody"
        );
        const FINGERPRINT: ::core::primitive::u64 = __rt::fingerprint(
            "enum Everybody {Awake {}, Asleep {}}",
        );
        const PERMISSION: &'static __rt::Expression = &__GROUP;
        const PUBLISH: __rt::PublishRule = __rt::PublishRule::Members;
        const HEADERS: __rt::LeafHeaders = &[
            <__rt::GroupLeafOptions<__GroupLeaf0, Self, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__GroupLeaf0, __GroupConsumer>>::__HEADERS,
        ];
        const CODEC: ::core::option::Option<__rt::Codec<Self>> = ::core::option::Option::Some(__rt::Codec {
            encode: |__value, __encoder| {
                match __value {
                    Self::Awake {} => {
                        __rt::FieldEncoder::variant(__encoder, 0u32);
                    }
                    Self::Asleep {} => {
                        __rt::FieldEncoder::variant(__encoder, 1u32);
                    }
                }
                ::core::result::Result::Ok(())
            },
            decode: |__decoder| {
                match __rt::FieldDecoder::variant(__decoder)? {
                    0u32 => ::core::result::Result::Ok(Self::Awake {}),
                    1u32 => ::core::result::Result::Ok(Self::Asleep {}),
                    _ => {
                        ::core::result::Result::Err(
                            __rt::FieldDecoder::unknown_variant(),
                        )
                    }
                }
            },
        });
        async fn authorize_join(
            &self,
            __consumer: &__GroupConsumer,
            __call: &__rt::Call<'_, <__GroupConsumer as __rt::Handler>::User>,
        ) -> __rt::Result<()> {
            let __group = self;
            __rt::SingleLeaf::finish(
                __rt::SingleLeaf::start(__call, &__GROUP),
                <__GroupLeaf0 as __rt::GroupLeaf<
                    Self,
                    __GroupConsumer,
                    _,
                >>::may_join(
                        &__GroupLeaf0 {},
                        __consumer,
                        __rt::Call::scope(__call),
                        __group,
                    )
                    .await,
                (),
            )
        }
    }
    #[automatically_derived]
    impl __rt::CarriedEvent<Changed<Polite>> for Everybody {
        type Consumer = __GroupConsumer;
    }
};
struct Lobby;
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __GroupLeaf0 = AllowAny;
    static __GROUP: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        has_codenames: false,
    };
    type __PublishLeaf0 = AllowAny;
    static __PUBLISH: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        has_codenames: false,
    };
    __rt::register_group!(Lobby);
    use __rt::UnknownReach as _;
    const _: () = __rt::check_distributed(
        __rt::Reach::<__GroupConsumer, Ticked>::IS_DISTRIBUTED,
        "`Ticked` is a local event, but the group `Lobby` is not local; write `local` in `#[group(…)]`, or remove `#[event(local)]` from `Ticked`",
    );
    type __GroupConsumer = Chat;
    #[automatically_derived]
    impl __rt::Group for Lobby {
        type Consumer = __GroupConsumer;
        type Events = Self;
        const NAME: &'static ::core::primitive::str = "Lobby";
        const PATH: &'static ::core::primitive::str = ::core::concat!(
            ::core::module_path!(), "::", "Lobby"
        );
        const FINGERPRINT: ::core::primitive::u64 = __rt::fingerprint("struct Lobby {}");
        const PERMISSION: &'static __rt::Expression = &__GROUP;
        const PUBLISH: __rt::PublishRule = __rt::PublishRule::Expression(&__PUBLISH);
        const HEADERS: __rt::LeafHeaders = &[
            <__rt::GroupLeafOptions<__GroupLeaf0, Self, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__GroupLeaf0, __GroupConsumer>>::__HEADERS,
            <__rt::GroupLeafOptions<__PublishLeaf0, Self, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__PublishLeaf0, __GroupConsumer>>::__HEADERS,
        ];
        const CODEC: ::core::option::Option<__rt::Codec<Self>> = ::core::option::Option::Some(__rt::Codec {
            encode: |__value, __encoder| {
                let Self {} = __value;
                ::core::result::Result::Ok(())
            },
            decode: |__decoder| { ::core::result::Result::Ok(Self {}) },
        });
        fn public_name(&self) -> ::core::option::Option<::std::string::String> {
            ::core::option::Option::Some(::std::format!("lobby"))
        }
        async fn authorize_join(
            &self,
            __consumer: &__GroupConsumer,
            __call: &__rt::Call<'_, <__GroupConsumer as __rt::Handler>::User>,
        ) -> __rt::Result<()> {
            let __group = self;
            __rt::SingleLeaf::finish(
                __rt::SingleLeaf::start(__call, &__GROUP),
                <__GroupLeaf0 as __rt::GroupLeaf<
                    Self,
                    __GroupConsumer,
                    _,
                >>::may_join(
                        &__GroupLeaf0 {},
                        __consumer,
                        __rt::Call::scope(__call),
                        __group,
                    )
                    .await,
                (),
            )
        }
        async fn authorize_publish(
            &self,
            __consumer: &__GroupConsumer,
            __call: &__rt::Call<'_, <__GroupConsumer as __rt::Handler>::User>,
        ) -> __rt::Result<()> {
            let __group = self;
            __rt::SingleLeaf::finish(
                __rt::SingleLeaf::start(__call, &__PUBLISH),
                <__PublishLeaf0 as __rt::GroupLeaf<
                    Self,
                    __GroupConsumer,
                    _,
                >>::may_join(
                        &__PublishLeaf0 {},
                        __consumer,
                        __rt::Call::scope(__call),
                        __group,
                    )
                    .await,
                (),
            )
        }
    }
    #[automatically_derived]
    impl __rt::CarriedEvent<Ticked> for Lobby {
        type Consumer = __GroupConsumer;
    }
};
struct Ticks(u32, String);
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __GroupLeaf0 = AllowAny;
    static __GROUP: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        has_codenames: false,
    };
    __rt::register_group!(Ticks);
    use __rt::UnknownReach as _;
    const _: () = __rt::check_distributed(
        __rt::Reach::<__GroupConsumer, Ticked>::IS_DISTRIBUTED,
        "`Ticked` is a local event, but the group `Ticks` is not local; write `local` in `#[group(…)]`, or remove `#[event(local)]` from `Ticked`",
    );
    type __GroupConsumer = Chat;
    #[automatically_derived]
    impl __rt::Group for Ticks {
        type Consumer = __GroupConsumer;
        type Events = Self;
        const NAME: &'static ::core::primitive::str = "Ticks";
        const PATH: &'static ::core::primitive::str = ::core::concat!(
            ::core::module_path!(), "::", "Ticks"
        );
        const FINGERPRINT: ::core::primitive::u64 = __rt::fingerprint(
            "struct Ticks {0: u32, 1: String}",
        );
        const PERMISSION: &'static __rt::Expression = &__GROUP;
        const PUBLISH: __rt::PublishRule = __rt::PublishRule::Members;
        const HEADERS: __rt::LeafHeaders = &[
            <__rt::GroupLeafOptions<__GroupLeaf0, Self, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__GroupLeaf0, __GroupConsumer>>::__HEADERS,
        ];
        const CODEC: ::core::option::Option<__rt::Codec<Self>> = ::core::option::Option::Some(__rt::Codec {
            encode: |__value, __encoder| {
                let Self { 0: __field0, 1: __field1 } = __value;
                __rt::FieldEncoder::key_field(__encoder, __field0)?;
                __rt::FieldEncoder::key_field(__encoder, __field1)?;
                ::core::result::Result::Ok(())
            },
            decode: |__decoder| {
                ::core::result::Result::Ok(Self {
                    0: __rt::FieldDecoder::key_field(__decoder)?,
                    1: __rt::FieldDecoder::key_field(__decoder)?,
                })
            },
        });
        fn public_name(&self) -> ::core::option::Option<::std::string::String> {
            let __group = self;
            ::core::option::Option::Some(::std::format!("{}:{}", __group.1, __group.0))
        }
        async fn authorize_join(
            &self,
            __consumer: &__GroupConsumer,
            __call: &__rt::Call<'_, <__GroupConsumer as __rt::Handler>::User>,
        ) -> __rt::Result<()> {
            let __group = self;
            __rt::SingleLeaf::finish(
                __rt::SingleLeaf::start(__call, &__GROUP),
                <__GroupLeaf0 as __rt::GroupLeaf<
                    Self,
                    __GroupConsumer,
                    _,
                >>::may_join(
                        &__GroupLeaf0 {},
                        __consumer,
                        __rt::Call::scope(__call),
                        __group,
                    )
                    .await,
                (),
            )
        }
    }
    #[automatically_derived]
    impl __rt::CarriedEvent<Ticked> for Ticks {
        type Consumer = __GroupConsumer;
    }
};
