//! The arguments of `#[event(…)]` on a type with `#[derive(Event)]`.

use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Path, Result};

use super::Partial;
use super::attribute::parse_args;
use super::block::parse_crate_path;
use super::key_value::{self, KeySet};

/// The keys of `#[event]` on a type that could be parsed.
#[derive(Default)]
pub(crate) struct EventTypeArgs {
    pub(crate) name: Option<LitStr>,
    /// Whether the event never leaves its machine.
    pub(crate) is_local: bool,
    pub(crate) runtime: Option<Path>,
}

const KEYS: KeySet = KeySet {
    owner: "#[event]",
    known: &["name", "local", "crate"],
    hints: &[
        ("permission", "the permission of an event belongs on its method in the `#[consumer]` block; move it there"),
        ("key", "the coalescing key of an event belongs on its method in the `#[consumer]` block; move it there"),
    ],
};

impl EventTypeArgs {
    pub(crate) fn read(attribute: &Attribute) -> Partial<Self> {
        let mut arguments = Self::default();
        let all = |input: ParseStream<'_>| {
            Ok(key_value::parse_keys(input, &KEYS, &mut |key, input| arguments.key(key, input)))
        };
        let error = parse_args(attribute, all).unwrap_or_else(Some);
        (arguments, error)
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(key_value::parse_name(key, input, "\"MessageCreated\"")?),
            "local" => {
                key_value::parse_flag(key, input)?;
                self.is_local = true;
            }
            _ => {
                key_value::parse_equals(key, input, "::portcullis")?;
                self.runtime = Some(parse_crate_path(input)?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::EventTypeArgs;
    use syn::{Attribute, parse_quote};

    #[test]
    fn event_type_args_with_all_keys_are_read() {
        let (arguments, error) = EventTypeArgs::read(&parse_quote!(#[event(crate = ::p, local, name = "chat.Said")]));
        assert!(error.is_none() && arguments.is_local && arguments.runtime.is_some());
        assert_eq!(arguments.name.unwrap().value(), "chat.Said");
    }

    #[test]
    fn event_type_args_with_one_error_report_it() {
        let cases: [(Attribute, &str); 9] = [
            (parse_quote!(#[event(name)]), "write `name = \"MessageCreated\"`"),
            (parse_quote!(#[event(name = Said)]), "is a string"),
            (parse_quote!(#[event(name = "")]), "name is empty"),
            (parse_quote!(#[event(local = true)]), "`local` takes no value"),
            (parse_quote!(#[event(local, local)]), "`local` is given twice"),
            (parse_quote!(#[event(permission = A)]), "belongs on its method"),
            (parse_quote!(#[event(key = "a")]), "belongs on its method"),
            (parse_quote!(#[event(remote)]), "unknown key `remote`; `#[event]` takes `name`, `local`, `crate`"),
            (parse_quote!(#[event = "local"]), "write `#[event(…)]`"),
        ];
        for (attribute, expected) in cases {
            let (_, error) = EventTypeArgs::read(&attribute);
            let messages: Vec<_> = error.into_iter().flatten().map(|error| error.to_string()).collect();
            assert_eq!(messages.len(), 1, "{expected}: {messages:?}");
            assert!(messages[0].contains(expected), "{messages:?}");
        }
    }
}
