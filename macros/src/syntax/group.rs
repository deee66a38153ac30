//! The arguments of `#[group(…)]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitStr, Meta, Path, Result, Token, Type, parenthesized, token};

use super::Partial;
use super::attribute::parse_args;
use super::block::parse_crate_path;
use super::history::History;
use super::key_value::{self, ErrorList, KeySet, error_at};
use super::leaf::Leaf;
use super::permission::{PermissionSyntax, PermissionValue, SyntaxTree};
use super::public_name::PublicName;
use super::token_string::print;

/// The keys of `#[group]` that could be parsed.
#[derive(Default)]
pub(crate) struct GroupArgs {
    pub(crate) consumer: Option<Type>,
    pub(crate) permission: Option<PermissionSyntax>,
    pub(crate) publish: Option<PublishSyntax>,
    pub(crate) presence: Option<PermissionSyntax>,
    /// The key itself, for errors to underline.
    pub(crate) announce: Option<Ident>,
    pub(crate) history: Option<History>,
    pub(crate) events: Vec<Type>,
    pub(crate) public_name: Option<PublicName>,
    pub(crate) name: Option<LitStr>,
    /// Whether the events of the group never leave their machine.
    pub(crate) is_local: bool,
    pub(crate) runtime: Option<Path>,
    /// Required keys that are written but may have failed to parse, so that they are not reported as missing too.
    pub(crate) unreadable_keys: UnreadableKeys,
}

/// The value of the `publish` key.
pub(crate) enum PublishSyntax {
    /// The word `members`.
    Members,
    Expression(Box<PermissionSyntax>),
}

#[derive(Default)]
pub(crate) struct UnreadableKeys(Vec<&'static str>);

impl UnreadableKeys {
    pub(crate) fn contains(&self, key: &str) -> bool {
        self.0.contains(&key)
    }
}

const KEYS: KeySet = KeySet {
    owner: "#[group]",
    known: &[
        "consumer",
        "permission",
        "publish",
        "events",
        "presence",
        "announce",
        "history",
        "public_name",
        "name",
        "local",
        "crate",
    ],
    hints: &[
        ("permissions", "unknown key `permissions`; write `permission`"),
        ("publishing", "unknown key `publishing`; write `publish`"),
        ("event", "unknown key `event`; write `events(…)`"),
        (
            "age",
            "`age` belongs in the list of `history`; write `history(events = 100, age = \"10m\", since = AllowAny)`",
        ),
        (
            "since",
            "`since` belongs in the list of `history`; write `history(events = 100, age = \"10m\", since = AllowAny)`",
        ),
        ("user", "a group uses the user type of its consumer; remove `user`"),
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
            let text = without_history(list.tokens.clone()).to_string();
            let is_written = [
                ("consumer", text.contains("consumer")),
                ("permission", key_value::mentions_permission(list.tokens.clone())),
                ("publish", text.contains("publish")),
                ("presence", text.contains("presence")),
                ("public_name", text.contains("public_name")),
                ("events", text.contains("event")),
            ];
            let written = is_written.into_iter().filter(|(_, is_written)| *is_written).map(|(key, _)| key);
            arguments.unreadable_keys = UnreadableKeys(written.collect());
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
                let expression = PermissionValue::parse(input)?.into_required_expression()?;
                let message = "`members` is only valid in `publish = members`; \
                               name a permission here, or write `AllowAny` to allow everyone";
                self.permission = Some(reject_members(expression, message)?);
            }
            "publish" => {
                key_value::parse_equals(key, input, "members")?;
                self.publish = Some(parse_publish(input)?);
            }
            "presence" => {
                key_value::parse_equals(key, input, "AllowAny")?;
                let expression = PermissionValue::parse(input)?.into_required_expression()?;
                let message = "`members` is only valid in `publish = members`; write `AllowAny` if everyone may see every \
                               member, or a leaf about both, such as `SharesTeam(member)`";
                self.presence = Some(reject_members(expression, message)?);
            }
            "announce" => self.announce = Some(key_value::parse_flag(key, input)?),
            "history" => {
                let (history, error) = History::read(key, input);
                self.history = Some(history);
                return error.map_or(Ok(()), Err);
            }
            "events" => self.events = parse_events(key, input, errors)?,
            "name" => self.name = Some(parse_group_name(key, input)?),
            "local" => {
                key_value::parse_flag(key, input)?;
                self.is_local = true;
            }
            "public_name" => self.public_name = Some(PublicName::read(key, input)?),
            _ => {
                key_value::parse_equals(key, input, "::portcullis")?;
                self.runtime = Some(parse_crate_path(input)?);
            }
        }
        Ok(())
    }
}

/// Returns the tokens without the list of `history`, which has an `events` of its own.
fn without_history(tokens: TokenStream) -> TokenStream {
    let mut is_list = false;
    let is_kept = |token: &TokenTree| {
        let is_dropped = is_list && matches!(token, TokenTree::Group(_));
        is_list = matches!(token, TokenTree::Ident(key) if key == "history");
        !is_dropped
    };
    tokens.into_iter().filter(is_kept).collect()
}

/// Parses the name of the type. One with fields in braces is meant for frames.
fn parse_group_name(key: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    key_value::parse_name(key, input, "\"Room\"").map_err(|error| {
        let hint = format!("{error}; write `public_name = \"…\"` to set the name in frames");
        if error.to_string().contains("not allowed") { syn::Error::new(error.span(), hint) } else { error }
    })
}

fn parse_consumer(input: ParseStream<'_>) -> Result<Type> {
    let at = input.span();
    input
        .parse()
        .map_err(|_| syn::Error::new(at, "expected the type of a consumer; write, for example, `consumer = Chat`"))
}

/// Parses the word `members`, or an expression without it.
fn parse_publish(input: ParseStream<'_>) -> Result<PublishSyntax> {
    let expression = PermissionValue::parse(input)?.into_required_expression()?;
    if let SyntaxTree::Leaf(leaf) = &expression.tree
        && is_members(leaf)
        && leaf.subject.is_none()
        && leaf.arguments.is_empty()
    {
        return Ok(PublishSyntax::Members);
    }
    let message = "`members` stands alone; write `publish = members`, or an expression without `members`";
    reject_members(expression, message).map(|expression| PublishSyntax::Expression(Box::new(expression)))
}

/// Fails with `message` at the first leaf that is the word `members`.
fn reject_members(expression: PermissionSyntax, message: &str) -> Result<PermissionSyntax> {
    match find_members(&expression.tree) {
        Some(leaf) => Err(error_at(&leaf.path, message)),
        None => Ok(expression),
    }
}

fn find_members(tree: &SyntaxTree) -> Option<&Leaf> {
    match tree {
        SyntaxTree::Any(operands) | SyntaxTree::All(operands) => operands.iter().find_map(find_members),
        SyntaxTree::Not(operand) => find_members(operand),
        SyntaxTree::Leaf(leaf) => Some(leaf).filter(|leaf| is_members(leaf)),
    }
}

fn is_members(leaf: &Leaf) -> bool {
    !leaf.is_codename && leaf.path.is_ident("members")
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
    use super::{GroupArgs, PublishSyntax};
    use syn::{Attribute, parse_quote};

    fn messages(attribute: &Attribute) -> Vec<String> {
        let (_, error) = GroupArgs::read(attribute);
        error.into_iter().flatten().map(|error| error.to_string()).collect()
    }

    #[test]
    fn group_args_with_keys_in_any_order_are_read() {
        let (arguments, error) = GroupArgs::read(&parse_quote!(#[group(
            events(A, b::B<C>,), permission = "D & e.f(g)", crate = ::p, consumer = Chat<u8>, publish = H | !members.i,
        )]));
        assert!(error.is_none());
        assert_eq!(arguments.events.len(), 2);
        assert!(matches!(arguments.publish, Some(PublishSyntax::Expression(_))));
        assert!(arguments.permission.is_some() && arguments.consumer.is_some() && arguments.runtime.is_some());
    }

    #[test]
    fn group_args_with_the_word_members_are_read() {
        for attribute in [
            parse_quote!(#[group(publish = members, permission = A)]),
            parse_quote!(#[group(publish = "members")]),
            parse_quote!(#[group(publish = " (members) ")]),
        ] {
            let (arguments, error) = GroupArgs::read(&attribute);
            assert!(error.is_none() && matches!(arguments.publish, Some(PublishSyntax::Members)));
        }
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
            (parse_quote!(#[group(permission = A | members)]), "is only valid in `publish = members`"),
            (parse_quote!(#[group(publish)]), "write `publish = members`"),
            (parse_quote!(#[group(publish = )]), "write `publish = members`"),
            (parse_quote!(#[group(publish(A))]), "write `publish = members`"),
            (parse_quote!(#[group(publish = members | A)]), "`members` stands alone"),
            (parse_quote!(#[group(publish = "A & !members")]), "`members` stands alone"),
            (parse_quote!(#[group(publish = members(room))]), "`members` stands alone"),
            (parse_quote!(#[group(publish = members(5))]), "`members` stands alone"),
            (parse_quote!(#[group(publish = inherited)]), "no permission to inherit"),
            (parse_quote!(#[group(publish = true)]), "write `AllowAny`"),
            (parse_quote!(#[group(publishing = A)]), "write `publish`"),
            (parse_quote!(#[group(presence)]), "write `presence = AllowAny`"),
            (parse_quote!(#[group(presence = members)]), "write `AllowAny` if everyone may see every member"),
            (parse_quote!(#[group(presence = inherited)]), "no permission to inherit"),
            (parse_quote!(#[group(announce = true)]), "`announce` takes no value"),
            (
                parse_quote!(#[group(nonsense)]),
                "`#[group]` takes `consumer`, `permission`, `publish`, `events`, `presence`, `announce`, `history`, `public_name`, \
                 `name`, `local`, `crate`",
            ),
            (parse_quote!(#[group(name = "rooms/{id}")]), "write `public_name = \"…\"`"),
            (parse_quote!(#[group(name = "")]), "name is empty"),
            (parse_quote!(#[group(name)]), "write `name = \"Room\"`"),
            (parse_quote!(#[group(local = true)]), "`local` takes no value"),
            (parse_quote!(#[group(local, local)]), "`local` is given twice"),
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
