pub struct MessageCreated {
    pub room: RoomId,
    #[serde(skip)]
    pub r#type: Option<String>,
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    #[automatically_derived]
    impl __rt::Event for MessageCreated {
        const NAME: &'static ::core::primitive::str = "chat.MessageCreated";
        const IS_LOCAL: ::core::primitive::bool = false;
        const PATH: &'static ::core::primitive::str = ::core::concat!(
            ::core::module_path!(), "::", "MessageCreated"
        );
        const FINGERPRINT: ::core::primitive::u64 = __rt::fingerprint(
            "struct chat.MessageCreated {room: RoomId, type: Option<String>}",
        );
        const CODEC: ::core::option::Option<__rt::Codec<Self>> = ::core::option::Option::Some(__rt::Codec {
            encode: |__value, __encoder| {
                let Self { room: __field0, r#type: __field1 } = __value;
                __rt::FieldEncoder::event_field(__encoder, __field0)?;
                __rt::FieldEncoder::event_field(__encoder, __field1)?;
                ::core::result::Result::Ok(())
            },
            decode: |__decoder| {
                ::core::result::Result::Ok(Self {
                    room: __rt::FieldDecoder::event_field(__decoder)?,
                    r#type: __rt::FieldDecoder::event_field(__decoder)?,
                })
            },
        });
        fn compare_fields(
            &self,
            __other: &Self,
        ) -> ::std::vec::Vec<__rt::FieldEquality> {
            use __rt::{EqualityOfAny as _, EqualityOfPartialEq as _};
            let __one = self;
            let (
                Self { room: __one0, r#type: __one1 },
                Self { room: __other0, r#type: __other1 },
            ) = (__one, __other);
            ::std::vec![
                ("room", (& __rt::Compared(__one0, __other0)).are_equal()), ("type", (&
                __rt::Compared(__one1, __other1)).are_equal())
            ]
        }
    }
    #[automatically_derived]
    impl __rt::DistributedEvent for MessageCreated {}
};
enum Moved<T: Clone, const N: usize>
where
    T: Ord,
{
    Nowhere,
    To(T, [u8; N]),
    Back { from: T },
}
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::portcullis::__private as __rt;
    #[automatically_derived]
    impl<T: Clone, const N: usize> __rt::Event for Moved<T, N>
    where
        T: Ord,
        T: ::core::marker::Send + ::core::marker::Sync + 'static + __rt::EventField,
    {
        const NAME: &'static ::core::primitive::str = "Moved";
        const IS_LOCAL: ::core::primitive::bool = false;
        const PATH: &'static ::core::primitive::str = ::core::concat!(
            ::core::module_path!(), "::", "Moved"
        );
        const FINGERPRINT: ::core::primitive::u64 = __rt::fingerprint(
            "enum Moved {Nowhere {}, To {0: T, 1: [u8; N]}, Back {from: T}}",
        );
        const CODEC: ::core::option::Option<__rt::Codec<Self>> = ::core::option::Option::Some(__rt::Codec {
            encode: |__value, __encoder| {
                match __value {
                    Self::Nowhere {} => {
                        __rt::FieldEncoder::variant(__encoder, 0u32);
                    }
                    Self::To { 0: __field0, 1: __field1 } => {
                        __rt::FieldEncoder::variant(__encoder, 1u32);
                        __rt::FieldEncoder::event_field(__encoder, __field0)?;
                        __rt::FieldEncoder::event_field(__encoder, __field1)?;
                    }
                    Self::Back { from: __field0 } => {
                        __rt::FieldEncoder::variant(__encoder, 2u32);
                        __rt::FieldEncoder::event_field(__encoder, __field0)?;
                    }
                }
                ::core::result::Result::Ok(())
            },
            decode: |__decoder| {
                match __rt::FieldDecoder::variant(__decoder)? {
                    0u32 => ::core::result::Result::Ok(Self::Nowhere {}),
                    1u32 => {
                        ::core::result::Result::Ok(Self::To {
                            0: __rt::FieldDecoder::event_field(__decoder)?,
                            1: __rt::FieldDecoder::event_field(__decoder)?,
                        })
                    }
                    2u32 => {
                        ::core::result::Result::Ok(Self::Back {
                            from: __rt::FieldDecoder::event_field(__decoder)?,
                        })
                    }
                    _ => {
                        ::core::result::Result::Err(
                            __rt::FieldDecoder::unknown_variant(),
                        )
                    }
                }
            },
        });
        fn compare_fields(
            &self,
            __other: &Self,
        ) -> ::std::vec::Vec<__rt::FieldEquality> {
            use __rt::{EqualityOfAny as _, EqualityOfPartialEq as _};
            let __one = self;
            match (__one, __other) {
                (Self::Nowhere {}, Self::Nowhere {}) => ::std::vec![],
                (
                    Self::To { 0: __one0, 1: __one1 },
                    Self::To { 0: __other0, 1: __other1 },
                ) => {
                    ::std::vec![
                        ("0", (& __rt::Compared(__one0, __other0)).are_equal()), ("1", (&
                        __rt::Compared(__one1, __other1)).are_equal())
                    ]
                }
                (Self::Back { from: __one0 }, Self::Back { from: __other0 }) => {
                    ::std::vec![
                        ("from", (& __rt::Compared(__one0, __other0)).are_equal())
                    ]
                }
                _ => ::std::vec![],
            }
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> __rt::DistributedEvent for Moved<T, N>
    where
        T: Ord,
        T: ::core::marker::Send + ::core::marker::Sync + 'static + __rt::EventField,
    {}
};
struct Typing<T>(T, Sender<()>);
#[allow(unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)]
const _: () = {
    use ::sockets::__private as __rt;
    #[automatically_derived]
    impl<T> __rt::Event for Typing<T>
    where
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        const NAME: &'static ::core::primitive::str = "Typing";
        const IS_LOCAL: ::core::primitive::bool = true;
        const PATH: &'static ::core::primitive::str = ::core::concat!(
            ::core::module_path!(), "::", "Typing"
        );
        const FINGERPRINT: ::core::primitive::u64 = __rt::fingerprint(
            "struct Typing {0: T, 1: Sender<()>}",
        );
    }
};
