//! The inside of `#[event(…)]`.

use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Member, Meta, Result};

use super::Read;
use super::attribute::inside;
use super::field_name;
use super::key_value::{self, Keys};
use super::permission::{Expression, Written};

/// The keys of an event, as far as they could be read.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) name: Option<LitStr>,
    pub(crate) permission: Option<Expression>,
    /// The field that says what it is about.
    pub(crate) key: Option<Member>,
    /// Something could not be read, and it may have been a permission.
    pub(crate) tried_permission: bool,
}

const KEYS: Keys = Keys {
    attribute: "event",
    known: &["permission", "name", "key"],
    elsewhere: &[
        ("permissions", "unknown key `permissions`; write `permission`"),
        ("blocking", "nothing waits while an event is delivered, so there is no `blocking`; remove it"),
        ("user", "`user` goes on the block; write `#[consumer(user = …)]`"),
        ("crate", "`crate` goes on the block; write `#[consumer(crate = …)]`"),
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
            "name" => self.name = Some(key_value::name(key, input, "\"message.created\"")?),
            "key" => self.key = Some(field_name::read(key, input)?),
            _ => {
                key_value::equals(key, input, "IsAuthenticated")?;
                self.permission = Some(Written::parse(input)?.of_its_own()?);
            }
        }
        Ok(())
    }
}
