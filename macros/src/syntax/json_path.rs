//! The inside of `#[object("…")]`: where in a message the key of an object stands.
//!
//! `place = step ("." step)*`, `step = name "[]"?`; `[]` stands for each element of an array.

use syn::{Attribute, LitStr, Meta, Result};

use super::attribute::parse_args;
use super::key_value::error_at;

/// Where the key stands, or the keys stand.
#[derive(Clone)]
pub(crate) struct JsonPath {
    pub(crate) literal: LitStr,
    pub(crate) text: String,
    /// The names, with a `[]` of its own after those whose elements are meant; never empty.
    pub(crate) steps: Vec<String>,
}

/// What stands for each element.
const EACH_ELEMENT: &str = "[]";

impl JsonPath {
    pub(crate) fn read(attribute: &Attribute) -> Result<Self> {
        const MISSING: &str =
            "expected where the key of the object stands; write `#[object(\"message_id\")]`, say, or leave it out";
        if matches!(attribute.meta, Meta::Path(_)) {
            return Err(error_at(attribute, MISSING));
        }
        let literal: LitStr = parse_args(attribute, |input| {
            let literal = input.parse().map_err(|_| input.error(MISSING))?;
            if input.is_empty() {
                Ok(literal)
            } else {
                Err(input.error("`#[object(…)]` takes one place; remove this"))
            }
        })?;
        let text = literal.value();
        match parse_steps(&text) {
            Ok(steps) => Ok(Self { literal, text, steps }),
            Err(reason) => Err(error_at(literal, reason)),
        }
    }

    /// The key of the message that it begins with.
    pub(crate) fn top_level_key(&self) -> &str {
        self.steps.first().map_or("", String::as_str)
    }

    /// Is it a key of the message itself?
    pub(crate) fn is_top_level(&self) -> bool {
        self.steps.len() == 1
    }

    /// Does it lead to any number of keys?
    pub(crate) fn is_list(&self) -> bool {
        self.steps.iter().any(|step| step == EACH_ELEMENT)
    }
}

fn parse_steps(text: &str) -> std::result::Result<Vec<String>, String> {
    if text.is_empty() {
        return Err("the place is empty; write the name of a key, such as `message_id`".to_owned());
    }
    let mut steps = Vec::new();
    for part in text.split('.') {
        let (name, is_each) = part.strip_suffix(EACH_ELEMENT).map_or((part, false), |name| (name, true));
        if name.is_empty() {
            let missing = if is_each { "`[]` follows no name" } else { "a name is missing beside a `.`" };
            return Err(format!("{missing} in `{text}`; write `order.items[].folder_id`, say"));
        }
        if let Some(odd) = name.chars().find(|letter| "[]".contains(*letter)) {
            return Err(format!("`{odd}` in `{part}` means nothing; `[]` stands once, after the name of an array"));
        }
        if let Some(odd) = name.chars().find(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(format!("`{part}` holds {odd:?}; write names joined by `.`, without white space"));
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
    fn reads_names_and_elements() {
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
    fn each_mistake_has_its_words() {
        for (text, words) in [
            ("", "is empty"),
            (".a", "beside a `.`"),
            ("a..b", "beside a `.`"),
            ("a.", "beside a `.`"),
            ("[].a", "follows no name"),
            ("a[][]", "stands once"),
            ("a[0].b", "`[` in `a[0]`"),
            ("a[", "`[` in `a[`"),
            ("a b", "without white space"),
        ] {
            let told = parse_steps(text).unwrap_err();
            assert!(told.contains(words), "{text}: {told}");
        }
    }

    #[test]
    fn the_attribute_holds_one_text() {
        let place = JsonPath::read(&parse_quote!(#[object("order.items[].id")])).unwrap();
        assert_eq!((place.top_level_key(), place.is_top_level(), place.is_list()), ("order", false, true));
        for (attribute, words) in [
            (parse_quote!(#[object]), "expected where"),
            (parse_quote!(#[object()]), "expected where"),
            (parse_quote!(#[object(id)]), "expected where"),
            (parse_quote!(#[object("a", "b")]), "takes one place"),
            (parse_quote!(#[object = "a"]), "write `#[object(…)]`"),
        ] {
            let Err(told) = JsonPath::read(&attribute) else { panic!("nothing is told of {words}") };
            assert!(told.to_string().contains(words), "{told}");
        }
    }
}
