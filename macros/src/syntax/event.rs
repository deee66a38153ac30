//! The arguments of `#[event(…)]`.

use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Member, Meta, Result};

use super::Partial;
use super::attribute::parse_args;
use super::field_name;
use super::key_value::{self, KeySet};
use super::permission::{PermissionSyntax, PermissionValue};

/// The keys of `#[event]` that could be parsed.
#[derive(Default)]
pub(crate) struct EventArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) permission: Option<PermissionSyntax>,
    /// The field that holds the coalescing key.
    pub(crate) key: Option<Member>,
    /// A key that may be a permission could not be parsed.
    pub(crate) has_unreadable_permission: bool,
}

const KEYS: KeySet = KeySet {
    owner: "#[event]",
    known: &["permission", "name", "key"],
    hints: &[
        ("permissions", "unknown key `permissions`; write `permission`"),
        ("blocking", "`#[event]` methods cannot block, since they run while an event is delivered; remove `blocking`"),
        ("timeout", "`#[event]` methods have no time limit, since they wait for nothing; remove `timeout`"),
        ("rate", "`rate` is a key of `#[action]`, since clients do not call `#[event]` methods; remove `rate`"),
        ("user", "`user` is a key of the block; write `#[consumer(user = …)]`"),
        ("crate", "`crate` is a key of the block; write `#[consumer(crate = …)]`"),
    ],
};

impl EventArgs {
    pub(crate) fn read(attribute: &Attribute) -> Partial<Self> {
        let mut arguments = Self::default();
        let all = |input: ParseStream<'_>| {
            Ok(key_value::parse_keys(input, &KEYS, &mut |key, input| arguments.key(key, input)))
        };
        let error = parse_args(attribute, all).unwrap_or_else(Some);
        if let (Some(_), Meta::List(list)) = (&error, &attribute.meta) {
            arguments.has_unreadable_permission = key_value::mentions_permission(list.tokens.clone());
        }
        (arguments, error)
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(key_value::parse_name(key, input, "\"message.created\"")?),
            "key" => self.key = Some(field_name::parse_field(key, input)?),
            _ => {
                key_value::parse_equals(key, input, "IsAuthenticated")?;
                self.permission = Some(PermissionValue::parse(input)?.into_required_expression()?);
            }
        }
        Ok(())
    }
}
