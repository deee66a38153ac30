impl Votes {
    fn vote(
        &self,
        ballot: <Self as Election>::Ballot,
        round: <Self as Election>::Round,
    ) -> bool {
        self.count(ballot, round)
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
    #[automatically_derived]
    impl __rt::Handler for Votes {
        type User = ();
    }
    impl Votes {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl __rt::Dispatch for Votes {
        type Block = __rt::HandlerBlock;
        const NODE: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Votes",
            permission: ::core::option::Option::Some(&__BLOCK),
            inherited: false,
            needs: &[
                __rt::CaptureUse {
                    by: "permission `IsAuthenticated`",
                    captures: <__BlockLeaf0 as __rt::Permission<Self>>::CAPTURES,
                },
            ],
            actions: &[
                __rt::ActionDescriptor {
                    name: "vote",
                    permission: ::core::option::Option::None,
                    blocking: false,
                    detached: false,
                    needs: &[
                        __rt::CaptureUse {
                            by: "action `vote`",
                            captures: &["round"],
                        },
                    ],
                    keys: &["ballot"],
                },
            ],
            routes: &[],
        };
        const CALLS: &'static [__rt::ActionFn<Self>] = &[
            |__handler, __call, __admitted, __reply| __rt::Box::pin(async move {
                let __p1: <Self as Election>::Round = __rt::path::<
                    <Self as Election>::Round,
                    _,
                >(__call, "round")?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A0> {
                    ballot: __A0,
                }
                let __arguments: __Arguments<_> = __rt::arguments(__call, __admitted)?;
                __rt::start(__call)?;
                let __output = Self::vote(
                    __handler,
                    <<Self as Election>::Ballot as __rt::Argument<
                        '_,
                        _,
                    >>::take(__arguments.ballot),
                    __p1,
                );
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
    }
    const _: () = __rt::check_node(<Votes as __rt::Dispatch>::NODE);
};
