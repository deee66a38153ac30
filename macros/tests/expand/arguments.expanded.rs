impl Search {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn search(
        &self,
        text: &str,
        page: u32,
        limit: u32,
        kind: Option<Kind>,
        language: Language,
    ) -> Found {
        self.index.search(text, page, limit, kind, language).await
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn stop(&self) {}
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    type __BlockLeaf0 = IsAuthenticated;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["IsAuthenticated"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Search {
        type BlockUser = __User;
        type Block = __rt::HandlerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Search",
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
                    name: "search",
                    permission: ::core::option::Option::None,
                    kept_leaves: 0,
                    headers: &[],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: Self::__portcullis_streams_search(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[],
                    message_keys: &["text", "page", "limit", "type"],
                },
                __rt::ActionDescriptor {
                    name: "stop",
                    permission: ::core::option::Option::None,
                    kept_leaves: 0,
                    headers: &[],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: false,
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[],
                    message_keys: &[],
                },
            ],
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_search,
            Self::__portcullis_action_stop,
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
    impl Search {
        #[doc(hidden)]
        fn __portcullis_action_search<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, __User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                #[serde(deny_unknown_fields)]
                struct __Arguments<__A0, __A1, __A3> {
                    text: __A0,
                    #[serde(default)]
                    page: __A1,
                    #[serde(default = "fifty")]
                    limit: u32,
                    #[serde(rename = "type")]
                    kind: __A3,
                }
                let __arguments: __Arguments<_, _, _> = __rt::read_arguments(
                    __call,
                    __authorized,
                )?;
                let __p4: Language = <Language as __rt::FromContext<
                    Self,
                >>::from_context(
                        __handler,
                        &__rt::Call::<
                            '_,
                            <Self as __rt::Handler>::User,
                        >::whole_context(__call),
                    )
                    .await?;
                __rt::start_action(__call)?;
                let __output = Self::search(
                        __handler,
                        <&str as __rt::Argument<
                            '_,
                            _,
                        >>::into_parameter(__arguments.text),
                        <u32 as __rt::Argument<'_, _>>::into_parameter(__arguments.page),
                        __arguments.limit,
                        <Option<
                            Kind,
                        > as __rt::Argument<'_, _>>::into_parameter(__arguments.kind),
                        __p4,
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
        const fn __portcullis_streams_search() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::future_output(
                            &Self::search(
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
        fn __portcullis_action_stop<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, __User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                #[serde(deny_unknown_fields)]
                struct __Arguments {}
                let __arguments: __Arguments = __rt::read_arguments(
                    __call,
                    __authorized,
                )?;
                __rt::start_action(__call)?;
                let __output = Self::stop(__handler).await;
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
    }
    const _: () = __rt::check_descriptor(
        <Search as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
