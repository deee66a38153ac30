//! The inside of `#[group(…)]`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Meta, Path, Result, Token, Type, parenthesized, token};

use super::Partial;
use super::attribute::parse_args;
use super::block::parse_crate_path;
use super::key_value::{self, ErrorList, KeySet, error_at};
use super::permission::{PermissionSyntax, PermissionValue};
use super::public_name::PublicName;
use super::token_string::print;

/// The keys of a group, as far as they could be read.
#[derive(Default)]
pub(crate) struct GroupArgs {
    pub(crate) consumer: Option<Type>,
    pub(crate) permission: Option<PermissionSyntax>,
    pub(crate) events: Vec<Type>,
    pub(crate) public_name: Option<PublicName>,
    pub(crate) runtime: Option<Path>,
    /// Keys that were tried and could not be read: that error is enough.
    pub(crate) unreadable: UnreadableKeys,
}

#[derive(Default)]
pub(crate) struct UnreadableKeys {
    pub(crate) consumer: bool,
    pub(crate) permission: bool,
    pub(crate) events: bool,
}

const KEYS: KeySet = KeySet {
    attribute: "group",
    known: &["consumer", "permission", "events", "public_name", "crate"],
    hints: &[
        ("permissions", "unknown key `permissions`; write `permission`"),
        ("event", "unknown key `event`; write `events(…)`"),
        ("user", "the consumer says who its users are; remove `user`"),
        ("name", "a group is called as its type is; remove `name`, as what frames show is `public_name = \"…\"`"),
    ],
};

impl GroupArgs {
    pub(crate) fn read(attribute: &Attribute) -> Partial<Self> {
        let mut arguments = Self::default();
        let mut inner = ErrorList(None);
        let all = |input: ParseStream<'_>| {
            Ok(key_value::parse_keys(input, &KEYS, &mut |key, input| arguments.key(key, input, &mut inner)))
        };
        if let Some(error) = parse_args(attribute, all).unwrap_or_else(Some) {
            inner.add(error);
        }
        if let (Some(_), Meta::List(list)) = (&inner.0, &attribute.meta) {
            let words = list.tokens.to_string();
            arguments.unreadable = UnreadableKeys {
                consumer: words.contains("consumer"),
                permission: key_value::mentions_permission(list.tokens.clone()),
                events: words.contains("event"),
            };
        }
        (arguments, inner.0)
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>, errors: &mut ErrorList) -> Result<()> {
        match key.to_string().as_str() {
            "consumer" => {
                key_value::parse_equals(key, input, "Chat")?;
                self.consumer = Some(parse_consumer(input)?);
            }
            "permission" => {
                key_value::parse_equals(key, input, "IsAuthenticated")?;
                self.permission = Some(PermissionValue::parse(input)?.into_required_expression()?);
            }
            "events" => self.events = parse_events(key, input, errors)?,
            "public_name" => self.public_name = Some(PublicName::read(key, input)?),
            _ => {
                key_value::parse_equals(key, input, "::portcullis")?;
                self.runtime = Some(parse_crate_path(input)?);
            }
        }
        Ok(())
    }
}

fn parse_consumer(input: ParseStream<'_>) -> Result<Type> {
    let at = input.span();
    input.parse().map_err(|_| syn::Error::new(at, "expected the type of a consumer; write `consumer = Chat`, say"))
}

/// `events(A, B)`; one that stands there twice is left out.
fn parse_events(key: &Ident, input: ParseStream<'_>, errors: &mut ErrorList) -> Result<Vec<Type>> {
    if !input.peek(token::Paren) {
        return Err(error_at(key, "`events` lists types in parentheses; write `events(MessageCreated)`, say"));
    }
    let inside;
    parenthesized!(inside in input);
    let written: TokenStream = inside.parse()?;
    if written.is_empty() {
        return Err(error_at(key, "the list is empty; name what the group carries, as in `events(MessageCreated)`"));
    }
    let types = Punctuated::<Type, Token![,]>::parse_terminated.parse2(written.clone()).map_err(|error| {
        let span = error.span();
        syn::Error::new(span, "expected the types of events; write `events(MessageCreated, Typing)`, say")
    })?;
    let mut events: Vec<Type> = Vec::new();
    for ty in types {
        let text = print(ty.to_token_stream());
        if events.iter().any(|earlier| print(earlier.to_token_stream()) == text) {
            errors.add(error_at(&ty, format_args!("`{text}` stands here twice; remove one of them")));
        } else {
            events.push(ty);
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::GroupArgs;
    use syn::{Attribute, parse_quote};

    fn told(attribute: &Attribute) -> Vec<String> {
        let (_, error) = GroupArgs::read(attribute);
        error.into_iter().flatten().map(|error| error.to_string()).collect()
    }

    #[test]
    fn the_keys_come_in_any_order() {
        let (arguments, error) = GroupArgs::read(
            &parse_quote!(#[group(events(A, b::B<C>,), permission = "D & e.f(g)", crate = ::p, consumer = Chat<u8>,)]),
        );
        assert!(error.is_none());
        assert_eq!(arguments.events.len(), 2);
        assert!(arguments.permission.is_some() && arguments.consumer.is_some() && arguments.runtime.is_some());
    }

    #[test]
    fn each_mistake_has_its_words() {
        for (attribute, words) in [
            (parse_quote!(#[group(consumer)]), "write `consumer = Chat`"),
            (parse_quote!(#[group(consumer = 5)]), "expected the type of a consumer"),
            (parse_quote!(#[group(events)]), "in parentheses"),
            (parse_quote!(#[group(events = A)]), "in parentheses"),
            (parse_quote!(#[group(events())]), "the list is empty"),
            (parse_quote!(#[group(events(5))]), "expected the types of events"),
            (parse_quote!(#[group(events(A B))]), "expected the types of events"),
            (parse_quote!(#[group(events(A, a::B, a :: B))]), "`a::B` stands here twice"),
            (parse_quote!(#[group(event(A))]), "write `events(…)`"),
            (parse_quote!(#[group(permission = inherited)]), "nothing to inherit"),
            (parse_quote!(#[group(permissions = A)]), "write `permission`"),
            (
                parse_quote!(#[group(nonsense)]),
                "`#[group]` takes `consumer`, `permission`, `events`, `public_name`, `crate`",
            ),
            (parse_quote!(#[group(name = "rooms")]), "what frames show is `public_name = \"…\"`"),
            (parse_quote!(#[group(public_name)]), "write `public_name = \"rooms/{room_id}\"`"),
            (parse_quote!(#[group(public_name = rooms)]), "`public_name` is a string"),
            (parse_quote!(#[group(public_name = 5)]), "`public_name` is a string"),
            (parse_quote!(#[group(public_name = "")]), "the name is empty"),
            (parse_quote!(#[group(public_name = "a{")]), "is never closed"),
            (parse_quote!(#[group = "A"]), "write `#[group(…)]`"),
        ] {
            let told = told(&attribute);
            assert_eq!(told.len(), 1, "{words}: {told:?}");
            assert!(told[0].contains(words), "{told:?}");
        }
    }

    #[test]
    fn a_mistake_does_not_hide_the_next() {
        assert_eq!(told(&parse_quote!(#[group(consumer, permission = A &, events(A, A), crate = 5)])).len(), 4);
    }
}
