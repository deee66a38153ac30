//! The inside of `#[action(…)]`.

use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Result};

use super::Read;
use super::attribute::inside;
use super::keyed::{self, Keys, refuse};
use super::permission::{Expression, Written};

/// The keys of an action, as far as they could be read.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) name: Option<LitStr>,
    pub(crate) permission: Option<Expression>,
    /// The keys themselves, to underline them.
    pub(crate) blocking: Option<Ident>,
    pub(crate) deny_unknown: Option<Ident>,
    /// A permission was written, even if it could not be read: its absence is not told on top.
    pub(crate) tried_permission: bool,
}

const KEYS: Keys = Keys {
    attribute: "action",
    known: &["name", "permission", "blocking", "deny_unknown"],
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
        let all = |input: ParseStream<'_>| Ok(keyed::read(input, &KEYS, &mut |key, input| arguments.key(key, input)));
        let error = inside(attribute, all).unwrap_or_else(Some);
        (arguments, error)
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => {
                let name = keyed::text(key, input, "\"send_message\"")?;
                wire_name(&name)?;
                self.name = Some(name);
            }
            "permission" => {
                self.tried_permission = true;
                keyed::equals(key, input, "IsAuthenticated")?;
                self.permission = Some(Written::parse(input)?.asked()?);
            }
            "blocking" => self.blocking = Some(keyed::flag(key, input)?),
            _ => self.deny_unknown = Some(keyed::flag(key, input)?),
        }
        Ok(())
    }
}

/// Names travel in frames, logs and audits, so they are kept plain.
fn wire_name(literal: &LitStr) -> Result<()> {
    let name = literal.value();
    if name.is_empty() {
        return Err(refuse(literal, "the name is empty; remove the key to use the method's own name"));
    }
    let odd = name.chars().find(|letter| !(letter.is_ascii_alphanumeric() || "_.:-".contains(*letter)));
    match odd {
        Some(odd) => {
            let message = format_args!(
                "{odd:?} cannot stand in the name of an action; use letters, digits, `_`, `.`, `:` and `-`"
            );
            Err(refuse(literal, message))
        }
        None => Ok(()),
    }
}
