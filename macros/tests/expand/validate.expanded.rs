impl Notes {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn add(&self, kind: Option<Kind>, folder: u64, draft: Draft) -> u64 {
        self.add_to(folder, kind, draft).await
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    fn replace(&self, note: Object<Note>, draft: Draft, pinned: bool) {
        self.replace_now(note, draft, pinned)
    }
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    use __rt::LeafDefaults as _;
    type __User = Member;
    type __BlockLeaf0 = AllowAny;
    static __BLOCK: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["AllowAny"],
        has_codenames: false,
    };
    #[derive(__rt::QuotedPermission)]
    #[quoted(type __Action1Leaf0 = Author;)]
    struct __Action1Quoted;
    static __ACTION1: __rt::Expression = __rt::Expression {
        tree: __rt::Expr::Leaf(0),
        leaves: &["Author(note)"],
        has_codenames: false,
    };
    #[automatically_derived]
    impl __rt::HandlerOrConsumerBlock for Notes {
        type BlockUser = __User;
        type Block = __rt::HandlerBlock;
        const DESCRIPTOR: &'static __rt::HandlerDescriptor = &__rt::HandlerDescriptor {
            name: "Notes",
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
                    name: "add",
                    permission: ::core::option::Option::None,
                    kept_leaves: 0,
                    headers: &[],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: Self::__portcullis_streams_add(),
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[
                        __rt::CaptureUse {
                            reader: "action `add`",
                            captures: &["folder"],
                        },
                    ],
                    message_keys: &["type", "draft"],
                },
                __rt::ActionDescriptor {
                    name: "replace",
                    permission: ::core::option::Option::Some(&__ACTION1),
                    kept_leaves: __rt::kept_leaves(
                        &[
                            <__rt::ObjectLeafOptions<
                                __Action1Leaf0,
                                <Object<Note> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__REEVALUATE,
                        ],
                    ),
                    headers: &[
                        <__rt::ObjectLeafOptions<
                            __Action1Leaf0,
                            <Object<Note> as __rt::LoadedParameter>::Item,
                            Self,
                        >>::__HEADERS,
                    ],
                    is_blocking: false,
                    is_detached: false,
                    is_stream: false,
                    is_in_order: false,
                    timeout: ::core::option::Option::None,
                    rate: ::core::option::Option::None,
                    capture_uses: &[
                        __rt::CaptureUse {
                            reader: "`Author(note)` of action `replace`",
                            captures: {
                                __rt::check_not_constant(
                                    <__rt::ObjectLeafOptions<
                                        __Action1Leaf0,
                                        <Object<Note> as __rt::LoadedParameter>::Item,
                                        Self,
                                    >>::__ANSWER,
                                    "`Author(note)` allows every object; write `AllowAny(note)`",
                                    "`Author(note)` is `DenyAll`, which takes no object; write `DenyAll` alone",
                                );
                                &[]
                            },
                        },
                        __rt::CaptureUse {
                            reader: "object `note`",
                            captures: <__rt::LoadOptions<
                                <Object<Note> as __rt::LoadedParameter>::Item,
                                Self,
                            >>::__CAPTURES,
                        },
                    ],
                    message_keys: &["note", "draft", "pinned"],
                },
            ],
            routes: &[],
        };
        const ACTION_FNS: &'static [__rt::ActionFn<Self>] = &[
            Self::__portcullis_action_add,
            Self::__portcullis_action_replace,
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
    impl Notes {
        #[doc(hidden)]
        fn __portcullis_action_add<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, __User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                let __p1: u64 = __rt::read_capture::<u64, _>(__call, "folder")?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A0, __A2> {
                    #[serde(rename = "type")]
                    kind: __A0,
                    draft: __A2,
                }
                let __arguments: __Arguments<_, _> = __rt::read_arguments(
                    __call,
                    __authorized,
                )?;
                let __p0: Option<Kind> = <Option<
                    Kind,
                > as __rt::Argument<'_, _>>::into_parameter(__arguments.kind);
                let __p2: Draft = <Draft as __rt::Argument<
                    '_,
                    _,
                >>::into_parameter(__arguments.draft);
                let mut __validation = __rt::Validation::start();
                <Option<
                    Kind,
                > as __rt::ValidatedArgument<
                    _,
                >>::validate_into(&__p0, "type", &mut __validation);
                <Draft as __rt::ValidatedArgument<
                    _,
                >>::validate_into(&__p2, "draft", &mut __validation);
                __rt::Validation::finish(__validation)?;
                __rt::start_action(__call)?;
                let __output = Self::add(__handler, __p0, __p1, __p2).await;
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
        const fn __portcullis_streams_add() -> ::core::primitive::bool {
            __rt::streams(
                &|__never: __rt::Infallible| {
                    __rt::future_output(
                            &Self::add(
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
        fn __portcullis_action_replace<'__a>(
            __handler: &'__a Self,
            __call: &'__a __rt::Call<'__a, __User>,
            __authorized: __rt::Authorized,
            __reply: &'__a mut __rt::Reply,
        ) -> __rt::ActionFuture<'__a> {
            <__rt::ActionBox<
                Self,
            >>::__pin(async move {
                let __evaluation = __rt::evaluate_before_loading(
                        __call,
                        &__ACTION1,
                        __rt::kept_leaves(
                            &[
                                <__rt::ObjectLeafOptions<
                                    __Action1Leaf0,
                                    <Object<Note> as __rt::LoadedParameter>::Item,
                                    Self,
                                >>::__REEVALUATE,
                            ],
                        ),
                        move |__leaf| async move {
                            match __leaf {
                                0 => {
                                    __rt::answer_before_loading(
                                        <__rt::ObjectLeafOptions<
                                            __Action1Leaf0,
                                            <Object<Note> as __rt::LoadedParameter>::Item,
                                            Self,
                                        >>::__ANSWER,
                                    )
                                }
                                _ => __rt::unknown_leaf(),
                            }
                        },
                    )
                    .await?;
                #[derive(__rt::serde::Deserialize)]
                #[serde(crate = "__rt::serde")]
                struct __Arguments<__A0, __A1, __A2> {
                    note: __A0,
                    draft: __A1,
                    pinned: __A2,
                }
                let __arguments: __Arguments<_, _, _> = __rt::read_arguments_for_evaluation(
                    __call,
                    &__evaluation,
                )?;
                let __p1: Draft = <Draft as __rt::Argument<
                    '_,
                    _,
                >>::into_parameter(__arguments.draft);
                let __p0 = <Object<
                    Note,
                > as __rt::ObjectParameter<
                    Self,
                >>::start_loading(__arguments.note, __call, "note")?;
                let __authorized = {
                    let __p0 = &__p0;
                    __rt::evaluate_objects(
                            __evaluation,
                            __authorized,
                            move |__leaf| async move {
                                match __leaf {
                                    0 => {
                                        __rt::LoadingObjects::evaluate_leaf(
                                                __p0,
                                                <Object<
                                                    Note,
                                                > as __rt::ObjectParameter<
                                                    Self,
                                                >>::fetch(&__p0, __handler, __call),
                                                move |__object| async move {
                                                    <__Action1Leaf0 as __rt::ObjectPermission<
                                                        <Object<Note> as __rt::LoadedParameter>::Item,
                                                        Self,
                                                    >>::has_object_permission(
                                                            &__Action1Leaf0 {},
                                                            __handler,
                                                            &__rt::Call::permission_context(__call),
                                                            __object,
                                                        )
                                                        .await
                                                },
                                            )
                                            .await
                                    }
                                    _ => __rt::unknown_leaf(),
                                }
                            },
                        )
                        .await?
                };
                __rt::check_execution(__call, &__authorized)?;
                let mut __validation = __rt::Validation::start();
                <Draft as __rt::ValidatedArgument<
                    _,
                >>::validate_into(&__p1, "draft", &mut __validation);
                __rt::Validation::finish(__validation)?;
                __rt::LoadingObjects::load(
                        &__p0,
                        <Object<
                            Note,
                        > as __rt::ObjectParameter<
                            Self,
                        >>::fetch(&__p0, __handler, __call),
                    )
                    .await?;
                let __p0 = <Object<
                    Note,
                > as __rt::ObjectParameter<Self>>::into_parameter(__p0, &__authorized)?;
                __rt::start_action(__call)?;
                let __output = Self::replace(
                    __handler,
                    __p0,
                    __p1,
                    <bool as __rt::Argument<'_, _>>::into_parameter(__arguments.pinned),
                );
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
        <Notes as __rt::HandlerOrConsumerBlock>::DESCRIPTOR,
    );
};
