//! The inside of `#[route("pattern", …)]`.

use proc_macro2::TokenStream;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Meta, Result, Token};

use super::Read;
use super::attribute::inside;
use super::key_value::{self, Errors, Keys, refuse};
use super::pattern::Pattern;
use super::permission::{Expression, Written};

/// A route's pattern and keys, as far as they could be read.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) pattern: Option<Pattern>,
    pub(crate) permission: Option<Expression>,
}

const KEYS: Keys = Keys {
    attribute: "route",
    known: &["permission"],
    elsewhere: &[
        ("permissions", "unknown key `permissions`; write `permission`"),
        ("name", "a route has no name; its pattern comes first, as in `#[route(\"rooms/{room_id}/\")]`"),
        ("user", "`user` goes on the handler's own block; write `#[handler(user = …)]`"),
    ],
};

const MISSING: &str = "a route begins with its pattern; write `#[route(\"rooms/{room_id}/\")]`, say";

impl Arguments {
    pub(crate) fn read(attribute: &Attribute) -> Read<Self> {
        let mut arguments = Self::default();
        if matches!(attribute.meta, Meta::Path(_)) {
            return (arguments, Some(refuse(attribute, MISSING)));
        }
        let error = inside(attribute, |input| Ok(arguments.all(input))).unwrap_or_else(Some);
        (arguments, error)
    }

    fn all(&mut self, input: ParseStream<'_>) -> Option<syn::Error> {
        let mut errors = Errors(None);
        if input.peek(LitStr) {
            self.pattern = errors.note(input.parse().and_then(Pattern::read));
            if !input.is_empty() && !input.peek(Token![,]) {
                errors.add(input.error("expected a `,` before this; it separates the keys from the pattern"));
                return drain(input, errors);
            }
            errors.note(input.parse::<Option<Token![,]>>());
        } else {
            errors.add(input.error(MISSING));
            return drain(input, errors);
        }
        if let Some(error) = key_value::read(input, &KEYS, &mut |key, input| self.key(key, input)) {
            errors.add(error);
        }
        errors.0
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        key_value::equals(key, input, "IsAuthenticated")?;
        self.permission = Some(Written::parse(input)?.asked()?);
        Ok(())
    }
}

/// Takes what cannot be understood, so that the parser does not report it once more.
fn drain(input: ParseStream<'_>, errors: Errors) -> Option<syn::Error> {
    let rest: Result<TokenStream> = input.parse();
    drop(rest);
    errors.0
}
