pub struct RoomGroup {
    pub room_id: u32,
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
            "struct RoomGroup {room_id: u32} history 100 600000ms",
        );
        const PERMISSION: &'static __rt::Expression = &__GROUP;
        const PUBLISH: __rt::PublishRule = __rt::PublishRule::Members;
        const HEADERS: __rt::LeafHeaders = &[
            <__rt::GroupLeafOptions<__GroupLeaf0, Self, __GroupConsumer>>::__HEADERS,
            <__rt::RuleOptions<__GroupLeaf0, __GroupConsumer>>::__HEADERS,
        ];
        const CODEC: ::core::option::Option<__rt::Codec<Self>> = ::core::option::Option::Some(__rt::Codec {
            encode: |__value, __encoder| {
                let Self { room_id: __field0 } = __value;
                __rt::FieldEncoder::key_field(__encoder, __field0)?;
                ::core::result::Result::Ok(())
            },
            decode: |__decoder| {
                ::core::result::Result::Ok(Self {
                    room_id: __rt::FieldDecoder::key_field(__decoder)?,
                })
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
        const HISTORY: ::core::option::Option<__rt::History> = ::core::option::Option::Some(
            __rt::History::new(100u32, 600000u64, "Self::member_since"),
        );
        async fn history_since(
            &self,
            __consumer: &__GroupConsumer,
            __scope: &__rt::Scope<<__GroupConsumer as __rt::Handler>::User>,
        ) -> __rt::Result<::core::option::Option<__rt::SystemTime>> {
            __rt::call_history_function::<
                Self,
                __GroupConsumer,
                <__GroupConsumer as __rt::Handler>::User,
                _,
                _,
                _,
            >(Self::member_since, self, __consumer, __scope)
                .await
        }
    }
    #[automatically_derived]
    impl __rt::KeepsHistory for RoomGroup {}
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
        const FINGERPRINT: ::core::primitive::u64 = __rt::fingerprint(
            "struct Lobby {} history 10000 1500ms",
        );
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
        const HISTORY: ::core::option::Option<__rt::History> = ::core::option::Option::Some(
            __rt::History::new(10000u32, 1500u64, "AllowAny"),
        );
    }
    #[automatically_derived]
    impl __rt::KeepsHistory for Lobby {}
    #[automatically_derived]
    impl __rt::CarriedEvent<Ticked> for Lobby {
        type Consumer = __GroupConsumer;
    }
};
