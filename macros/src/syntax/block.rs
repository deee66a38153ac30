//! The arguments of `#[consumer(…)]` and `#[handler(…)]`, and the impl block that carries the attribute.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, ItemImpl, LitStr, Path, Result, Type};

use super::Partial;
use super::key_value::{self, KeySet, error_at};
use super::permission::{PermissionSyntax, PermissionValue};
use super::rename_rule::RenameRule;

/// The attribute of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BlockKind {
    Consumer,
    Handler,
}

impl BlockKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Handler => "handler",
        }
    }
}

/// The keys of a block attribute that could be parsed.
#[derive(Default)]
pub(crate) struct BlockArgs {
    pub(crate) user: Option<Type>,
    pub(crate) permission: Option<PermissionValue>,
    /// A key that may be a permission could not be parsed.
    pub(crate) has_unreadable_permission: bool,
    /// A key could not be parsed.
    pub(crate) has_unreadable_key: bool,
    pub(crate) connect: Option<PermissionSyntax>,
    pub(crate) name: Option<LitStr>,
    pub(crate) rename_all: RenameRule,
    pub(crate) runtime: Option<Path>,
}

const TIMEOUT_HINT: (&str, &str) = (
    "timeout",
    "`timeout` is a key of `#[action]`; move it there, or set `Limits::action_timeout` for all actions of an endpoint",
);

const RATE_HINT: (&str, &str) = (
    "rate",
    "`rate` is a key of `#[action]`; move it there, or set `Limits::messages_per_connection` for all messages",
);

const CONSUMER_KEYS: KeySet = KeySet {
    owner: "#[consumer]",
    known: &["user", "permission", "connect", "name", "rename_all", "crate"],
    hints: &[("permissions", "unknown key `permissions`; write `permission`"), TIMEOUT_HINT, RATE_HINT],
};

const HANDLER_KEYS: KeySet = KeySet {
    owner: "#[handler]",
    known: &["user", "permission", "name", "rename_all", "crate"],
    hints: &[
        (
            "connect",
            "`connect` is a key of `#[consumer]`, since clients do not connect to a handler; move it there, or remove it",
        ),
        ("permissions", "unknown key `permissions`; write `permission`"),
        TIMEOUT_HINT,
        RATE_HINT,
    ],
};

impl BlockArgs {
    pub(crate) fn read(kind: BlockKind, tokens: TokenStream) -> Partial<Self> {
        let mentions_permission = key_value::mentions_permission(tokens.clone());
        let mut arguments = Self::default();
        let keys = if kind == BlockKind::Consumer { &CONSUMER_KEYS } else { &HANDLER_KEYS };
        let all = |input: ParseStream<'_>| {
            Ok(key_value::parse_keys(input, keys, &mut |key, input| arguments.key(kind, key, input)))
        };
        let error = all.parse2(tokens).unwrap_or_else(Some);
        arguments.has_unreadable_key = error.is_some();
        arguments.has_unreadable_permission = mentions_permission && arguments.has_unreadable_key;
        (arguments, error)
    }

    fn key(&mut self, kind: BlockKind, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "user" => {
                key_value::parse_equals(key, input, "Member")?;
                self.user = Some(parse_user_type(input)?);
            }
            "permission" => {
                key_value::parse_equals(key, input, "IsAuthenticated")?;
                self.permission = Some(reject_inherited_on_consumer(kind, PermissionValue::parse(input)?)?);
            }
            "connect" => {
                key_value::parse_equals(key, input, "IsAuthenticated")?;
                self.connect = Some(PermissionValue::parse(input)?.into_expression()?);
            }
            "name" => self.name = Some(key_value::parse_name(key, input, "\"Chat\"")?),
            "rename_all" => self.rename_all = RenameRule::parse(key, input)?,
            _ => {
                key_value::parse_equals(key, input, "::portcullis")?;
                self.runtime = Some(parse_crate_path(input)?);
            }
        }
        Ok(())
    }
}

fn reject_inherited_on_consumer(kind: BlockKind, value: PermissionValue) -> Result<PermissionValue> {
    match (kind, value) {
        (BlockKind::Consumer, PermissionValue::Inherited(at)) => {
            let message =
                "a consumer has no parent to inherit a permission from; write its permission, or remove the key";
            Err(error_at(at, message))
        }
        (_, value) => Ok(value),
    }
}

fn parse_user_type(input: ParseStream<'_>) -> Result<Type> {
    let at = input.span();
    input.parse().map_err(|_| syn::Error::new(at, "expected a user type; write, for example, `user = Member`"))
}

/// Parses the path in `crate = ::path` or `crate = "::path"`.
pub(super) fn parse_crate_path(input: ParseStream<'_>) -> Result<Path> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return literal.parse_with(Path::parse_mod_style).map_err(|_| {
            error_at(
                &literal,
                format_args!("`{}` is not a path; write, for example, `crate = ::portcullis`", literal.value()),
            )
        });
    }
    input.call(Path::parse_mod_style)
}

/// Parses the impl block.
///
/// # Errors
///
/// Fails if the item is not an inherent impl block. The macro cannot continue after that. The error is `None` for an impl
/// block with a syntax error, which the compiler reports itself.
pub(crate) fn parse_impl_block(
    kind: BlockKind,
    tokens: &TokenStream,
) -> std::result::Result<ItemImpl, Option<syn::Error>> {
    let name = kind.name();
    let block: ItemImpl = syn::parse2(tokens.clone()).map_err(|_| {
        if contains_impl_keyword(tokens) {
            return None;
        }
        let message = format!("`#[{name}]` can only be put on an impl block; write `#[{name}] impl Chat {{ … }}`");
        Some(syn::Error::new(first_word_span(tokens), message))
    })?;
    if let Some((path, _)) = &block.trait_ {
        let message = format!(
            "`#[{name}]` can only be put on an inherent impl block, not on the impl of a trait; write `impl Chat {{ … }}`"
        );
        return Err(Some(error_at(path, message)));
    }
    Ok(block)
}

fn contains_impl_keyword(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| matches!(token, proc_macro2::TokenTree::Ident(ident) if ident == "impl"))
}

/// Returns the span of the item's first identifier outside of attributes.
fn first_word_span(tokens: &TokenStream) -> proc_macro2::Span {
    let mut idents = tokens.clone().into_iter().filter(|token| matches!(token, proc_macro2::TokenTree::Ident(_)));
    idents.next().map_or_else(proc_macro2::Span::call_site, |ident| ident.span())
}
