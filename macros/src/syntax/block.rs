//! The inside of `#[consumer(…)]` and `#[handler(…)]`, and the impl block they stand on.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, ItemImpl, LitStr, Path, Result, Type};

use super::Read;
use super::key_value::{self, Keys, refuse};
use super::permission::{Expression, Written};

/// Which of the two block attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Consumer,
    Handler,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Handler => "handler",
        }
    }
}

/// The keys of a block attribute, as far as they could be read.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) user: Option<Type>,
    pub(crate) permission: Option<Written>,
    /// Something could not be read, and it may have been a permission.
    pub(crate) tried_permission: bool,
    pub(crate) connect: Option<Expression>,
    pub(crate) name: Option<LitStr>,
    pub(crate) runtime: Option<Path>,
}

const CONSUMER: Keys = Keys {
    attribute: "consumer",
    known: &["user", "permission", "connect", "name", "crate"],
    elsewhere: &[("permissions", "unknown key `permissions`; write `permission`")],
};

const HANDLER: Keys = Keys {
    attribute: "handler",
    known: &["user", "permission", "name", "crate"],
    elsewhere: &[
        ("connect", "`connect` goes on `#[consumer]`; a handler has no door of its own"),
        ("permissions", "unknown key `permissions`; write `permission`"),
    ],
};

impl Arguments {
    pub(crate) fn read(kind: Kind, tokens: TokenStream) -> Read<Self> {
        let meant = key_value::means_permission(tokens.clone());
        let mut arguments = Self::default();
        let keys = if kind == Kind::Consumer { &CONSUMER } else { &HANDLER };
        let all = |input: ParseStream<'_>| {
            Ok(key_value::read(input, keys, &mut |key, input| arguments.key(kind, key, input)))
        };
        let error = all.parse2(tokens).unwrap_or_else(Some);
        arguments.tried_permission = meant && error.is_some();
        (arguments, error)
    }

    fn key(&mut self, kind: Kind, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "user" => {
                key_value::equals(key, input, "Member")?;
                self.user = Some(user(input)?);
            }
            "permission" => {
                key_value::equals(key, input, "IsAuthenticated")?;
                self.permission = Some(permission(kind, Written::parse(input)?)?);
            }
            "connect" => {
                key_value::equals(key, input, "IsAuthenticated")?;
                self.connect = Some(Written::parse(input)?.asked()?);
            }
            "name" => self.name = Some(key_value::name(key, input, "\"Chat\"")?),
            _ => {
                key_value::equals(key, input, "::portcullis")?;
                self.runtime = Some(runtime(input)?);
            }
        }
        Ok(())
    }
}

fn permission(kind: Kind, written: Written) -> Result<Written> {
    match (kind, written) {
        (Kind::Consumer, Written::Inherited(at)) => {
            let message = "nothing stands above a consumer to inherit from; write its permission, or leave the key out";
            Err(refuse(at, message))
        }
        (_, written) => Ok(written),
    }
}

fn user(input: ParseStream<'_>) -> Result<Type> {
    let at = input.span();
    input.parse().map_err(|_| syn::Error::new(at, "expected the type of your users; write `user = Member`, say"))
}

/// `crate = ::path` or `crate = "::path"`.
pub(super) fn runtime(input: ParseStream<'_>) -> Result<Path> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return literal.parse_with(Path::parse_mod_style).map_err(|_| {
            refuse(&literal, format_args!("`{}` is no path; write `crate = ::portcullis`, say", literal.value()))
        });
    }
    input.call(Path::parse_mod_style)
}

/// The impl block itself; anything else cannot be gone on with.
pub(crate) fn item(kind: Kind, tokens: &TokenStream) -> Result<ItemImpl> {
    let name = kind.name();
    let block: ItemImpl = syn::parse2(tokens.clone()).map_err(|error| {
        if is_impl(tokens) {
            return error;
        }
        let message = format!("`#[{name}]` goes on an impl block; write `#[{name}] impl Chat {{ … }}`");
        syn::Error::new(header(tokens), message)
    })?;
    if let Some((path, _)) = &block.trait_ {
        let message = format!(
            "`#[{name}]` goes on the type's own impl block, not on an impl of a trait; write `impl Chat {{ … }}`"
        );
        return Err(refuse(path, message));
    }
    Ok(block)
}

fn is_impl(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| matches!(token, proc_macro2::TokenTree::Ident(word) if word == "impl"))
}

/// The item's first word that is no attribute.
fn header(tokens: &TokenStream) -> proc_macro2::Span {
    let mut words = tokens.clone().into_iter().filter(|token| matches!(token, proc_macro2::TokenTree::Ident(_)));
    words.next().map_or_else(proc_macro2::Span::call_site, |word| word.span())
}
