impl<P: RoomPolicy, const LIMIT: usize> Rooms<P, LIMIT>
where
    P::Room: Clone,
{
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn send(&self, room: P::Room) -> Result<Sent> {
        self.policy.send(room).await
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    #[derive(__rt::QuotedPermission)]
    #[quoted(type __BlockLeaf1 = IsAuthenticated;)]
    struct __BlockQuoted;
    const _: () = {
        __rt::check_not_constant(
            <__rt::ConstantAnswer<__BlockLeaf1>>::__ANSWER,
            "`IsAuthenticated` is `AllowAny`, which cannot be combined with other permissions; remove it, or write `AllowAny` alone",
            "`IsAuthenticated` is `DenyAll`, which cannot be combined with other permissions; remove it, or write `DenyAll` alone",
        );
    };
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::All(&[__rt::Expr::Leaf(0), __rt::Expr::Leaf(1)]),
        leaves: &["May<P>", "IsAuthenticated"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl<P: RoomPolicy, const LIMIT: usize> __rt::HandlerOrConsumerBlock
    for Rooms<P, LIMIT>
    where
        P::Room: Clone,
    {
        type BlockUser = P::User;
        type Block = __rt::HandlerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Rooms",
            permission: ::core::option::Option::Some(&__BLOCK),
            kept_leaves: __rt::kept_leaves(
                &[
                    <__rt::LeafOptions<May<P>, Self>>::__REEVALUATE,
                    <__rt::LeafOptions<__BlockLeaf1, Self>>::__REEVALUATE,
                ],
            ),
            headers: &[
                <__rt::LeafOptions<May<P>, Self>>::__HEADERS,
                <__rt::RuleOptions<May<P>, Self>>::__HEADERS,
                <__rt::LeafOptions<__BlockLeaf1, Self>>::__HEADERS,
                <__rt::RuleOptions<__BlockLeaf1, Self>>::__HEADERS,
            ],
            is_inherited: false,
            capture_uses: &[],
            actions: &[
                __rt::ActionDescriptor {
                    name: "send",
                    permission: ::core::option::Option::None,
                    kept_leaves: 0,
                    headers: &[],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: Self::__portcullis_streams_send(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[],
                    message_keys: &["room"],
                },
            ],
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_send,
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
                            <__rt::LeafOptions<May<P>, Self>>::__REEVALUATE,
                            <__rt::LeafOptions<__BlockLeaf1, Self>>::__REEVALUATE,
                        ],
                    ),
                );
                if __rt::Conjunction::begin(&mut __evaluation, 0) {
                    let __answer = <May<
                        P,
                    > as __rt::PermissionLeaf<
                        Self,
                        _,
                    >>::has_permission(
                            &May::<P> {},
                            __handler,
                            &__rt::Call::permission_context(__call),
                        )
                        .await;
                    __rt::Conjunction::record(&mut __evaluation, __answer)?;
                }
                if __rt::Conjunction::begin(&mut __evaluation, 1) {
                    let __answer = <__BlockLeaf1 as __rt::PermissionLeaf<
                        Self,
                        _,
                    >>::has_permission(
                            &__BlockLeaf1 {},
                            __handler,
                            &__rt::Call::permission_context(__call),
                        )
                        .await;
                    __rt::Conjunction::record(&mut __evaluation, __answer)?;
                }
                __rt::Conjunction::finish(&mut __evaluation, __authorized)
            }
        }
    }
    use __rt::UnsharedAction as _;
    use __rt::FindReply as _;
    const _: fn(&__rt::ReplyValue<()>) = |reply| {
        let _ = reply.__reply();
    };
    impl<P: RoomPolicy, const LIMIT: usize> Rooms<P, LIMIT>
    where
        P::Room: Clone,
    {
        #[doc(hidden)]
        fn __portcullis_action_send<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, P::User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A0> {
                    room: __A0,
                }
                let __arguments: __Arguments<_> = __rt::read_arguments(
                    __call,
                    __authorized,
                )?;
                __rt::start_action(__call)?;
                let __output = Self::send(
                        __handler,
                        <P::Room as __rt::Argument<
                            '_,
                            _,
                        >>::into_parameter(__arguments.room),
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
        const fn __portcullis_streams_send() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::future_output(
                            &Self::send(
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
};
