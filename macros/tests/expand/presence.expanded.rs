pub struct RoomGroup {
    pub room_id: u32,
    pub channel: ChannelId,
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __GroupLeaf0 = RoomMember;
    static __GROUP: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["RoomMember"],
        has_codenames: false,
    };
    #[derive(__rt::QuotedPermission)]
    #[quoted(
        type
        __PresenceLeaf0 = IsStaff;type
        __PresenceLeaf1 = SharesTeam;const
        __PRESENCELEAF2:__rt::Codename = uploads::read;
    )]
    struct __PresenceQuoted;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__PresenceLeaf0>>::__ANSWER,
            "`IsStaff` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`IsStaff` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
    static __PRESENCE: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Any(
            &[
                __rt::Expr::Leaf(0),
                __rt::Expr::All(&[__rt::Expr::Leaf(1), __rt::Expr::Leaf(2)]),
            ],
        ),
        leaves: &["IsStaff", "SharesTeam(member, {room_id})", "uploads.read(channel)"],
        has_codenames: true,
    };
    __rt::register_group!(RoomGroup);
    use __rt::UnknownReach as _;
    const _: () = __rt::check_distributed(
        __rt::Reach::<__GroupConsumer, MessageCreated>::IS_DISTRIBUTED,
        "`MessageCreated` is a local event, but the group `RoomGroup` is not local; write `local` in `#[group(…)]`, or remove `#[event(local)]` from `MessageCreated`",
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
        const PUBLISH: __rt::PublishRule = __rt::PublishRule::Members;
        const HEADERS: __rt::LeafHeaders = &[
            <__rt::GroupLeafOptions<__GroupLeaf0, Self, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__GroupLeaf0, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__PresenceLeaf0, __GroupConsumer>>::__HEADERS,
            <__rt::MemberLeafOptions<__PresenceLeaf1, __GroupConsumer>>::__HEADERS,
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
                ::std::format!("rooms/{}/{}", __group.room_id, __group.channel),
            )
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
        const PRESENCE: ::core::option::Option<&'static __rt::Expression> = ::core::option::Option::Some(
            &__PRESENCE,
        );
        const ANNOUNCES: ::core::primitive::bool = true;
        fn may_see_member(
            &self,
            __consumer: &__GroupConsumer,
            __subscriber: &__rt::Subscriber<
                '_,
                <__GroupConsumer as __rt::Handler>::User,
            >,
            __member: &<__GroupConsumer as __rt::Handler>::User,
        ) -> ::core::option::Option<::core::primitive::bool> {
            let __group = self;
            __rt::evaluate_event(
                &__PRESENCE,
                |__leaf| match __leaf {
                    0 => {
                        let __leaf = __PresenceLeaf0 {};
                        __rt::viewer_answer(
                            __subscriber,
                            &__leaf,
                            <__PresenceLeaf0 as __rt::ViewerLeaf<
                                __GroupConsumer,
                                _,
                            >>::holds_for(
                                &__leaf,
                                __consumer,
                                __rt::Subscriber::scope(__subscriber),
                            ),
                        )
                    }
                    1 => {
                        __rt::member_answer::<
                            __PresenceLeaf1,
                            _,
                        >(
                            __subscriber,
                            <__PresenceLeaf1 as __rt::MemberPermission<
                                __GroupConsumer,
                            >>::may_see_member(
                                &__PresenceLeaf1 {
                                    0: {
                                        let __subject = &__group.room_id;
                                        ::core::clone::Clone::clone(__subject)
                                    },
                                },
                                __consumer,
                                __rt::Subscriber::scope(__subscriber),
                                __member,
                            ),
                        )
                    }
                    2 => {
                        let __subject = &__group.channel;
                        ::core::result::Result::Ok(
                            __rt::Subscriber::may_on(
                                __subscriber,
                                __PRESENCELEAF2,
                                __subject,
                            ),
                        )
                    }
                    _ => ::core::result::Result::Ok(::core::option::Option::Some(false)),
                },
            )
        }
    }
    #[automatically_derived]
    impl __rt::Presence for RoomGroup {}
    #[automatically_derived]
    impl __rt::CarriedEvent<MessageCreated> for RoomGroup {
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
    type __PresenceLeaf0 = AllowAny;
    static __PRESENCE: __rt::Expression = __rt::Expression {
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
            <__rt::RuleOptions<__PresenceLeaf0, __GroupConsumer>>::__HEADERS,
        ];
        const CODEC: ::core::option::Option<__rt::Codec<Self>> = ::core::option::Option::Some(__rt::Codec {
            encode: |__value, __encoder| {
                let Self {} = __value;
                ::core::result::Result::Ok(())
            },
            decode: |__decoder| { ::core::result::Result::Ok(Self {}) },
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
        const PRESENCE: ::core::option::Option<&'static __rt::Expression> = ::core::option::Option::Some(
            &__PRESENCE,
        );
        const ANNOUNCES: ::core::primitive::bool = false;
        fn may_see_member(
            &self,
            __consumer: &__GroupConsumer,
            __subscriber: &__rt::Subscriber<
                '_,
                <__GroupConsumer as __rt::Handler>::User,
            >,
            __member: &<__GroupConsumer as __rt::Handler>::User,
        ) -> ::core::option::Option<::core::primitive::bool> {
            let __group = self;
            __rt::evaluate_event(
                &__PRESENCE,
                |__leaf| match __leaf {
                    0 => {
                        let __leaf = __PresenceLeaf0 {};
                        __rt::viewer_answer(
                            __subscriber,
                            &__leaf,
                            <__PresenceLeaf0 as __rt::ViewerLeaf<
                                __GroupConsumer,
                                _,
                            >>::holds_for(
                                &__leaf,
                                __consumer,
                                __rt::Subscriber::scope(__subscriber),
                            ),
                        )
                    }
                    _ => ::core::result::Result::Ok(::core::option::Option::Some(false)),
                },
            )
        }
    }
    #[automatically_derived]
    impl __rt::Presence for Lobby {}
    #[automatically_derived]
    impl __rt::CarriedEvent<Ticked> for Lobby {
        type Consumer = __GroupConsumer;
    }
};
