//! The argument of `#[object("…")]`: the path to the key of an object in a message.
//!
//! `path = step ("." step)*`, `step = name "[]"?`. `[]` selects each element of an array.

use syn::{Attribute, LitStr, Meta, Result};

use super::attribute::parse_args;
use super::key_value::error_at;

/// The path to one key in a message, or to a list of keys.
#[derive(Clone)]
pub(crate) struct JsonPath {
    pub(crate) literal: LitStr,
    pub(crate) text: String,
    /// The names, with a separate `[]` after each name whose elements are selected. Never empty.
    pub(crate) steps: Vec<String>,
}

/// The step that selects each element of an array.
const EACH_ELEMENT: &str = "[]";

impl JsonPath {
    pub(crate) fn read(attribute: &Attribute) -> Result<Self> {
        const MISSING: &str = "expected the path to the object's key in the message; \
                               write, for example, `#[object(\"message_id\")]`, or remove the attribute";
        if matches!(attribute.meta, Meta::Path(_)) {
            return Err(error_at(attribute, MISSING));
        }
        let literal: LitStr = parse_args(attribute, |input| {
            let literal = input.parse().map_err(|_| input.error(MISSING))?;
            if input.is_empty() {
                Ok(literal)
            } else {
                Err(input.error("`#[object(…)]` takes one path; remove this"))
            }
        })?;
        let text = literal.value();
        match parse_steps(&text) {
            Ok(steps) => Ok(Self { literal, text, steps }),
            Err(reason) => Err(error_at(literal, reason)),
        }
    }

    /// Returns the top-level key of the message with which the path begins.
    pub(crate) fn top_level_key(&self) -> &str {
        self.steps.first().map_or("", String::as_str)
    }

    /// Returns whether the path is a top-level key of the message.
    pub(crate) fn is_top_level(&self) -> bool {
        self.steps.len() == 1
    }

    /// Returns whether the path leads to any number of keys.
    pub(crate) fn is_list(&self) -> bool {
        self.steps.iter().any(|step| step == EACH_ELEMENT)
    }
}

fn parse_steps(text: &str) -> std::result::Result<Vec<String>, String> {
    if text.is_empty() {
        return Err("the path is empty; write the name of a key, such as `message_id`".to_owned());
    }
    let mut steps = Vec::new();
    for part in text.split('.') {
        let (name, is_each) = part.strip_suffix(EACH_ELEMENT).map_or((part, false), |name| (name, true));
        if name.is_empty() {
            let missing = if is_each { "`[]` must follow a name" } else { "a name is missing before or after a `.`" };
            return Err(format!("{missing} in `{text}`; write, for example, `order.items[].folder_id`"));
        }
        if let Some(bracket) = name.chars().find(|character| "[]".contains(*character)) {
            return Err(format!("`{bracket}` in `{part}` is not allowed; write `[]` once, after the name of an array"));
        }
        if let Some(invalid) = name.chars().find(|character| character.is_whitespace() || character.is_control()) {
            return Err(format!("`{part}` contains {invalid:?}; write names joined by `.`, without white space"));
        }
        steps.push(name.to_owned());
        steps.extend(is_each.then(|| EACH_ELEMENT.to_owned()));
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::{JsonPath, parse_steps};
    use syn::parse_quote;

    #[test]
    fn parse_steps_with_names_and_elements_returns_each_step() {
        for (text, expected) in [
            ("id", &["id"][..]),
            ("ids[]", &["ids", "[]"]),
            ("order.folder-id", &["order", "folder-id"]),
            ("order.items[].folder_id", &["order", "items", "[]", "folder_id"]),
        ] {
            assert_eq!(parse_steps(text).unwrap(), expected);
        }
    }

    #[test]
    fn parse_steps_of_a_malformed_path_names_the_error() {
        for (text, expected) in [
            ("", "is empty"),
            (".a", "before or after a `.`"),
            ("a..b", "before or after a `.`"),
            ("a.", "before or after a `.`"),
            ("[].a", "must follow a name"),
            ("a[][]", "write `[]` once"),
            ("a[0].b", "`[` in `a[0]`"),
            ("a[", "`[` in `a[`"),
            ("a b", "without white space"),
        ] {
            let error = parse_steps(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn json_path_read_requires_one_string() {
        let path = JsonPath::read(&parse_quote!(#[object("order.items[].id")])).unwrap();
        assert_eq!((path.top_level_key(), path.is_top_level(), path.is_list()), ("order", false, true));
        for (attribute, expected) in [
            (parse_quote!(#[object]), "expected the path"),
            (parse_quote!(#[object()]), "expected the path"),
            (parse_quote!(#[object(id)]), "expected the path"),
            (parse_quote!(#[object("a", "b")]), "takes one path"),
            (parse_quote!(#[object = "a"]), "write `#[object(…)]`"),
        ] {
            let Err(error) = JsonPath::read(&attribute) else { panic!("no error: {expected}") };
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
