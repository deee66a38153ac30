//! The value of the block's key `rename_all`.

use heck::{ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutyKebabCase, ToShoutySnakeCase};
use proc_macro2::Ident;
use syn::Result;
use syn::parse::ParseStream;

use super::key_value::{self, error_at};

/// How the names of methods and parameters are spelled in messages. The rules are named as those of serde.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum RenameRule {
    /// As in Rust.
    #[default]
    None,
    Pascal,
    Camel,
    Kebab,
    ScreamingSnake,
    ScreamingKebab,
}

const RULES: [(&str, RenameRule); 5] = [
    ("PascalCase", RenameRule::Pascal),
    ("camelCase", RenameRule::Camel),
    ("kebab-case", RenameRule::Kebab),
    ("SCREAMING_SNAKE_CASE", RenameRule::ScreamingSnake),
    ("SCREAMING-KEBAB-CASE", RenameRule::ScreamingKebab),
];

impl RenameRule {
    /// Parses `= "camelCase"`.
    pub(super) fn parse(key: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let literal = key_value::parse_string(key, input, "\"camelCase\"")?;
        let text = literal.value();
        if let Some((_, rule)) = RULES.iter().find(|(name, _)| *name == text) {
            return Ok(*rule);
        }
        let names: Vec<_> = RULES.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format_args!("`{text}` is not a rule of `{key}`; write one of {}", names.join(", "));
        Err(error_at(literal, message))
    }

    /// Returns the name in messages of a method or parameter.
    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Self::None => name.to_owned(),
            Self::Pascal => name.to_pascal_case(),
            Self::Camel => name.to_lower_camel_case(),
            Self::Kebab => name.to_kebab_case(),
            Self::ScreamingSnake => name.to_shouty_snake_case(),
            Self::ScreamingKebab => name.to_shouty_kebab_case(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RULES, RenameRule};

    #[test]
    fn apply_spells_names_as_serde_does() {
        let expected = ["SendMessage2", "sendMessage2", "send-message2", "SEND_MESSAGE2", "SEND-MESSAGE2"];
        assert_eq!(RULES.map(|(_, rule)| rule.apply("send_message2")), expected);
        assert_eq!(RenameRule::None.apply("send_message2"), "send_message2");
    }
}
