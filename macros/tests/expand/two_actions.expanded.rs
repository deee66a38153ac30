impl Notes {
    /// All notes.
    async fn list(&self, cx: &Context<'_, Member>) -> Result<Vec<Note>> {
        self.store.of(cx.require_user()?).await
    }
    fn clear(&self) -> NoContent {
        self.store.clear();
        NoContent
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
    impl __rt::Handler for Notes {
        type User = Member;
    }
    impl Notes {
        #[doc(hidden)]
        fn _a_type_has_one_handler_or_consumer_block() {}
    }
    #[automatically_derived]
    impl __rt::Dispatch for Notes {
        type Block = __rt::HandlerBlock;
        const NODE: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Notes",
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
                    name: "list",
                    permission: ::core::option::Option::None,
                    blocking: false,
                    detached: false,
                    needs: &[],
                    keys: &[],
                },
                __rt::ActionDescriptor {
                    name: "notes.clear",
                    permission: ::core::option::Option::None,
                    blocking: true,
                    detached: true,
                    needs: &[],
                    keys: &[],
                },
            ],
            routes: &[],
        };
        const CALLS: &'static [__rt::ActionFn<Self>] = &[
            |__handler, __call, __admitted, __reply| __rt::Box::pin(async move {
                __rt::no_arguments(__call, &__admitted)?;
                __rt::start(__call)?;
                let __output = Self::list(
                        __handler,
                        &__rt::Call::<
                            '_,
                            <Self as __rt::Handler>::User,
                        >::whole_context(__call),
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
            |__handler, __call, __admitted, __reply| __rt::Box::pin(async move {
                __rt::no_arguments(__call, &__admitted)?;
                __rt::start(__call)?;
                let __output = Self::clear(__handler);
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
    const _: () = __rt::check_node(<Notes as __rt::Dispatch>::NODE);
};
