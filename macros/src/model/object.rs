//! A parameter whose object is loaded, and for which permissions are evaluated, before the action runs.

use proc_macro2::Span;
use syn::{GenericArgument, PathArguments, PathSegment, Type, TypeReference};

use crate::syntax::json_path::JsonPath;

/// An object parameter: `Object<T>`, `Option<Object<T>>` or `Vec<Object<T>>`.
pub(crate) struct Object {
    pub(crate) shape: ObjectShape,
    /// The loaded type, the `T` in `Object<T>`.
    pub(crate) ty: Box<Type>,
    pub(crate) source: ObjectSource,
}

/// How many objects a parameter holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ObjectShape {
    One,
    Optional,
    List,
}

/// The source of an object's key or keys.
pub(crate) enum ObjectSource {
    /// A top-level key of the message.
    Key(String),
    /// A path to a nested value in the message.
    Nested(JsonPath),
    Capture {
        name: String,
        span: Span,
    },
}

impl ObjectSource {
    /// Returns the source for a path, or for the parameter's own key if there is no path.
    pub(crate) fn new(path: Option<JsonPath>, key: String) -> Self {
        match path {
            None => Self::Key(key),
            Some(path) if path.is_top_level() => Self::Key(path.text),
            Some(path) => Self::Nested(path),
        }
    }

    /// Returns the source's name in error messages.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Key(name) | Self::Capture { name, .. } => name,
            Self::Nested(path) => &path.text,
        }
    }

    /// Returns the top-level key of the message that contains the object's key. Returns `None` for a capture.
    pub(crate) fn top_level_key(&self) -> Option<&str> {
        match self {
            Self::Key(name) => Some(name),
            Self::Nested(path) => Some(path.top_level_key()),
            Self::Capture { .. } => None,
        }
    }
}

/// Parses `Object<T>`, `Option<Object<T>>`, `Vec<Object<T>>` or a reference to one of them. Returns `None` for any other
/// type.
pub(crate) fn parse_object_type(ty: &Type) -> Option<(ObjectShape, &Type)> {
    match ty {
        Type::Reference(TypeReference { elem, .. }) => parse_object_type(elem),
        Type::Group(group) => parse_object_type(&group.elem),
        Type::Paren(paren) => parse_object_type(&paren.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let inner = single_type_argument(last)?;
            let shape = match last.ident.to_string().as_str() {
                "Object" => return Some((ObjectShape::One, inner)),
                "Option" => ObjectShape::Optional,
                "Vec" => ObjectShape::List,
                _ => return None,
            };
            object_type(inner).map(|inner| (shape, inner))
        }
        _ => None,
    }
}

/// Returns the `T` in `Object<T>`.
fn object_type(ty: &Type) -> Option<&Type> {
    single_type_argument_of(ty, "Object")
}

/// Returns the `T` in `Name<T>`, where `name` is the last path segment.
pub(super) fn single_type_argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    match ty {
        Type::Group(group) => single_type_argument_of(&group.elem, name),
        Type::Paren(paren) => single_type_argument_of(&paren.elem, name),
        Type::Path(path) => path.path.segments.last().filter(|last| last.ident == name).and_then(single_type_argument),
        _ => None,
    }
}

fn single_type_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(ty)) if arguments.args.len() == 1 => Some(ty),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{ObjectShape, parse_object_type};
    use quote::ToTokens;
    use syn::parse_str;

    #[test]
    fn parse_object_type_recognizes_the_last_path_segment() {
        for (ty, expected) in [
            ("Object<Message>", Some((ObjectShape::One, "Message"))),
            ("portcullis::Object<a::Message>", Some((ObjectShape::One, "a :: Message"))),
            ("std::option::Option<Object<Message>>", Some((ObjectShape::Optional, "Message"))),
            ("Vec<portcullis::Object<Message>>", Some((ObjectShape::List, "Message"))),
            ("(Vec<(Object<Message>)>)", Some((ObjectShape::List, "Message"))),
            ("&Object<Message>", Some((ObjectShape::One, "Message"))),
            ("Object", None),
            ("Object<Message, Other>", None),
            ("Message", None),
            ("Vec<Option<Object<Message>>>", None),
            ("Option<&Object<Message>>", None),
            ("Box<Object<Message>>", None),
            ("[Object<Message>; 3]", None),
        ] {
            let parsed = parse_str(ty).unwrap();
            let found = parse_object_type(&parsed).map(|(shape, inner)| (shape, inner.to_token_stream().to_string()));
            assert_eq!(found, expected.map(|(shape, inner)| (shape, inner.to_owned())), "{ty}");
        }
    }
}
