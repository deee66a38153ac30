//! The arguments of `#[group(…)]`.

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

/// The keys of `#[group]` that could be parsed.
#[derive(Default)]
pub(crate) struct GroupArgs {
    pub(crate) consumer: Option<Type>,
    pub(crate) permission: Option<PermissionSyntax>,
    pub(crate) events: Vec<Type>,
    pub(crate) public_name: Option<PublicName>,
    pub(crate) runtime: Option<Path>,
    /// Required keys that are written but may have failed to parse, so that they are not reported as missing too.
    pub(crate) unreadable_keys: UnreadableKeys,
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
        ("user", "a group uses the user type of its consumer; remove `user`"),
        (
            "name",
            "a group has the name of its type; remove `name`, or write `public_name = \"…\"` to set the name in frames",
        ),
    ],
};

impl GroupArgs {
    pub(crate) fn read(attribute: &Attribute) -> Partial<Self> {
        let mut arguments = Self::default();
        let mut errors = ErrorList(None);
        let all = |input: ParseStream<'_>| {
            Ok(key_value::parse_keys(input, &KEYS, &mut |key, input| arguments.key(key, input, &mut errors)))
        };
        if let Some(error) = parse_args(attribute, all).unwrap_or_else(Some) {
            errors.add(error);
        }
        if let (Some(_), Meta::List(list)) = (&errors.0, &attribute.meta) {
            let text = list.tokens.to_string();
            arguments.unreadable_keys = UnreadableKeys {
                consumer: text.contains("consumer"),
                permission: key_value::mentions_permission(list.tokens.clone()),
                events: text.contains("event"),
            };
        }
        (arguments, errors.0)
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
    input
        .parse()
        .map_err(|_| syn::Error::new(at, "expected the type of a consumer; write, for example, `consumer = Chat`"))
}

/// Parses `events(A, B)`. Reports a repeated type and leaves it out.
fn parse_events(key: &Ident, input: ParseStream<'_>, errors: &mut ErrorList) -> Result<Vec<Type>> {
    if !input.peek(token::Paren) {
        return Err(error_at(
            key,
            "`events` takes a list of types in parentheses; write, for example, `events(MessageCreated)`",
        ));
    }
    let content;
    parenthesized!(content in input);
    let tokens: TokenStream = content.parse()?;
    if tokens.is_empty() {
        return Err(error_at(
            key,
            "the `events` list is empty; name the events that the group carries, as in `events(MessageCreated)`",
        ));
    }
    let types = Punctuated::<Type, Token![,]>::parse_terminated.parse2(tokens.clone()).map_err(|error| {
        let span = error.span();
        syn::Error::new(span, "expected the types of events; write, for example, `events(MessageCreated, Typing)`")
    })?;
    let mut events: Vec<Type> = Vec::new();
    for ty in types {
        let text = print(ty.to_token_stream());
        if events.iter().any(|previous| print(previous.to_token_stream()) == text) {
            errors.add(error_at(&ty, format_args!("`{text}` is listed twice; remove one of them")));
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

    fn messages(attribute: &Attribute) -> Vec<String> {
        let (_, error) = GroupArgs::read(attribute);
        error.into_iter().flatten().map(|error| error.to_string()).collect()
    }

    #[test]
    fn group_args_with_keys_in_any_order_are_read() {
        let (arguments, error) = GroupArgs::read(
            &parse_quote!(#[group(events(A, b::B<C>,), permission = "D & e.f(g)", crate = ::p, consumer = Chat<u8>,)]),
        );
        assert!(error.is_none());
        assert_eq!(arguments.events.len(), 2);
        assert!(arguments.permission.is_some() && arguments.consumer.is_some() && arguments.runtime.is_some());
    }

    #[test]
    fn group_args_with_one_error_report_it() {
        for (attribute, expected) in [
            (parse_quote!(#[group(consumer)]), "write `consumer = Chat`"),
            (parse_quote!(#[group(consumer = 5)]), "expected the type of a consumer"),
            (parse_quote!(#[group(events)]), "in parentheses"),
            (parse_quote!(#[group(events = A)]), "in parentheses"),
            (parse_quote!(#[group(events())]), "list is empty"),
            (parse_quote!(#[group(events(5))]), "expected the types of events"),
            (parse_quote!(#[group(events(A B))]), "expected the types of events"),
            (parse_quote!(#[group(events(A, a::B, a :: B))]), "`a::B` is listed twice"),
            (parse_quote!(#[group(event(A))]), "write `events(…)`"),
            (parse_quote!(#[group(permission = inherited)]), "no permission to inherit"),
            (parse_quote!(#[group(permissions = A)]), "write `permission`"),
            (
                parse_quote!(#[group(nonsense)]),
                "`#[group]` takes `consumer`, `permission`, `events`, `public_name`, `crate`",
            ),
            (parse_quote!(#[group(name = "rooms")]), "write `public_name = \"…\"`"),
            (parse_quote!(#[group(public_name)]), "write `public_name = \"rooms/{room_id}\"`"),
            (parse_quote!(#[group(public_name = rooms)]), "`public_name` is a string"),
            (parse_quote!(#[group(public_name = 5)]), "`public_name` is a string"),
            (parse_quote!(#[group(public_name = "")]), "name is empty"),
            (parse_quote!(#[group(public_name = "a{")]), "unclosed"),
            (parse_quote!(#[group = "A"]), "write `#[group(…)]`"),
        ] {
            let messages = messages(&attribute);
            assert_eq!(messages.len(), 1, "{expected}: {messages:?}");
            assert!(messages[0].contains(expected), "{messages:?}");
        }
    }

    #[test]
    fn group_args_with_several_errors_report_all() {
        assert_eq!(messages(&parse_quote!(#[group(consumer, permission = A &, events(A, A), crate = 5)])).len(), 4);
    }
}
