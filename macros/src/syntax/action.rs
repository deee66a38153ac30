//! The inside of `#[action(…)]`.

use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Meta, Result};

use super::Read;
use super::attribute::inside;
use super::key_value::{self, Keys};
use super::permission::{Expression, Written};

/// The keys of an action, as far as they could be read.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) name: Option<LitStr>,
    pub(crate) permission: Option<Expression>,
    /// The keys themselves, to underline them.
    pub(crate) blocking: Option<Ident>,
    pub(crate) detached: Option<Ident>,
    pub(crate) deny_unknown: Option<Ident>,
    /// Something could not be read, and it may have been a permission.
    pub(crate) tried_permission: bool,
}

const KEYS: Keys = Keys {
    attribute: "action",
    known: &["name", "permission", "blocking", "detached", "deny_unknown"],
    elsewhere: &[
        ("permissions", "unknown key `permissions`; write `permission`"),
        ("user", "`user` goes on the block; write `#[consumer(user = …)]` or `#[handler(user = …)]`"),
        ("connect", "`connect` goes on `#[consumer]`; an action has no door of its own"),
        ("crate", "`crate` goes on the block; write `#[consumer(crate = …)]` or `#[handler(crate = …)]`"),
    ],
};

impl Arguments {
    pub(crate) fn read(attribute: &Attribute) -> Read<Self> {
        let mut arguments = Self::default();
        let all =
            |input: ParseStream<'_>| Ok(key_value::read(input, &KEYS, &mut |key, input| arguments.key(key, input)));
        let error = inside(attribute, all).unwrap_or_else(Some);
        if let (Some(_), Meta::List(list)) = (&error, &attribute.meta) {
            arguments.tried_permission = key_value::means_permission(list.tokens.clone());
        }
        (arguments, error)
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(key_value::name(key, input, "\"send_message\"")?),
            "permission" => {
                key_value::equals(key, input, "IsAuthenticated")?;
                self.permission = Some(Written::parse(input)?.asked()?);
            }
            "blocking" => self.blocking = Some(key_value::flag(key, input)?),
            "detached" => self.detached = Some(key_value::flag(key, input)?),
            _ => self.deny_unknown = Some(key_value::flag(key, input)?),
        }
        Ok(())
    }
}
