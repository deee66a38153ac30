//! The arguments of `#[action(…)]`.

use std::time::Duration;

use proc_macro2::TokenTree;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Meta, Result, Token};

use super::Partial;
use super::attribute::parse_args;
use super::key_value::{self, ErrorList, KeySet, error_at};
use super::permission::{PermissionSyntax, PermissionValue};
use super::rate::{self, RateSyntax};
use super::time_limit::{self, TIMEOUT};
use super::validate::{self, Validate};

/// The keys of `#[action]` that could be parsed.
#[derive(Default)]
pub(crate) struct ActionArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) permission: Option<PermissionSyntax>,
    /// Flags are kept as the key itself, so that errors can underline it.
    pub(crate) blocking: Option<Ident>,
    pub(crate) detached: Option<Ident>,
    pub(crate) in_order: Option<Ident>,
    pub(crate) deny_unknown: Option<Ident>,
    /// The key of `cancel = drop`.
    pub(crate) cancel_drop: Option<Ident>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) rate: Option<RateSyntax>,
    pub(crate) burst: Option<u32>,
    pub(crate) validate: Option<Validate>,
    /// A key that may be a permission could not be parsed.
    pub(crate) has_unreadable_permission: bool,
}

const KEYS: KeySet = KeySet {
    owner: "#[action]",
    known: &[
        "name",
        "permission",
        "blocking",
        "detached",
        "in_order",
        "cancel",
        "timeout",
        "rate",
        "burst",
        "validate",
        "deny_unknown",
    ],
    hints: &[
        ("permissions", "unknown key `permissions`; write `permission`"),
        ("user", "`user` is a key of the block; write `#[consumer(user = …)]` or `#[handler(user = …)]`"),
        (
            "connect",
            "`connect` is a key of `#[consumer]`, since clients do not connect to an action; move it there, or remove it",
        ),
        ("crate", "`crate` is a key of the block; write `#[consumer(crate = …)]` or `#[handler(crate = …)]`"),
    ],
};

impl ActionArgs {
    pub(crate) fn read(attribute: &Attribute) -> Partial<Self> {
        let mut arguments = Self::default();
        let (mut has_rate, mut burst) = (false, None);
        let all = |input: ParseStream<'_>| {
            let mut errors = ErrorList(key_value::parse_keys(input, &KEYS, &mut |key, input| {
                has_rate |= key == "rate";
                burst = burst.take().or_else(|| (key == "burst").then(|| key.clone()));
                arguments.key(key, input)
            }));
            if let Some(burst) = burst.filter(|_| !has_rate) {
                errors.add(rate::missing_rate(&burst));
            }
            Ok(errors.0)
        };
        let error = parse_args(attribute, all).unwrap_or_else(Some);
        if let (Some(_), Meta::List(list)) = (&error, &attribute.meta) {
            arguments.has_unreadable_permission = key_value::mentions_permission(list.tokens.clone());
        }
        (arguments, error)
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(key_value::parse_name(key, input, "\"send_message\"")?),
            "permission" => {
                key_value::parse_equals(key, input, "IsAuthenticated")?;
                self.permission = Some(PermissionValue::parse(input)?.into_expression()?);
            }
            "blocking" => self.blocking = Some(key_value::parse_flag(key, input)?),
            "detached" => self.detached = Some(key_value::parse_flag(key, input)?),
            "in_order" => self.in_order = Some(key_value::parse_flag(key, input)?),
            "cancel" => self.cancel_drop = Some(parse_cancel(key, input)?),
            "timeout" => self.timeout = Some(time_limit::parse(key, input, &TIMEOUT)?),
            "rate" => self.rate = Some(rate::parse_rate(key, input)?),
            "burst" => self.burst = Some(rate::parse_burst(key, input)?),
            "validate" => self.validate = Some(validate::parse(key, input)?),
            _ => self.deny_unknown = Some(key_value::parse_flag(key, input)?),
        }
        Ok(())
    }
}

/// Parses `= drop`, the only value of `cancel`. Returns the key.
fn parse_cancel(key: &Ident, input: ParseStream<'_>) -> Result<Ident> {
    const MEANING: &str = "to drop the action at its next `.await` when it is cancelled; otherwise remove `cancel`";
    if !input.peek(Token![=]) {
        return Err(error_at(key, format_args!("`cancel` needs a value; write `cancel = drop` {MEANING}")));
    }
    input.parse::<Token![=]>()?;
    let value: TokenTree = input
        .parse()
        .map_err(|_| error_at(key, format_args!("`cancel` needs a value; write `cancel = drop` {MEANING}")))?;
    if matches!(&value, TokenTree::Ident(word) if word == "drop") {
        return Ok(key.clone());
    }
    Err(error_at(&value, format_args!("`{value}` is not a value of `cancel`; write `cancel = drop` {MEANING}")))
}
