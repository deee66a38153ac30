impl<P: RoomPolicy, const LIMIT: usize> Rooms<P, LIMIT>
where
    P::Room: Clone,
{
    async fn send(&self, room: P::Room) -> Result<Sent> {
        self.policy.send(room).await
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    type __BlockLeaf1 = IsAuthenticated;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::All(&[__rt::Expr::Leaf(0), __rt::Expr::Leaf(1)]),
        leaves: &["May<P>", "IsAuthenticated"],
        codenames: false,
    };
    #[automatically_derived]
    impl<P: RoomPolicy, const LIMIT: usize> __rt::Handler for Rooms<P, LIMIT>
    where
        P::Room: Clone,
    {
        type User = P::User;
    }
    impl<P: RoomPolicy, const LIMIT: usize> Rooms<P, LIMIT>
    where
        P::Room: Clone,
    {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl<P: RoomPolicy, const LIMIT: usize> __rt::Dispatch for Rooms<P, LIMIT>
    where
        P::Room: Clone,
    {
        type Block = __rt::HandlerBlock;
        const NODE: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Rooms",
            permission: ::core::option::Option::Some(&__BLOCK),
            inherited: false,
            needs: &[
                __rt::CaptureUse {
                    by: "permission `May<P>`",
                    captures: <May<P> as __rt::Permission<Self>>::CAPTURES,
                },
                __rt::CaptureUse {
                    by: "permission `IsAuthenticated`",
                    captures: <__BlockLeaf1 as __rt::Permission<Self>>::CAPTURES,
                },
            ],
            actions: &[
                __rt::ActionDescriptor {
                    name: "send",
                    permission: ::core::option::Option::None,
                    blocking: false,
                    detached: false,
                    needs: &[],
                    keys: &["room"],
                },
            ],
            routes: &[],
        };
        const CALLS: &'static [__rt::ActionFn<Self>] = &[
            |__handler, __call, __admitted, __reply| __rt::Box::pin(async move {
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A0> {
                    room: __A0,
                }
                let __arguments: __Arguments<_> = __rt::arguments(__call, __admitted)?;
                __rt::start(__call)?;
                let __output = Self::send(
                        __handler,
                        <P::Room as __rt::Argument<'_, _>>::take(__arguments.room),
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
                        <May<
                            P,
                        > as __rt::Permission<
                            Self,
                        >>::has_permission(
                                &May::<P> {},
                                __handler,
                                &__rt::Call::context(
                                    __call,
                                    <May<P> as __rt::Permission<Self>>::CAPTURES,
                                ),
                            )
                            .await
                    }
                    1 => {
                        <__BlockLeaf1 as __rt::Permission<
                            Self,
                        >>::has_permission(
                                &__BlockLeaf1 {},
                                __handler,
                                &__rt::Call::context(
                                    __call,
                                    <__BlockLeaf1 as __rt::Permission<Self>>::CAPTURES,
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
    }
};
