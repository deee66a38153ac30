//! The name of a group in frames: text with placeholders for the group's fields, as in `"rooms/{room_id}"`.

use proc_macro2::Ident;
use syn::parse::ParseStream;
use syn::{LitStr, Member, Result};

use super::field_name;
use super::key_value::{self, error_at};

/// A public name with its parts.
#[derive(Clone)]
pub(crate) struct PublicName {
    pub(crate) literal: LitStr,
    pub(crate) parts: Vec<PublicNamePart>,
}

#[derive(Clone)]
pub(crate) enum PublicNamePart {
    /// Unescaped text: `{{` is one brace.
    Text(String),
    /// A placeholder, with the literal's span.
    Field(Member),
}

const EXAMPLE: &str = "\"rooms/{room_id}\"";

impl PublicName {
    pub(super) fn read(key: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let literal = key_value::parse_string(key, input, EXAMPLE)?;
        match parse_parts(&literal) {
            Ok(parts) => Ok(Self { literal, parts }),
            Err(message) => Err(error_at(literal, message)),
        }
    }

    /// Returns the fields of all placeholders.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Member> {
        self.parts.iter().filter_map(|part| match part {
            PublicNamePart::Text(_) => None,
            PublicNamePart::Field(field) => Some(field),
        })
    }
}

/// Splits the name into text and placeholders.
///
/// # Errors
///
/// Returns a message for the first error in the name.
fn parse_parts(literal: &LitStr) -> std::result::Result<Vec<PublicNamePart>, String> {
    let text = literal.value();
    if text.is_empty() {
        return Err(format!("the public name is empty; write `public_name = {EXAMPLE}`, or remove the key"));
    }
    let (mut parts, mut literal_text) = (Vec::new(), String::new());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        literal_text.push_str(before);
        if let Some(after) = ["{{", "}}"].iter().find_map(|doubled| brace.strip_prefix(doubled)) {
            literal_text.push_str(&brace[..1]);
            rest = after;
            continue;
        }
        let Some(after_brace) = brace.strip_prefix('{') else {
            return Err(format!("unmatched `}}` in `{text}`; write `}}}}` for a literal brace"));
        };
        let Some((content, after)) = after_brace.split_once('}') else {
            return Err(format!(
                "unclosed `{{` in `{text}`; write a placeholder as `{{room_id}}`, and `{{{{` for a literal brace"
            ));
        };
        if !literal_text.is_empty() {
            parts.push(PublicNamePart::Text(std::mem::take(&mut literal_text)));
        }
        parts.push(PublicNamePart::Field(parse_placeholder(content, literal)?));
        rest = after;
    }
    literal_text.push_str(rest);
    if !literal_text.is_empty() {
        parts.push(PublicNamePart::Text(literal_text));
    }
    Ok(parts)
}

fn parse_placeholder(content: &str, literal: &LitStr) -> std::result::Result<Member, String> {
    if content.trim().is_empty() {
        return Err(format!("the placeholder `{{{content}}}` names no field; write, for example, `{{room_id}}`"));
    }
    field_name::parse_field_name(content, literal.span()).ok_or_else(|| {
        // The text before a format or an access is most likely the field's name.
        let name = content.trim().split(|letter: char| !letter.is_alphanumeric() && letter != '_').next();
        let name = name.filter(|name| !name.is_empty()).unwrap_or("room_id");
        format!("a placeholder contains only the name of a field; write `{{{name}}}` instead of `{{{content}}}`")
    })
}

#[cfg(test)]
mod tests {
    use super::{PublicNamePart, parse_parts};
    use proc_macro2::Span;
    use quote::ToTokens;
    use syn::LitStr;

    fn read(text: &str) -> Result<String, String> {
        let parts = parse_parts(&LitStr::new(text, Span::call_site()))?;
        let texts = parts.iter().map(|part| match part {
            PublicNamePart::Text(text) => format!("{text:?}"),
            PublicNamePart::Field(field) => field.to_token_stream().to_string(),
        });
        Ok(texts.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn parse_parts_separates_text_from_fields() {
        for (text, expected) in [
            ("lobby", "\"lobby\""),
            ("rooms/{room_id}", "\"rooms/\" room_id"),
            ("{0}:{1}", "0 \":\" 1"),
            ("{a}{b}", "a b"),
            ("{{{a}}}", "\"{\" a \"}\""),
            ("{{a}}é", "\"{a}é\""),
            ("{type}", "r#type"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn parse_parts_of_a_malformed_name_names_the_error() {
        for (text, expected) in [
            ("", "name is empty"),
            ("a{}", "`{}` names no field"),
            ("a{ }", "`{ }` names no field"),
            ("a{b", "unclosed `{` in `a{b`"),
            ("{{a{", "unclosed"),
            ("a}b", "unmatched `}` in `a}b`"),
            ("{a}}", "unmatched"),
            ("{a:?}", "a placeholder contains only the name of a field; write `{a}` instead of `{a:?}`"),
            ("{ a }", "write `{a}` instead"),
            ("{a.b}", "write `{a}` instead"),
            ("{:>3}", "write `{room_id}` instead"),
            ("{0:03}", "write `{0}` instead"),
            ("{self}", "only the name of a field"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
