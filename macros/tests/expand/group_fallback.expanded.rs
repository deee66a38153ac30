pub struct RoomGroup {
    pub channel: ChannelId,
}
#[allow(dead_code)]
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    #[derive(__rt::QuotedPermission)]
    #[quoted(
        type
        __GroupLeaf0 = RoomMember;const
        __GROUPLEAF1:__rt::Codename = uploads::read;
    )]
    struct __GroupQuoted;
    type __PublishLeaf0 = Publisher;
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
            "struct RoomGroup {channel: ChannelId} history 100 600000ms",
        );
        const PERMISSION: &'static __rt::Expression = &__rt::Expression {
            tree: __rt::Expr::Any(&[]),
            leaves: &[],
            has_codenames: false,
        };
        const PUBLISH: __rt::PublishRule = __rt::PublishRule::Expression(
            &__rt::Expression {
                tree: __rt::Expr::Any(&[]),
                leaves: &[],
                has_codenames: false,
            },
        );
        async fn authorize_join(
            &self,
            _: &__GroupConsumer,
            _: &__rt::Call<'_, <__GroupConsumer as __rt::Handler>::User>,
        ) -> __rt::Result<()> {
            __rt::unknown_leaf()
        }
        const HISTORY: ::core::option::Option<__rt::History> = ::core::option::Option::Some(
            __rt::History::new(100u32, 600000u64, "RoomGroup::member_since"),
        );
    }
    #[automatically_derived]
    impl __rt::KeepsHistory for RoomGroup {}
    #[automatically_derived]
    impl __rt::CarriedEvent<MessageCreated> for RoomGroup {
        type Consumer = __GroupConsumer;
    }
};
::core::compile_error! {
    "`chanel` is not a field of `RoomGroup`; name an existing one, such as `channel`"
}
impl Chat {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn message_created(&self, event: &MessageCreated) -> View {
        View::of(event)
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn typing(&self, event: &Typing) -> View {
        View::of(event)
    }
}
#[allow(dead_code)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __Event0Leaf0 = AllowAny;
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Chat {
        type BlockUser = ();
        type Block = __rt::ConsumerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Chat",
            permission: ::core::option::Option::None,
            kept_leaves: 0,
            headers: &[],
            is_inherited: false,
            capture_uses: &[],
            actions: &[],
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[];
    }
    #[automatically_derived]
    impl __rt::Consumer for Chat {
        const NAME: &'static ::core::primitive::str = "Chat";
    }
    #[automatically_derived]
    impl __rt::Emits<MessageCreated> for Chat {
        const NAME: &'static ::core::primitive::str = "message_created";
        const PERMISSION: &'static __rt::Expression = &__rt::Expression {
            tree: __rt::Expr::Any(&[]),
            leaves: &[],
            has_codenames: false,
        };
        const EVENT_TYPE: __rt::EventType<MessageCreated> = __rt::EventType::unknown();
        fn authorize_event(
            &self,
            _: &__rt::Subscriber<'_, Self::User>,
            _: &MessageCreated,
        ) -> ::core::option::Option<::core::primitive::bool> {
            ::core::option::Option::Some(false)
        }
    }
    #[automatically_derived]
    impl __rt::Emits<Typing> for Chat {
        const NAME: &'static ::core::primitive::str = "typing";
        const PERMISSION: &'static __rt::Expression = &__rt::Expression {
            tree: __rt::Expr::Any(&[]),
            leaves: &[],
            has_codenames: false,
        };
        const EVENT_TYPE: __rt::EventType<Typing> = __rt::EventType::unknown();
        fn authorize_event(
            &self,
            _: &__rt::Subscriber<'_, Self::User>,
            _: &Typing,
        ) -> ::core::option::Option<::core::primitive::bool> {
            ::core::option::Option::Some(false)
        }
    }
};
::core::compile_error! {
    "`typing` has no permission; write `#[event(permission = …)]`, with `AllowAny` if every member may see it"
}
::core::compile_error! {
    "an `#[event]` method cannot be `async`, because delivery does not wait; remove `async`, and load the data before the event is published"
}
