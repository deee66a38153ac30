//! The inside of `#[event(…)]`.

use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Member, Meta, Result};

use super::Partial;
use super::attribute::parse_args;
use super::field_name;
use super::key_value::{self, KeySet};
use super::permission::{PermissionSyntax, PermissionValue};

/// The keys of an event, as far as they could be read.
#[derive(Default)]
pub(crate) struct EventArgs {
    pub(crate) name: Option<LitStr>,
    pub(crate) permission: Option<PermissionSyntax>,
    /// The field that says what it is about.
    pub(crate) key: Option<Member>,
    /// Something could not be read, and it may have been a permission.
    pub(crate) has_unreadable_permission: bool,
}

const KEYS: KeySet = KeySet {
    attribute: "event",
    known: &["permission", "name", "key"],
    hints: &[
        ("permissions", "unknown key `permissions`; write `permission`"),
        ("blocking", "nothing waits while an event is delivered, so there is no `blocking`; remove it"),
        ("user", "`user` goes on the block; write `#[consumer(user = …)]`"),
        ("crate", "`crate` goes on the block; write `#[consumer(crate = …)]`"),
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
