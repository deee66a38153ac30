//! The arguments of `#[route("pattern", …)]`.

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Meta, Result, Token};

use super::Partial;
use super::attribute::parse_args;
use super::key_value::{self, ErrorList, KeySet, error_at};
use super::pattern::Pattern;
use super::permission::{PermissionSyntax, PermissionValue};

/// The pattern and the keys of `#[route]` that could be parsed.
#[derive(Default)]
pub(crate) struct RouteArgs {
    pub(crate) pattern: Option<Pattern>,
    pub(crate) permission: Option<PermissionSyntax>,
}

const KEYS: KeySet = KeySet {
    owner: "#[route]",
    known: &["permission"],
    hints: &[
        ("permissions", "unknown key `permissions`; write `permission`"),
        ("name", "`#[route]` has no `name`; write its pattern first, as in `#[route(\"rooms/{room_id}/\")]`"),
        ("timeout", "`timeout` is a key of `#[action]`; move it to the actions of the handler"),
        ("rate", "`rate` is a key of `#[action]`; move it to the actions of the handler"),
        ("user", "`user` is a key of the handler's block; write `#[handler(user = …)]`"),
    ],
};

const MISSING_PATTERN: &str =
    "the first argument of `#[route]` is its pattern; write, for example, `#[route(\"rooms/{room_id}/\")]`";

impl RouteArgs {
    pub(crate) fn read(attribute: &Attribute) -> Partial<Self> {
        let mut arguments = Self::default();
        if matches!(attribute.meta, Meta::Path(_)) {
            return (arguments, Some(error_at(attribute, MISSING_PATTERN)));
        }
        let error = parse_args(attribute, |input| Ok(arguments.parse(input))).unwrap_or_else(Some);
        (arguments, error)
    }

    fn parse(&mut self, input: ParseStream<'_>) -> Option<syn::Error> {
        let mut errors = ErrorList(None);
        if input.peek(LitStr) {
            self.pattern = errors.record(input.parse().and_then(Pattern::read));
            if !input.is_empty() && !input.peek(Token![,]) {
                errors.add(input.error("expected a `,` before this, to separate the keys from the pattern"));
                return discard_rest(input, errors);
            }
            errors.record(input.parse::<Option<Token![,]>>());
        } else {
            errors.add(input.error(MISSING_PATTERN));
            return discard_rest(input, errors);
        }
        if let Some(error) = key_value::parse_keys(input, &KEYS, &mut |key, input| self.key(key, input)) {
            errors.add(error);
        }
        errors.0
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        key_value::parse_equals(key, input, "IsAuthenticated")?;
        self.permission = Some(PermissionValue::parse(input)?.into_expression()?);
        Ok(())
    }
}

/// Consumes the rest of the input, so that the parser does not report it as a second error.
fn discard_rest(input: ParseStream<'_>, errors: ErrorList) -> Option<syn::Error> {
    let rest: Result<TokenStream> = input.parse();
    drop(rest);
    errors.0
}
